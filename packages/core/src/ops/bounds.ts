// Cutting values off at bounds: clamp, whose bounds pass the gradient, and hardtanh, whose bounds do not.

import { kernels } from '@adjoint/kernels-cpu';
import { isFloat, toFloatDType } from '../dtype.ts';
import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { OperandSpec, ResultSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { gt, isnan, lt } from './compare.ts';
import { derivativeOp } from './derivative.ts';
import { inferSame } from './infer.ts';
import type { Operand } from './operand.ts';
import { where } from './select.ts';

/** Bounds that are numbers; infinite where there is none. */
interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

function inferBounded(op: string): (operands: readonly OperandSpec[], bounds: Bounds) => ResultSpec {
  return ([x], { lower, upper }) => {
    const { shape, dtype } = inferSame(op)([x]);
    const whole = (bound: number): boolean => Number.isInteger(bound) || Math.abs(bound) === Infinity;
    const result = isFloat(dtype) || (whole(lower) && whole(upper)) ? dtype : toFloatDType(dtype);
    return { shape, dtype: result, compute: result };
  };
}

/** `min(max(x, lower), upper)`; the gradient passes from `lower` to `upper`, both included, and NaN gets none. */
export const clampOp = defineOp<readonly ['x'], Bounds>({
  name: 'clamp',
  operands: ['x'],
  infer: inferBounded('clamp'),
  forward: ([x], out, { lower, upper }) => kernels.clamp(x, out, lower, upper),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(clampGradOp, [g, x.detach()], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The gradient of clamp: `g` where `x` is from `lower` to `upper`, both included, 0 elsewhere. Its derivative in `x` is 0. */
export const clampGradOp = derivativeOp<Bounds>({
  name: 'clampGrad',
  of: 'x',
  run: (g, x, out, { lower, upper }, shape) => kernels.clampGrad(g, x, out, shape, lower, upper),
});

/** `min(max(x, lower), upper)`; the gradient passes between `lower` and `upper`, both excluded, and NaN gets all of it. */
export const hardtanhOp = defineOp<readonly ['x'], Bounds>({
  name: 'hardtanh',
  operands: ['x'],
  infer: inferBounded('hardtanh'),
  forward: ([x], out, { lower, upper }) => kernels.clamp(x, out, lower, upper),
  layout: 'strided',
  vjps: [vjpRule('x', (g, x, { attrs }) => apply(hardtanhGradOp, [g, x.detach()], attrs))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** The gradient of hardtanh: 0 where `x` is `lower` or below, `upper` or above, and `g` elsewhere. Its derivative in `x` is 0. */
export const hardtanhGradOp = derivativeOp<Bounds>({
  name: 'hardtanhGrad',
  of: 'x',
  run: (g, x, out, { lower, upper }, shape) => kernels.hardtanhGrad(g, x, out, shape, lower, upper),
});

/** Options of {@link clamp}; at least one is given. */
export interface ClampOptions {
  /** Lower bound, a number or a tensor that broadcasts to the operand. Default: none. */
  readonly min?: Operand | undefined;
  /** Upper bound, a number or a tensor that broadcasts to the operand. Default: none. */
  readonly max?: Operand | undefined;
}

/**
 * Cuts each element off at bounds; where `min` is above `max`, the result is `max`. The gradient passes within the bounds and
 * on them; beyond, it goes to the bound if that is a tensor. Integers become float32 if a bound is broken. PyTorch's
 * `torch.clamp`.
 *
 * @throws ArgumentError without any bound; DTypeError for bool; ShapeError if a bound does not broadcast.
 * @example
 * clamp(tensor([-2, 0.5, 3]), { min: -1, max: 1 }).toArray(); // [-1, 0.5, 1]
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  requireOptions('clamp', options, { min: 'own', max: 'own' });
  const { min, max } = options;
  if (min === undefined && max === undefined) {
    throw new ArgumentError('there is neither min nor max; give one at least.', {
      op: 'clamp',
      operand: 'min',
      expected: '{ min } or { max } or both',
    });
  }
  if (typeof min === 'object' || typeof max === 'object') return clampByTensors(x, min, max);
  return apply(clampOp, [x], { lower: min ?? -Infinity, upper: max ?? Infinity });
}

// Where x or a bound is NaN the result is, and nothing gets a gradient.
function clampByTensors(x: Tensor, min: Operand | undefined, max: Operand | undefined): Tensor {
  let result = where(isnan(x), Number.NaN, x);
  if (min !== undefined) result = where(lt(result, min), min, result);
  if (max !== undefined) result = where(gt(result, max), max, result);
  for (const bound of [min, max]) {
    if (typeof bound === 'object') result = where(isnan(bound), Number.NaN, result);
  }
  return result;
}

/** Options of {@link hardtanh}. */
export interface HardtanhOptions {
  /** Lower bound. Default -1. */
  readonly minVal?: number | undefined;
  /** Upper bound. Default 1. */
  readonly maxVal?: number | undefined;
}

/**
 * Cuts each element off at two bounds, on which the derivative is 0 (unlike {@link clamp}). PyTorch's `F.hardtanh`.
 *
 * @throws ArgumentError if `minVal` is above `maxVal`; DTypeError for bool.
 * @example
 * hardtanh(tensor([-2, 0.5, 3])).toArray(); // [-1, 0.5, 1]
 */
export function hardtanh(x: Tensor, options: HardtanhOptions = noOptions): Tensor {
  requireOptions('hardtanh', options, { minVal: 'number', maxVal: 'number' });
  const { minVal = -1, maxVal = 1 } = options;
  if (minVal > maxVal) {
    throw new ArgumentError(
      `minVal is ${minVal} and maxVal ${maxVal}; the first must not be above the second.`,
      {
        op: 'hardtanh',
        operand: 'minVal',
        actual: minVal,
        expected: `at most ${maxVal}`,
      },
    );
  }
  return apply(hardtanhOp, [x], { lower: minVal, upper: maxVal });
}
