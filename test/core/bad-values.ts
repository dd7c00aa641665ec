// What may stand in the place of any argument, and the law that holds for every call with it: a result, or a typed error that names
// an op; never a TypeError or RangeError of the language's own, and never a long wait.

import {
  AdjointError,
  AnomalyError,
  GeometryError,
  IntegerDivisionError,
  OperandError,
  ones,
  rand,
  tensor,
  zeros,
} from '@adjoint/core';
import { expect } from 'vitest';

export type Callable = (...args: unknown[]) => unknown;

/** What may stand anywhere, made anew for each call; sizes are either legal and small or more than any tensor holds. */
export const values: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  '-1': () => -1,
  '1.5': () => 1.5,
  '0': () => 0,
  '2': () => 2,
  '2^40': () => 2 ** 40,
  Infinity: () => Infinity,
  "''": () => '',
  "'nonsense'": () => 'nonsense',
  'a name that every object has': () => 'constructor',
  "'ij,jk->ik'": () => 'ij,jk->ik',
  "'float64'": () => 'float64',
  true: () => true,
  'a symbol': () => Symbol('s'),
  '1n': () => 1n,
  '{}': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'a Map': () => new Map(),
  'a Date': () => new Date(0),
  'a Uint8Array': () => new Uint8Array(16),
  '[]': () => [],
  '[1, 2]': () => [1, 2],
  '[0, 0]': () => [0, 0],
  '[-5]': () => [-5],
  '[2^40]': () => [2 ** 40],
  '[NaN]': () => [Number.NaN],
  '[null]': () => [null],
  "['a']": () => ['a'],
  '[[1], [2]]': () => [[1], [2]],
  // biome-ignore lint/suspicious/noSparseArray: what is tested
  'a sparse array': () => [, 1],
  '(x) => x': () => (x: unknown) => x,
  '() => 5': () => () => 5,
  '() => undefined': () => () => undefined,
  'a matrix': () => ones([2, 2]),
  'a 0-d tensor': () => tensor(2),
  'an empty tensor': () => zeros([0]),
  images: () => rand([1, 2, 4, 4]),
  integers: () => tensor([0, 1], { dtype: 'int32' }),
  bools: () => ones([2, 2], { dtype: 'bool' }),
  float16: () => ones([2, 2], { dtype: 'float16' }),
  float64: () => rand([2, 2], { dtype: 'float64' }),
  'one that requires a gradient': () => rand([2, 2], { requiresGrad: true }),
  tensors: () => [ones([2, 2]), ones([2, 2])],
  'a tensor and null': () => [ones([2, 2]), null],
};
export const names = Object.keys(values);
export const tensors = ['a matrix', 'images', 'integers', 'float64'];

const typed = [AdjointError, AnomalyError, GeometryError, IntegerDivisionError, OperandError];

/** Calls `fn` with the values of these names; a generator is asked for its first value. */
export async function expectTyped(name: string, fn: Callable, chosen: readonly string[]): Promise<void> {
  const started = performance.now();
  try {
    await begun(fn(...chosen.map((value) => values[value]())));
  } catch (error) {
    if (!typed.some((kind) => error instanceof kind))
      expect.fail(
        `${name}(${chosen.join(', ')}) gives ${error instanceof Error ? error.stack : String(error)}`,
      );
    expect((error as Error).message).toMatch(/: ./);
  }
  expect(performance.now() - started, `ms of ${name}(${chosen.join(', ')})`).toBeLessThan(10_000);
}

// A generator does nothing before it is asked for something.
function begun(result: unknown): unknown {
  const next = typeof result === 'object' && result !== null && 'next' in result ? result.next : null;
  return typeof next === 'function' ? next.call(result) : result;
}
