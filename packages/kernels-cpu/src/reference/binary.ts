// The element-wise kernels of two operands, and of three. Whole numbers wrap around on overflow, as int32 does in C.

import { IntegerDivisionError } from '../errors.ts';
import type { BinaryKernel, BinaryName, TernaryKernel } from '../kernels.ts';
import { binary, eachPair, ternary } from './elementwise.ts';
import * as special from './special.ts';

export const binaryKernels: { readonly [K in BinaryName]: BinaryKernel } = {
  // A double holds any sum or difference of two int32 exactly, and storing it wraps.
  add: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = a[i] + b[j];
  }),
  sub: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = a[i] - b[j];
  }),
  mul: binary(
    (n, a, i, di, b, j, dj, out, k) => {
      for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = a[i] * b[j];
    },
    (n, a, i, di, b, j, dj, out, k) => {
      for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = Math.imul(a[i], b[j]);
    },
  ),
  div: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = a[i] / b[j];
  }),
  pow: binary(eachPair(special.pow), eachPair(integerPow)),
  remainder: binary(
    eachPair(special.remainder),
    eachPair((a, b) => {
      if (b === 0) throw new IntegerDivisionError('remainder');
      return special.remainder(a, b);
    }),
  ),
  floorDivide: binary(
    eachPair(special.floorDivide),
    eachPair((a, b) => {
      if (b === 0) throw new IntegerDivisionError('floorDivide');
      return Math.floor(a / b);
    }),
  ),
  // Math.max and Math.min pass NaN on.
  maximum: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = Math.max(a[i], b[j]);
  }),
  minimum: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = Math.min(a[i], b[j]);
  }),
  atan2: binary(eachPair(Math.atan2)),
  hypot: binary(eachPair(special.hypot)),
  reluGrad: binary((n, g, i, di, y, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = y[j] <= 0 ? 0 : g[i];
  }),

  // -(t·log σ(x) + (1 - t)·log σ(-x)), arranged so that nothing overflows and nothing of a small result is lost.
  logisticLoss: binary((n, x, i, di, t, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) {
      out[k] = Math.max(x[i], 0) - x[i] * t[j] + Math.log1p(Math.exp(-Math.abs(x[i])));
    }
  }),
  binaryCrossEntropy: binary((n, p, i, di, t, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) {
      const yes = Math.max(Math.log(p[i]), -100);
      const no = Math.max(Math.log1p(-p[i]), -100);
      out[k] = (t[j] - 1) * no - t[j] * yes;
    }
  }),

  equal: binary(eachPair((a, b) => (a === b ? 1 : 0))),
  notEqual: binary(eachPair((a, b) => (a !== b ? 1 : 0))),
  less: binary(eachPair((a, b) => (a < b ? 1 : 0))),
  lessEqual: binary(eachPair((a, b) => (a <= b ? 1 : 0))),
  greater: binary((n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = a[i] > b[j] ? 1 : 0;
  }),
  greaterEqual: binary(eachPair((a, b) => (a >= b ? 1 : 0))),
  logicalAnd: binary(eachPair((a, b) => (a !== 0 && b !== 0 ? 1 : 0))),
  logicalOr: binary(eachPair((a, b) => (a !== 0 || b !== 0 ? 1 : 0))),
  logicalXor: binary(eachPair((a, b) => ((a !== 0) !== (b !== 0) ? 1 : 0))),
};

export const ternaryKernels: { readonly where: TernaryKernel; readonly lerp: TernaryKernel } = {
  where: ternary((condition, a, b) => (condition !== 0 ? a : b)),
  // From the nearer end, so that weights 0 and 1 give the ends themselves.
  lerp: ternary((a, b, weight) =>
    weight < 0.5 && weight > -0.5 ? a + weight * (b - a) : b - (b - a) * (1 - weight),
  ),
};

/** Power of whole numbers modulo 2^32. A negative power is the truncated reciprocal: 0 unless the base is 1 or −1 (as PyTorch). */
function integerPow(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 ? 1 : base === -1 ? (exponent % 2 === 0 ? 1 : -1) : 0;
  let power = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}
