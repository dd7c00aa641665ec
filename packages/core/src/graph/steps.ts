// What a traced graph is made of: steps in the order in which they ran, each named by its place in that order.

import type { DType } from '../dtype.ts';
import type { AnyOp } from '../registry.ts';
import type { Shape } from '../shape.ts';
import type { Maker } from '../tape/tracing.ts';
import type { Tensor } from '../tensor.ts';

interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A tensor that the graph is run on. */
export interface InputStep extends Value {
  readonly kind: 'input';
  readonly name: string;
}

/** A tensor from outside of the traced function, held by reference: its later values are used too. */
export interface CapturedStep extends Value {
  readonly kind: 'captured';
  readonly tensor: Tensor;
}

/** An op, to be run again on what earlier steps gave. */
export interface OpStep extends Value {
  readonly kind: 'op';
  readonly op: AnyOp;
  readonly attrs: unknown;
  readonly operands: readonly number[];
  /** Whether it ran with gradients enabled. */
  readonly gradEnabled: boolean;
  /** Bytes that its node keeps for backward, and that neither an earlier step nor the caller keeps anyway. */
  readonly bytesSaved: number;
}

/** Something that an op kept for its derivative rules beside its result, where an op of the graph reads it. */
export interface KeptStep extends Value {
  readonly kind: 'kept';
  readonly operands: readonly [number];
  readonly slot: number;
}

/** A tensor made by work that is no op: a constant, a random draw. Made anew in each run. */
export interface MadeStep extends Value {
  readonly kind: 'made';
  readonly label: string;
  readonly operands: readonly number[];
  readonly make: Maker;
  readonly requiresGrad: boolean;
}

/** A value cut off from its graph. */
export interface DetachStep extends Value {
  readonly kind: 'detach';
  readonly operands: readonly [number];
  readonly requiresGrad: boolean;
}

/** A change in place: the first operand is overwritten with the second. */
export interface WriteStep extends Value {
  readonly kind: 'write';
  readonly label: string;
  readonly operands: readonly [target: number, values: number];
  readonly gradEnabled: boolean;
}

/** One step of a graph. */
export type Step = InputStep | CapturedStep | OpStep | KeptStep | MadeStep | DetachStep | WriteStep;

/** What the traced function returned: where its tensors come from, and how to put tensors in their place. */
export interface Outputs<R> {
  /** Per tensor, the step that gives it. */
  readonly steps: readonly number[];
  /** Per tensor, where it stands in what was returned, such as `loss` or `[0]`; empty if it is all of it. */
  readonly paths: readonly string[];
  /** What was returned, with other tensors. */
  readonly build: (tensors: readonly Tensor[]) => R;
}

/** The steps whose results a step reads. */
export function operandsOf(step: Step): readonly number[] {
  return step.kind === 'input' || step.kind === 'captured' ? [] : step.operands;
}

/** What a step does, in one word: the op's name, or that of the function that was called. */
export function labelOf(step: Step): string {
  switch (step.kind) {
    case 'op':
      return step.op.name;
    case 'made':
    case 'write':
      return step.label;
    case 'captured':
      return isParameter(step) ? 'parameter' : 'constant';
    default:
      return step.kind;
  }
}

/** Whether a step gives a tensor that collects gradients: a weight. */
export function isParameter(step: Step): boolean {
  return step.kind === 'captured' && step.tensor.requiresGrad && step.tensor.isLeaf;
}
