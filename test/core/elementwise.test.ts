// Element-wise ops: derivatives against differences, any layout, all dtypes, and what PyTorch does at corners.
//
// Values and derivatives over the domains are compared with PyTorch in test/parity; here stand laws and refusals.

import * as core from '@adjoint/core';
import {
  ArgumentError,
  add,
  clamp,
  contiguous,
  type DType,
  DTypeError,
  grad,
  hardtanh,
  IntegerDivisionError,
  mul,
  pow,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  where,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck, assertJvpcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutArbitrary, layoutOf } from './layouts.ts';

type Unary = (x: Tensor) => Tensor;

/** Each function with an interval of its domain on which it is smooth. */
const smooth: Readonly<Record<string, readonly [Unary, number, number]>> = {
  exp: [core.exp, -2, 2],
  exp2: [core.exp2, -2, 2],
  expm1: [core.expm1, -2, 2],
  log: [core.log, 0.25, 4],
  log2: [core.log2, 0.25, 4],
  log10: [core.log10, 0.25, 4],
  log1p: [core.log1p, -0.5, 4],
  sqrt: [core.sqrt, 0.25, 4],
  rsqrt: [core.rsqrt, 0.25, 4],
  reciprocal: [core.reciprocal, 0.25, 4],
  square: [core.square, -2, 2],
  abs: [core.abs, 0.1, 2],
  sin: [core.sin, -3, 3],
  cos: [core.cos, -3, 3],
  tan: [core.tan, -1.2, 1.2],
  asin: [core.asin, -0.8, 0.8],
  acos: [core.acos, -0.8, 0.8],
  atan: [core.atan, -3, 3],
  sinh: [core.sinh, -2, 2],
  cosh: [core.cosh, -2, 2],
  tanh: [core.tanh, -2, 2],
  asinh: [core.asinh, -3, 3],
  acosh: [core.acosh, 1.3, 4],
  atanh: [core.atanh, -0.8, 0.8],
  erf: [core.erf, -2, 2],
  erfc: [core.erfc, -2, 2],
  sigmoid: [core.sigmoid, -4, 4],
  logSigmoid: [core.logSigmoid, -4, 4],
  softplus: [core.softplus, -4, 4],
  softplusSharp: [(x) => core.softplus(x, { beta: 3, threshold: 6 }), -1.5, 1.5],
  silu: [core.silu, -4, 4],
  mish: [core.mish, -4, 4],
  gelu: [core.gelu, -4, 4],
  geluTanh: [(x) => core.gelu(x, { approximate: 'tanh' }), -4, 4],
  softsign: [core.softsign, 0.1, 3],
  relu: [core.relu, 0.1, 2],
  leakyRelu: [(x) => core.leakyRelu(x, { negativeSlope: 0.3 }), -2, -0.1],
  elu: [(x) => core.elu(x, { alpha: 1.5 }), -3, -0.1],
  celu: [(x) => core.celu(x, { alpha: 1.5 }), -3, -0.1],
  selu: [core.selu, -3, -0.1],
  hardtanh: [core.hardtanh, -0.9, 0.9],
  hardswish: [core.hardswish, -2.9, 2.9],
  hardsigmoid: [core.hardsigmoid, -2.9, 2.9],
  powWhole: [(x) => pow(x, 3), -2, 2],
  powBroken: [(x) => pow(x, -1.5), 0.25, 2],
};

const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const values = (x: Tensor): number[] => [...x.toTypedArray()];

describe.each(Object.entries(smooth))('%s', (_, [op, low, high]) => {
  test('first and second derivatives agree with differences', () => {
    const x = float64(Array.from({ length: 7 }, (_, i) => low + ((high - low) * (i + 0.37)) / 7));
    assertGradcheck(op, [x]);
    assertJvpcheck(op, [x]);
    assertGradgradcheck(op, [x]);
  });

  test('gives on any layout what it gives on a contiguous copy', () => {
    fc.assert(
      fc.property(layoutArbitrary(fc.double({ min: low, max: high, noNaN: true })), (x) => {
        const y = op(x);
        expect(y.shape).toEqual(x.shape);
        expect(values(y)).toEqual(values(op(core.clone(x))));
      }),
      { numRuns: 40 },
    );
  });
});

