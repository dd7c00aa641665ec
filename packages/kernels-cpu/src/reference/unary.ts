// The element-wise kernels of one operand. Those that training runs all the time have a loop of their own, which V8
// compiles for that op alone; the others share one loop and pay for a call per element.

import type { UnaryKernel, UnaryName } from '../kernels.ts';
import { each, unary } from './elementwise.ts';
import * as special from './special.ts';

export const unaryKernels: { readonly [K in UnaryName]: UnaryKernel } = {
  neg: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = -a[i];
  }),
  abs: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.abs(a[i]);
  }),
  sign: unary(each(special.sign)),
  square: unary((n, a, i, di, out, k) => {
    if (a instanceof Int32Array)
      for (const end = k + n; k < end; k++, i += di) out[k] = Math.imul(a[i], a[i]);
    else for (const end = k + n; k < end; k++, i += di) out[k] = a[i] * a[i];
  }),
  cube: unary(each((a) => a * a * a)),
  sqrt: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.sqrt(a[i]);
  }),
  rsqrt: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = 1 / Math.sqrt(a[i]);
  }),
  reciprocal: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = 1 / a[i];
  }),
  floor: unary(each(Math.floor)),
  ceil: unary(each(Math.ceil)),
  round: unary(each(special.roundHalfEven)),
  trunc: unary(each(Math.trunc)),

  exp: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.exp(a[i]);
  }),
  exp2: unary(each((a) => 2 ** a)),
  expm1: unary(each(Math.expm1)),
  log: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.log(a[i]);
  }),
  log2: unary(each(Math.log2)),
  log10: unary(each(Math.log10)),
  log1p: unary(each(Math.log1p)),

  sin: unary(each(Math.sin)),
  cos: unary(each(Math.cos)),
  tan: unary(each(Math.tan)),
  asin: unary(each(Math.asin)),
  acos: unary(each(Math.acos)),
  atan: unary(each(Math.atan)),
  sinh: unary(each(Math.sinh)),
  cosh: unary(each(Math.cosh)),
  tanh: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.tanh(a[i]);
  }),
  asinh: unary(each(Math.asinh)),
  acosh: unary(each(Math.acosh)),
  atanh: unary(each(Math.atanh)),

  erf: unary(each(special.erf)),
  erfc: unary(each(special.erfc)),
  sigmoid: unary(each(special.sigmoid)),
  logSigmoid: unary(each(special.logSigmoid)),

  // Math.max passes NaN on.
  relu: unary((n, a, i, di, out, k) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = Math.max(a[i], 0);
  }),
  leakyRelu: unary((n, a, i, di, out, k, slope) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = a[i] > 0 ? a[i] : a[i] * slope;
  }, 0.01),
  elu: unary(
    each((a, alpha, scale) => (a > 0 ? scale * a : scale * alpha * Math.expm1(a))),
    1,
    1,
  ),
  celu: unary(
    each((a, alpha) => (a > 0 ? a : alpha * Math.expm1(a / alpha))),
    1,
  ),
  softplus: unary(each(special.softplus), 1, 20),
  silu: unary(each(special.silu)),
  mish: unary(each(special.mish)),
  gelu: unary(each(special.gelu)),
  geluTanh: unary(each(special.geluTanh)),
  hardsigmoid: unary(each((a) => Math.min(Math.max(a + 3, 0), 6) / 6)),
  hardswish: unary(each((a) => (a * Math.min(Math.max(a + 3, 0), 6)) / 6)),
  clamp: unary(
    each((a, lower, upper) => Math.min(Math.max(a, lower), upper)),
    -Infinity,
    Infinity,
  ),

  logicalNot: unary(each((a) => (a === 0 ? 1 : 0))),
  isNaN: unary(each((a) => (Number.isNaN(a) ? 1 : 0))),
  isInf: unary(each((a) => (a === Infinity || a === -Infinity ? 1 : 0))),
  isFinite: unary(each((a) => (Number.isFinite(a) ? 1 : 0))),
};
