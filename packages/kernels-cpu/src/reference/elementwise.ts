// Element-wise kernels: one loop per op over flat runs, and the three drivers that find the runs of any operands.

import type { BinaryKernel, NumericArray, TernaryKernel, UnaryKernel } from '../kernels.ts';
import { flatStep, Rows } from './strided.ts';

/** `out[k + t] = f(a[i + t * di])` for `t < n`. */
export type UnaryLoop = (
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  out: NumericArray,
  k: number,
  p: number,
  q: number,
) => void;

/** `out[k + t] = f(a[i + t * di], b[j + t * dj])` for `t < n`. */
export type BinaryLoop = (
  n: number,
  a: NumericArray,
  i: number,
  di: number,
  b: NumericArray,
  j: number,
  dj: number,
  out: NumericArray,
  k: number,
) => void;

/** A kernel from a loop; `p` and `q` are the parameters' defaults. */
export function unary(loop: UnaryLoop, p = 0, q = 0): UnaryKernel {
  return (a, out, givenP = p, givenQ = q) => {
    const n = out.length;
    if (n === 0) return;
    const step = flatStep(a, a.shape);
    if (step >= 0) {
      loop(n, a.data, a.offset, step, out, 0, givenP, givenQ);
      return;
    }
    const rows = new Rows(a.shape, [a]);
    let k = 0;
    do {
      loop(rows.length, a.data, rows.at(0), rows.step(0), out, k, givenP, givenQ);
      k += rows.length;
    } while (rows.next());
  };
}

/** A kernel from a loop, and from another loop for outputs of whole numbers where those need their own arithmetic. */
export function binary(loop: BinaryLoop, integerLoop: BinaryLoop = loop): BinaryKernel {
  return (a, b, out, shape) => {
    const n = out.length;
    if (n === 0) return;
    const chosen = integerLoop === loop || isFloat(out) ? loop : integerLoop;
    const stepA = flatStep(a, shape);
    const stepB = flatStep(b, shape);
    if (stepA >= 0 && stepB >= 0) {
      chosen(n, a.data, a.offset, stepA, b.data, b.offset, stepB, out, 0);
      return;
    }
    const rows = new Rows(shape, [a, b]);
    let k = 0;
    do {
      chosen(rows.length, a.data, rows.at(0), rows.step(0), b.data, rows.at(1), rows.step(1), out, k);
      k += rows.length;
    } while (rows.next());
  };
}

/** A kernel from a function of three numbers. */
export function ternary(f: (a: number, b: number, c: number) => number): TernaryKernel {
  return (a, b, c, out, shape) => {
    if (out.length === 0) return;
    const rows = new Rows(shape, [a, b, c]);
    let k = 0;
    do {
      ternaryRow(f, rows, a.data, b.data, c.data, out, k);
      k += rows.length;
    } while (rows.next());
  };
}

function ternaryRow(
  f: (a: number, b: number, c: number) => number,
  rows: Rows,
  a: NumericArray,
  b: NumericArray,
  c: NumericArray,
  out: NumericArray,
  k: number,
): void {
  let i = rows.at(0);
  let j = rows.at(1);
  let l = rows.at(2);
  const di = rows.step(0);
  const dj = rows.step(1);
  const dl = rows.step(2);
  for (const end = k + rows.length; k < end; k++, i += di, j += dj, l += dl) out[k] = f(a[i], b[j], c[l]);
}

/** The loop of a function of one number. The call keeps V8 from fusing it with the loop: for ops that are dear anyway. */
export function each(f: (a: number, p: number, q: number) => number): UnaryLoop {
  return (n, a, i, di, out, k, p, q) => {
    for (const end = k + n; k < end; k++, i += di) out[k] = f(a[i], p, q);
  };
}

/** The loop of a function of two numbers; see {@link each}. */
export function eachPair(f: (a: number, b: number) => number): BinaryLoop {
  return (n, a, i, di, b, j, dj, out, k) => {
    for (const end = k + n; k < end; k++, i += di, j += dj) out[k] = f(a[i], b[j]);
  };
}

function isFloat(array: NumericArray): boolean {
  return array instanceof Float32Array || array instanceof Float64Array;
}