describe('dtypes', () => {
  const floatFunctions = [
    core.exp,
    core.sigmoid,
    core.tanh,
    core.sqrt,
    core.erf,
    core.gelu,
    core.log1p,
    core.atan,
  ];
  const halves: DType[] = ['float16', 'bfloat16'];

  test('functions with broken values give float32 of integers and bool, and keep floats', () => {
    for (const op of floatFunctions) {
      for (const dtype of ['int32', 'uint8', 'bool'] as const)
        expect(op(core.ones([2], { dtype })).dtype).toBe('float32');
      for (const dtype of ['float32', 'float64', ...halves] as const)
        expect(op(core.ones([2], { dtype })).dtype).toBe(dtype);
    }
  });

  test('16-bit floats are computed in float32 and rounded once', () => {
    for (const dtype of halves) {
      const x = core.cast(float64([-3, -0.7, 0.1, 0.5, 2, 5]), dtype);
      for (const op of [...floatFunctions, core.relu, core.abs, core.square, core.softplus]) {
        expect(values(op(x))).toEqual(values(core.cast(op(core.cast(x, 'float32')), dtype)));
      }
    }
  });

  test('functions with whole values keep integers', () => {
    const x = tensor([-3, 0, 5], { dtype: 'int32' });
    for (const op of [core.abs, core.sign, core.square, core.floor, core.round, core.relu])
      expect(op(x).dtype).toBe('int32');
    expect(values(core.abs(x))).toEqual([3, 0, 5]);
    expect(values(pow(x, 2))).toEqual([9, 0, 25]);
    expect(pow(x, 0.5).dtype).toBe('float32');
    expect(values(clamp(x, { min: -1, max: 2 }))).toEqual([-1, 0, 2]);
    expect(clamp(x, { max: 2.5 }).dtype).toBe('float32');
    expect(values(clamp(x, { max: 2.5 }))).toEqual([-3, 0, 2.5]);
  });

  test('sum and product of bools are or and and; their difference is refused', () => {
    const [a, b] = [tensor([true, true, false, false]), tensor([true, false, true, false])];
    expect([add(a, b).dtype, values(add(a, b))]).toEqual(['bool', [1, 1, 1, 0]]);
    expect([mul(a, b).dtype, values(mul(a, b))]).toEqual(['bool', [1, 0, 0, 0]]);
    expect(() => core.sub(a, b)).toThrow(DTypeError);
    expect(() => core.neg(a)).toThrow(DTypeError);
  });

  test('whole division and remainder belong together, for integers of either sign', () => {
    const whole = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(
        whole,
        whole.filter((b) => b !== 0),
        (p, q) => {
          const [a, b] = [tensor([p], { dtype: 'int32' }), tensor([q], { dtype: 'int32' })];
          const [quotient, rest] = [core.floorDivide(a, b), core.remainder(a, b)];
          expect([quotient.dtype, rest.dtype]).toEqual(['int32', 'int32']);
          expect(values(add(mul(quotient, b), rest))).toEqual([p]);
          expect(quotient.item()).toBe(Math.floor(p / q) + 0);
        },
      ),
    );
    expect(() => core.remainder(tensor([1], { dtype: 'int32' }), 0)).toThrow(IntegerDivisionError);
  });
});

