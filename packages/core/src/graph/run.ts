// Runs a graph on real tensors: the same ops in the same order as in the trace, so the same bits.

import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { contiguous } from '../ops/layout.ts';
import { copy_ } from '../ops/mutate.ts';
import { sameShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { noGrad } from '../tape/mode.ts';
import { observe } from '../tape/observer.ts';
import { makeTensor } from '../tape/tracing.ts';
import type { Tensor } from '../tensor.ts';
import { type InputStep, type OpStep, operandsOf, type Step } from './steps.ts';

/** A graph made ready to run: what is needed when, worked out once. */
export class Program {
  readonly #steps: readonly Step[];
  /** Per step, the steps whose results nothing reads after it. */
  readonly #lastReads: readonly (readonly number[])[];
  /** Ops that kept something which another step reads. */
  readonly #keepers: ReadonlySet<number>;
  readonly #outputs: readonly number[];
  readonly #writes: boolean;

  constructor(steps: readonly Step[], outputs: readonly number[]) {
    this.#steps = steps;
    this.#outputs = outputs;
    this.#keepers = new Set(steps.flatMap((step) => (step.kind === 'kept' ? step.operands : [])));
    this.#writes = steps.some(({ kind }) => kind === 'write');
    this.#lastReads = lastReads(steps, outputs);
  }

  /** Runs every step and gives the tensors of the outputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    const operands = this.#checkInputs(inputs);
    const values: (Tensor | null)[] = new Array(this.#steps.length).fill(null);
    const kept = new Map<number, (slot: number) => Tensor>();
    let nextInput = 0;
    const runStep = (step: Step, id: number): Tensor => {
      const read = (index: number): Tensor => values[index]!;
      switch (step.kind) {
        case 'input':
          return operands[nextInput++];
        case 'captured':
          return step.tensor;
        case 'op':
          return this.#keepers.has(id)
            ? runKeeper(step, step.operands.map(read), (slot) => kept.set(id, slot))
            : runOp(step, step.operands.map(read));
        case 'kept':
          return kept.get(step.operands[0])!(step.slot);
        case 'made':
          return asLeaf(makeTensor(step.label, step.operands.map(read), step, step.make), step.requiresGrad);
        case 'detach':
          return asLeaf(read(step.operands[0]).detach(), step.requiresGrad);
        case 'write': {
          const [target, source] = step.operands.map(read);
          return step.gradEnabled ? copy_(target, source) : noGrad(() => copy_(target, source));
        }
      }
    };
    this.#steps.forEach((step, id) => {
      values[id] = runStep(step, id);
      // Values are let go of when they have been read for the last time, as they are by a function's own variables.
      for (const done of this.#lastReads[id]) values[done] = null;
    });
    return this.#outputs.map((id) => values[id]!);
  }

  #checkInputs(inputs: readonly Tensor[]): readonly Tensor[] {
    const wanted = this.#steps.filter((step) => step.kind === 'input');
    if (inputs.length !== wanted.length) {
      throw new ArgumentError(`got ${inputs.length} tensors; the graph was traced with ${wanted.length}.`, {
        op: 'run',
        operand: 'inputs',
        actual: inputs.length,
        expected: `${wanted.length} tensors`,
      });
    }
    return inputs.map((input, i) => this.#checkInput(input, wanted[i]));
  }

  #checkInput(input: Tensor, { name, shape, dtype }: InputStep): Tensor {
    if (!sameShape(input.shape, shape)) {
      throw new ShapeError(
        `'${name}' has shape ${formatShape(input.shape)}, and the graph was traced for ${formatShape(shape)}; trace it again for other shapes.`,
        { op: 'run', operand: name, actual: input.shape, expected: formatShape(shape) },
      );
    }
    if (input.dtype !== dtype) {
      throw new DTypeError(
        `'${name}' is ${input.dtype}, and the graph was traced for ${dtype}; convert it with to('${dtype}'), or trace it again.`,
        { op: 'run', operand: name, actual: input.dtype, expected: dtype },
      );
    }
    if (this.#writes && !input.isContiguous) {
      throw new ArgumentError(
        `'${name}' is not contiguous, and the graph changes tensors in place: it would change a copy. Give '${name}'.contiguous().`,
        { op: 'run', operand: name, actual: input.strides, expected: 'a contiguous tensor' },
      );
    }
    // The graph was traced on contiguous inputs, and has views only where those need no copy.
    return contiguous(input);
  }
}

function runOp({ op, attrs, gradEnabled }: OpStep, operands: readonly Tensor[]): Tensor {
  return gradEnabled ? apply(op, operands, attrs) : noGrad(() => apply(op, operands, attrs));
}

// Runs an op and gets hold of what its forward rule keeps.
function runKeeper(
  step: OpStep,
  operands: readonly Tensor[],
  keep: (slot: (slot: number) => Tensor) => void,
): Tensor {
  return observe({ opRan: ({ slot }) => keep(slot) }, () => runOp(step, operands));
}

function asLeaf(tensor: Tensor, requiresGrad: boolean): Tensor {
  return requiresGrad ? tensor.requiresGrad_() : tensor;
}

function lastReads(steps: readonly Step[], outputs: readonly number[]): number[][] {
  const result: number[][] = steps.map(() => []);
  const needed = new Set(outputs);
  for (let id = steps.length - 1; id >= 0; id--) {
    if (!needed.has(id)) {
      // Nothing after reads its result, not even the step's own successors.
      needed.add(id);
      result[id].push(id);
    }
    for (const operand of operandsOf(steps[id])) {
      if (needed.has(operand)) continue;
      needed.add(operand);
      result[id].push(operand);
    }
  }
  return result;
}
