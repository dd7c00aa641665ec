// Changes in place: the only ones there are. Allowed on tensors that no graph computes, under noGrad where they are
// leaves; each raises the storage's version, so that a graph which saved the old values says so instead of using the new.

import { kernels, type NumericArray } from '@adjoint/kernels-cpu';
import { canCast, computeDType, type DType, isHalf } from '../dtype.ts';
import {
  ArgumentError,
  DTypeError,
  formatShape,
  GradientError,
  requireFunction,
  ShapeError,
} from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { broadcastsTo } from '../shape.ts';
import { gradMode, noGrad } from '../tape/mode.ts';
import { tracing } from '../tape/tracing.ts';
import { fromArray, requireTensor, type Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { type ClampOptions, clamp } from './bounds.ts';
import { cast } from './cast.ts';
import { expand } from './expand-sum.ts';
import { clone } from './layout.ts';
import { type Operand, scalar } from './operand.ts';

function mutate(op: string, target: Tensor, source: Operand, value: () => Tensor): Tensor {
  requireMutable(op, 'target', target);
  requireSource(op, 'source', source);
  requireFit(op, target, source);
  const result = noGrad(() => expand(cast(value(), target.dtype), target.shape));
  // `assign` reads while it writes: values that lie in the same array are copied out first.
  const values = result.storage === target.storage ? noGrad(() => clone(result)) : result;
  if (tracing.current !== null) {
    tracing.current.writes(op, target, values);
    return target;
  }
  kernels.assign(values, target);
  target.storage.version++;
  target.storage.lastMutation = op;
  return target;
}

function requireFit(op: string, target: Tensor, source: Operand): void {
  if (typeof source === 'number' || broadcastsTo(source.shape, target.shape)) return;
  throw new ShapeError(
    `a value of shape ${formatShape(source.shape)} does not fit into the tensor of shape ${formatShape(target.shape)}; a tensor changed in place keeps its shape.`,
    { op, operand: 'source', actual: source.shape, expected: formatShape(target.shape) },
  );
}

// Arithmetic whose result is of a higher category than the target (bool < integer < float) would lose what it computes.
function arithmetic(op: string, target: Tensor, source: Operand, compute: () => Tensor): Tensor {
  return mutate(op, target, source, () => {
    const result = compute();
    if (canCast(result.dtype, target.dtype)) return result;
    throw new DTypeError(
      `the result is ${result.dtype} and the tensor changed in place ${target.dtype}, which cannot hold it; compute a new tensor${orChange(source, target.dtype)}.`,
      { op, operand: 'source', actual: result.dtype, expected: target.dtype },
    );
  });
}

// What else would do, where it is the source that the target cannot hold, and not the quotient, say, of two that it can.
function orChange(source: Operand, dtype: DType): string {
  if (typeof source === 'number') return Number.isInteger(source) ? '' : ', or round the source';
  return canCast(source.dtype, dtype) ? '' : `, or convert the source with to('${dtype}')`;
}

// A tensor or a number, without a graph where one is recorded.
function requireSource(op: string, operand: string, source: Operand): void {
  if (typeof source === 'number') return;
  requireTensor(op, operand, source);
  if (!gradMode.enabled || !source.requiresGrad) return;
  throw new GradientError(
    `the ${operand} requires a gradient, which a change in place would lose; pass ${operand}.detach(), or compute a new tensor.`,
    { op, operand, expected: `a ${operand} without a graph` },
  );
}

/**
 * Checks that a tensor may be changed in place, here and now. For functions of your own that change several: check all of them first, and a
 * tensor that is refused leaves nothing half done. Changes in place look themselves.
 *
 * @param op the function, as errors name it.
 * @param operand the tensor's name in errors.
 * @throws GradientError for the result of an op, or for a leaf with gradient outside `noGrad`; ArgumentError for a tensor with expanded axes,
 *   or for what is no tensor.
 * @example
 * const swap = (a: Tensor, b: Tensor) => {
 *   for (const [name, x] of Object.entries({ a, b })) requireMutable('swap', name, x);
 *   const before = a.clone();
 *   copy_(a, b);
 *   copy_(b, before);
 * };
 * const [x, y] = [tensor([1, 2]), tensor([3, 4])];
 * swap(x, y);
 * x.toArray(); // [3, 4]
 */
export function requireMutable(op: string, operand: string, target: Tensor): void {
  requireTensor(op, operand, target);
  if (!target.isLeaf) {
    throw new GradientError(
      `the tensor of shape ${formatShape(target.shape)} is the result of '${target.node!.name}' and part of a graph; change a copy (clone(x.detach())), or compute a new tensor. A part of a leaf is changed where it is taken inside noGrad(() => …), too.`,
      { op, operand, expected: 'a leaf' },
    );
  }
  if (gradMode.enabled && target.requiresGrad) {
    throw new GradientError(
      `the leaf of shape ${formatShape(target.shape)} requires a gradient; change it inside noGrad(() => …), as optimisers do.`,
      { op, operand, expected: 'noGrad around the change' },
    );
  }
  for (let repeated = 0; repeated < target.shape.length; repeated++) {
    if (target.shape[repeated] <= 1 || target.strides[repeated] !== 0) continue;
    throw new ArgumentError(
      `axis ${repeated} of the tensor of shape ${formatShape(target.shape)} is expanded: many elements share one place; clone() it first.`,
      { op, operand, actual: target.strides, expected: 'a tensor without expanded axes' },
    );
  }
}

/**
 * Overwrites `target` with `source`, broadcast and converted. PyTorch's `Tensor.copy_`.
 *
 * @returns `target`.
 * @throws GradientError for the result of an op, for a leaf with gradient outside `noGrad`, or a source with a graph;
 *   ShapeError if the source does not broadcast to the target; ArgumentError for an expanded target. Nothing is changed then.
 * @example
 * const weight = tensor([1, 2], { requiresGrad: true });
 * noGrad(() => copy_(weight, mul(weight, 0.5)));
 * weight.toArray(); // [0.5, 1]
 */
export function copy_(target: Tensor, source: Operand): Tensor {
  return mutate('copy_', target, source, () =>
    typeof source === 'number' ? scalar(source, target.dtype) : source,
  );
}

/** Sets every element to `value`. PyTorch's `Tensor.fill_`. Errors as {@link copy_}. */
export function fill_(target: Tensor, value: number): Tensor {
  return mutate('fill_', target, value, () => scalar(value, target.dtype));
}

/** Sets every element to 0. PyTorch's `Tensor.zero_`. Errors as {@link copy_}. */
export function zero_(target: Tensor): Tensor {
  return fill_(target, 0);
}

/** Options of {@link add_} and {@link sub_}. */
export interface AlphaOptions {
  /** What the source is multiplied by first. Default 1. */
  readonly alpha?: number | undefined;
}

/**
 * Adds `alpha · source` in place. PyTorch's `Tensor.add_`. Errors as {@link copy_}, and DTypeError where the target's type
 * cannot hold the result: a float added to integers, a number to bools.
 */
export function add_(target: Tensor, source: Operand, options: AlphaOptions = noOptions): Tensor {
  requireOptions('add_', options, { alpha: 'number' });
  return arithmetic('add_', target, source, () => add(target, scaled(source, options.alpha)));
}

/** Subtracts `alpha · source` in place. PyTorch's `Tensor.sub_`. Errors as {@link add_}, and DTypeError for two bools. */
export function sub_(target: Tensor, source: Operand, options: AlphaOptions = noOptions): Tensor {
  requireOptions('sub_', options, { alpha: 'number' });
  return arithmetic('sub_', target, source, () => sub(target, scaled(source, options.alpha)));
}

function scaled(source: Operand, alpha = 1): Operand {
  if (alpha === 1) return source;
  return typeof source === 'number' ? source * alpha : mul(source, alpha);
}

/** Multiplies in place. PyTorch's `Tensor.mul_`. Errors as {@link add_}. */
export function mul_(target: Tensor, source: Operand): Tensor {
  return arithmetic('mul_', target, source, () => mul(target, source));
}

/** Divides in place. PyTorch's `Tensor.div_`. Errors as {@link add_}: the quotient of integers is no integer. */
export function div_(target: Tensor, source: Operand): Tensor {
  return arithmetic('div_', target, source, () => div(target, source));
}

/**
 * Cuts the values off at bounds in place, as `clamp` does. PyTorch's `Tensor.clamp_`.
 *
 * @throws as {@link add_}; ArgumentError without a bound.
 * @example
 * clamp_(tensor([-2, 0.5, 3]), { min: -1, max: 1 }).toArray(); // [-1, 0.5, 1]
 */
export function clamp_(target: Tensor, options: ClampOptions): Tensor {
  requireOptions('clamp_', options, { min: 'own', max: 'own' });
  requireTensor('clamp_', 'target', target);
  const { min, max } = options;
  for (const [name, bound] of Object.entries({ min, max })) {
    if (bound === undefined) continue;
    requireSource('clamp_', name, bound);
    requireFit('clamp_', target, bound);
  }
  return arithmetic('clamp_', target, 0, () => clamp(target, { min, max }));
}

/**
 * Changes the values in place by a function over them, in row-major order: for what no op says in one pass, such as the step
 * of an optimiser.
 *
 * @param op the name of whoever changes the tensor, for errors.
 * @param change receives the tensor's own values where they lie in order, else a copy that is written back, and overwrites
 *   them; 16-bit floats come as float32 and are rounded when written back.
 * @returns `target`.
 * @throws as {@link copy_}, before anything is changed.
 * @example
 * const weight = tensor([2, 4]);
 * modify_(weight, 'halve', (values) => {
 *   for (let i = 0; i < values.length; i++) values[i] /= 2;
 * });
 * weight.toArray(); // [1, 2]
 */
export function modify_(target: Tensor, op: string, change: (values: NumericArray) => void): Tensor {
  tracing.current?.refuses(
    op,
    'changes values by a function over an array; change them by ops, such as copy_',
  );
  requireMutable(op, 'target', target);
  requireFunction(op, 'change', change, '(values) => { … }');
  target.storage.version++;
  target.storage.lastMutation = op;
  if (target.isContiguous && !isHalf(target.dtype)) {
    const { data, offset, size } = target;
    change(offset === 0 && data.length === size ? data : data.subarray(offset, offset + size));
    return target;
  }
  const values = target.toTypedArray();
  change(values);
  const changed = fromArray(values, target.shape, computeDType(target.dtype));
  kernels.assign(
    noGrad(() => cast(changed, target.dtype)),
    target,
  );
  return target;
}