describe('two operands', () => {
  const pairs: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
    pow: (a, b) => pow(a, b),
    atan2: core.atan2,
    hypot: core.hypot,
    remainder: core.remainder,
    maximum: core.maximum,
    minimum: core.minimum,
    where: (a, b) => where(core.gt(a, b), a, b),
    lerp: (a, b) => core.lerp(a, b, 0.3),
  };

  test.each(Object.entries(pairs))('%s: derivatives of both orders, broadcast both ways', (_, op) => {
    const a = float64([[1.3], [0.6]]);
    const b = float64([0.7, 2.1, 1.55]);
    assertGradcheck(op, [a, b]);
    assertJvpcheck(op, [a, b]);
    assertGradgradcheck(op, [a, b]);
  });

  test.each(Object.entries(pairs))('%s: any layout, broadcast', (_, op) => {
    const numbers = fc.integer({ min: 1, max: 40 }).map((n) => n / 8);
    const operands = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }).chain((shape) =>
      fc.tuple(
        layoutOf(shape, numbers),
        layoutOf(
          shape.map((size, i) => (i % 2 ? size : 1)),
          numbers,
        ),
      ),
    );
    fc.assert(
      fc.property(operands, ([a, b]) => {
        const spread = core.clone(core.expand(b, a.shape));
        expect(values(op(a, b))).toEqual(values(op(core.clone(a), spread)));
        expect(values(op(b, a))).toEqual(values(op(spread, core.clone(a))));
      }),
      { numRuns: 40 },
    );
  });

  test('lerp and its derivative in the weight, at a tensor of weights', () => {
    const [start, end, weight] = [float64([1, -2]), float64([[3], [0.5]]), float64([0.25, 1.5])];
    assertGradcheck(core.lerp, [start, end, weight]);
    assertJvpcheck(core.lerp, [start, end, weight]);
    assertGradgradcheck(core.lerp, [start, end, weight]);
    expect(values(core.lerp(start, float64([5, 5]), 1))).toEqual([5, 5]);
  });
});

describe('corners', () => {
  /** The derivatives of orders 1, 2, … at a point, each of the one before. */
  function derivatives(op: Unary, at: number, orders: number): number[] {
    const x = float64([at]).requiresGrad_();
    const found: number[] = [];
    let y = sum(op(x));
    for (let order = 1; order <= orders; order++) {
      if (y.node === null) return [...found, ...new Array<number>(orders - found.length).fill(0)];
      y = sum(grad(y, x, { createGraph: true, unused: 'zeros' }));
      found.push(y.item());
    }
    return found;
  }

  test('whole powers are polynomials to any order, at 0 too', () => {
    expect(derivatives((x) => pow(x, 3), 0, 5)).toEqual([0, 0, 6, 0, 0]);
    expect(derivatives((x) => pow(x, 4), -1, 5)).toEqual([-4, 12, -24, 24, 0]);
    expect(derivatives((x) => pow(x, 1), 0, 3)).toEqual([1, 0, 0]);
    expect(derivatives((x) => pow(x, 0), 0, 2)).toEqual([0, 0]);
    expect(derivatives((x) => pow(x, float64([2])), 0, 3)).toEqual([0, 2, 0]);
  });

  test('the mixed derivative of a^b at b = 0 is 1/a', () => {
    const [a, b] = [float64([2]).requiresGrad_(), float64([0]).requiresGrad_()];
    const inA = grad(sum(pow(a, b)), a, { createGraph: true });
    expect(inA.item()).toBe(0);
    expect(grad(sum(inA), b).item()).toBe(0.5);
  });

  test('pow(0, 0) is 1 and has no slope; so has pow(NaN, 0)', () => {
    const a = float64([0, Number.NaN]).requiresGrad_();
    const b = float64([0, 0]).requiresGrad_();
    const y = pow(a, b);
    expect(values(y)).toEqual([1, 1]);
    expect(values(grad(sum(y), a, { retainGraph: true }))).toEqual([0, 0]);
    expect(values(grad(sum(y), b))[0]).toBe(0);
  });

  test('a branch that is not taken passes no NaN, at second order either', () => {
    for (const op of [core.elu, core.selu, core.celu, core.softplus, core.logSigmoid, core.mish, core.gelu]) {
      expect(derivatives(op, 800, 2)).toEqual([
        op === core.selu ? 1.0507009873554805 : op === core.logSigmoid ? 0 : 1,
        0,
      ]);
    }
  });

  test('sigmoid, softplus and logSigmoid keep their relative accuracy in the tail', () => {
    const x = float64([-700]);
    const tiny = Math.exp(-700);
    for (const op of [core.sigmoid, core.softplus]) expect(op(x).item() / tiny).toBeCloseTo(1, 12);
    const far = float64([-30]).requiresGrad_();
    const [slope] = values(grad(sum(core.gelu(far)), far));
    // Φ(x) + x φ(x) with Mills' ratio: Φ(-30) = φ(30) / 30 · (1 - 1/30² + 3/30⁴ - 15/30⁶ + …).
    const density = Math.exp(-450) / Math.sqrt(2 * Math.PI);
    const mills = (1 - 1 / 900 + 3 / 810000 - 15 / 729e6 + 105 / 6561e8) / 30;
    expect(slope / (density * (mills - 30))).toBeCloseTo(1, 12);
  });

  test('clamp passes the gradient on its bounds, hardtanh does not; bounds above each other give the upper', () => {
    const x = float64([-1, -0.5, 1]).requiresGrad_();
    expect(values(grad(sum(clamp(x, { min: -1, max: 1 })), x))).toEqual([1, 1, 1]);
    expect(values(grad(sum(hardtanh(x)), x))).toEqual([0, 1, 0]);
    expect(values(clamp(x, { min: 5, max: 2 }))).toEqual([2, 2, 2]);
  });

  test('clamp between tensors: what is cut off goes to the bound, and NaN is kept', () => {
    const leaf = (data: number[]): Tensor => float64(data).requiresGrad_();
    const [x, min, max] = [
      leaf([-2, -1, 0, 2, Number.NaN, 0]),
      leaf([-1, -1, -1, 1, 0, 2]),
      leaf([1, 1, 1, 1, 1, 1]),
    ];
    const y = clamp(x, { min, max });
    expect(values(y)).toEqual([-1, -1, 0, 1, Number.NaN, 1]);
    expect(grad(sum(y), [x, min, max]).map(values)).toEqual([
      [0, 1, 1, 0, 0, 0],
      [1, 0, 0, 0, 0, 0],
      [0, 0, 0, 1, 0, 1],
    ]);
    const unbounded = clamp(x, { min: float64([Number.NaN]) });
    expect(values(unbounded).every(Number.isNaN)).toBe(true);
  });

  test('prelu: a weight per channel, and no NaN in its gradient from an infinite positive part', () => {
    const x = float64([[[-1, Infinity]], [[2, -4]]]);
    const weight = float64([0.5]).requiresGrad_();
    const y = core.prelu(x, weight);
    expect(values(y)).toEqual([-0.5, Infinity, 2, -2]);
    expect(values(grad(sum(y), weight))).toEqual([-5]);
    expect(() => core.prelu(float64([[1, 2]]), float64([1, 2, 3]))).toThrow(ShapeError);
  });

  test('step functions have a gradient, and it is 0', () => {
    for (const op of [core.sign, core.floor, core.ceil, core.round, core.trunc]) {
      expect(derivatives(op, 0.5, 1)).toEqual([0]);
      const x = float64([0.5]).requiresGrad_();
      expect(op(x).requiresGrad).toBe(true);
    }
  });
});

