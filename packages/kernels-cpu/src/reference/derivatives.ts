// Derivatives of functions of one number, times a cotangent: what backward takes of an activation in one pass.

import type { DerivativeKernel, DerivativeName } from '../kernels.ts';
import * as special from './special.ts';
import { Rows } from './strided.ts';

/** A kernel from a function of the cotangent, of what the function was given or gave, and of its parameters. */
function derivative(
  f: (g: number, a: number, p: number, q: number) => number,
  p = 0,
  q = 0,
): DerivativeKernel {
  return (g, a, out, shape, givenP = p, givenQ = q) => {
    if (out.length === 0) return;
    const rows = new Rows(shape, [g, a]);
    const cotangents = g.data;
    const values = a.data;
    const di = rows.step(0);
    const dj = rows.step(1);
    let k = 0;
    do {
      let i = rows.at(0);
      let j = rows.at(1);
      for (const end = k + rows.length; k < end; k++, i += di, j += dj)
        out[k] = f(cotangents[i], values[j], givenP, givenQ);
    } while (rows.next());
  };
}

export const derivativeKernels: { readonly [K in DerivativeName]: DerivativeKernel } = {
  leakyReluGrad: derivative((g, x, slope) => (x > 0 ? g : g * slope), 0.01),
  eluGrad: derivative((g, x, alpha, scale) => (x <= 0 ? g * (Math.exp(x) * alpha) : g) * scale, 1, 1),
  celuGrad: derivative((g, x, alpha) => (x <= 0 ? g * Math.exp(x / alpha) : g), 1),
  clampGrad: derivative((g, x, lower, upper) => (x >= lower && x <= upper ? g : 0), -Infinity, Infinity),
  hardtanhGrad: derivative((g, x, lower, upper) => (x <= lower || x >= upper ? 0 : g), -1, 1),
  hardsigmoidGrad: derivative((g, x) => (x > -3 && x < 3 ? g / 6 : 0)),
  hardswishGrad: derivative((g, x) => (x < -3 ? 0 : x <= 3 ? g * (x / 3 + 0.5) : g)),
  sigmoidGrad: derivative((g, y) => g * (y * (1 - y))),
  tanhGrad: derivative((g, y) => g * (1 - y * y)),
  logSigmoidGrad: derivative((g, x) => g * special.sigmoid(-x)),
  softplusGrad: derivative(
    (g, x, beta, threshold) => (x * beta > threshold ? g : g * special.sigmoid(x * beta)),
    1,
    20,
  ),
  siluGrad: derivative((g, x) => {
    const s = special.sigmoid(x);
    return g * (s * (x * (1 - s) + 1));
  }),
  mishGrad: derivative((g, x) => {
    const t = Math.tanh(special.softplus(x, 1, 20));
    return g * (t + x * special.sigmoid(x) * (1 - t * t));
  }),
  geluGrad: derivative((g, x) => {
    const density = Math.exp(-0.5 * (x * x)) * (1 / Math.sqrt(2 * Math.PI));
    return g * (0.5 * special.erfc(-x * Math.SQRT1_2) + x * density);
  }),
  geluTanhGrad: derivative((g, x) => {
    // Beyond 100 it is 1 or 0, and squares would overflow before long; of an infinite x it is NaN, as by the formula.
    const near = Math.min(Math.max(x, -100), 100);
    const scale = 2 * Math.sqrt(2 / Math.PI);
    const u = near * (near * near * 0.044715 + 1) * scale;
    const slope = (near * near * (3 * 0.044715) + 1) * scale;
    return g * (special.sigmoid(u) * (near * special.sigmoid(-u) * slope + 1) + (x - x));
  }),
};
