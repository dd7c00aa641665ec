// Programs made at random, for laws of the graph that hold for all of them.

import {
  add,
  add_,
  cast,
  cat,
  clone,
  copy_,
  dropout,
  expand,
  matmul,
  mul,
  noGrad,
  rand,
  relu,
  reshape,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
  zerosLike,
} from '@adjoint/core';
import fc from 'fast-check';

/** Every value of a program has this shape. */
export const shape = [2, 3] as const;

/** A tensor that programs take from outside. */
export const mask = tensor([[true, false, true]]);

// Each makes a tensor of that shape of two of them, in a way that the graph must repeat: views, broadcasts, constants,
// other dtypes and back, pieces without gradient, random draws.
const moves: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  (a, b) => add(a, b),
  (a, b) => mul(a, b),
  (a, b) => matmul(matmul(a, transpose(b)), sub(b, 0.5)),
  (a) => relu(a),
  (a) => tanh(mul(a, 1.5)),
  (a, b) => mul(softmax(a, { axis: 0 }), sum(b, { axes: 1, keepdim: true })),
  (a) => reshape(transpose(a), shape),
  (a) => reshape(mul(reshape(a, [6]), 2), shape),
  (a, b) => cat([slice(a, [{ stop: 1 }]), slice(b, [{ start: 1 }])], { axis: 0 }),
  (a, b) => where(mask, a, b),
  (a) => noGrad(() => square(a)),
  (a, b) => add(a, b.detach()),
  (a) => expand(sum(a, { axes: 0, keepdim: true }), shape),
  (a) => cast(cast(a, 'float16'), a.dtype),
  (a, b) => add(a, zerosLike(b)),
  (a) => mul(a, rand([2, 1], { dtype: 'float64' })),
  (a) => dropout(a),
];

const movesInPlace: typeof moves = [
  (a, b) => {
    const buffer = noGrad(() => clone(a));
    copy_(buffer, tensor([1, 2, 3]));
    noGrad(() => add_(buffer, b.detach()));
    return mul(buffer, b);
  },
];

/** A program: which move is made of which values, by number. */
export type Program = readonly { readonly move: number; readonly a: number; readonly b: number }[];

const allMoves = [...moves, ...movesInPlace];

const programsOf = (count: number): fc.Arbitrary<Program> =>
  fc.array(fc.record({ move: fc.nat(count - 1), a: fc.nat(), b: fc.nat() }), { minLength: 1, maxLength: 12 });

/** Programs of one to twelve moves. */
export const programs = programsOf(allMoves.length);

/** Programs that change nothing in place. */
export const purePrograms = programsOf(moves.length);

/** Values that programs are run on. */
export const values: fc.Arbitrary<number[][]> = fc.array(
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
  { minLength: 2, maxLength: 2 },
);

/** Runs a program, and gives every value that it made. */
export function runProgram(program: Program, given: readonly Tensor[]): Tensor[] {
  const pool = given.slice();
  for (const { move, a, b } of program)
    pool.push(allMoves[move](pool[a % pool.length], pool[b % pool.length]));
  return pool.slice(given.length);
}