describe('refusals', () => {
  test('bad options are typed errors that name op and option', () => {
    const x = float64([1, 2]);
    const expected = (op: string, operand: string) => expect.objectContaining({ op, operand });
    expect(() => clamp(x, {})).toThrow(expected('clamp', 'min'));
    expect(() => hardtanh(x, { minVal: 2, maxVal: 1 })).toThrow(expected('hardtanh', 'minVal'));
    expect(() => core.softplus(x, { beta: 0 })).toThrow(expected('softplus', 'beta'));
    expect(() => core.celu(x, { alpha: 0 })).toThrow(expected('celu', 'alpha'));
    expect(() => core.gelu(x, { approximate: 'fast' as 'tanh' })).toThrow(expected('gelu', 'approximate'));
    expect(() => where(x, x, x)).toThrow(expected('where', 'condition'));
    expect(() => pow(tensor([2], { dtype: 'int32' }), -1)).toThrow(ArgumentError);
    expect(() => core.relu(tensor([true]))).toThrow(DTypeError);
  });

  test('comparisons carry no graph', () => {
    const x = float64([1, 2]).requiresGrad_();
    expect(core.gt(x, 1).requiresGrad).toBe(false);
    expect(core.isnan(x).dtype).toBe('bool');
  });
});

test('methods are the functions', () => {
  const x = float64([
    [1, -2],
    [0.5, 3],
  ]);
  expect(values(x.exp())).toEqual(values(core.exp(x)));
  expect(values(x.clamp({ min: 0 }))).toEqual([1, 0, 0.5, 3]);
  expect(values(x.where(core.gt(x, 0), -1))).toEqual([1, -1, 0.5, 3]);
  expect(contiguous(x.leakyRelu()).shape).toEqual([2, 2]);
});
