// Bad input of every kind, by generation: whatever stands in the place of whatever argument, every function of core gives a result
// or a typed error that names an op. Never a TypeError or RangeError of the language's own, and never a long wait.

import * as core from '@adjoint/core';
import {
  AdjointError,
  AnomalyError,
  ArgumentError,
  GeometryError,
  IntegerDivisionError,
  OperandError,
  ones,
  rand,
  tensor,
  zeros,
} from '@adjoint/core';
import * as graph from '@adjoint/core/graph';
import * as io from '@adjoint/core/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

type Callable = (...args: unknown[]) => unknown;

/** What may stand anywhere, made anew for each call; sizes are either legal and small or more than any tensor holds. */
const values: Readonly<Record<string, () => unknown>> = {
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
const names = Object.keys(values);
const tensors = ['a matrix', 'images', 'integers', 'float64'];

const typed = [AdjointError, AnomalyError, GeometryError, IntegerDivisionError, OperandError];

async function expectTyped(name: string, fn: Callable, chosen: readonly string[]): Promise<void> {
  const started = performance.now();
  try {
    await fn(...chosen.map((value) => values[value]()));
  } catch (error) {
    if (!typed.some((kind) => error instanceof kind))
      expect.fail(
        `${name}(${chosen.join(', ')}) gives ${error instanceof Error ? error.stack : String(error)}`,
      );
    expect((error as Error).message).toMatch(/: ./);
  }
  expect(performance.now() - started, `ms of ${name}(${chosen.join(', ')})`).toBeLessThan(10_000);
}

// What runs with every op and trusts its caller, and checks of others' arguments, whose own first argument is the caller's name.
const untold = /^(apply|resultType|noTensor|require.*)$/;

const functions = Object.entries({ ...core, ...io, ...graph }).filter(
  (entry): entry is [string, Callable] =>
    /^(async )?function/.test(String(entry[1])) && !untold.test(entry[0]),
);

describe('whatever is given to', () => {
  test('all functions there are', () => {
    expect(functions.length).toBeGreaterThan(275);
  });

  test.each(functions)('%s, it gives a result or a typed error', async (name, fn) => {
    await expectTyped(name, fn, []);
    for (const first of names) await expectTyped(name, fn, [first]);
    for (const first of tensors) for (const second of names) await expectTyped(name, fn, [first, second]);
    const any = fc.constantFrom(...names);
    const tuples = fc.oneof(
      fc.tuple(any, any),
      fc.tuple(any, any, any),
      fc.tuple(fc.constantFrom(...tensors), fc.constantFrom(...tensors), any),
      fc.tuple(fc.constantFrom(...tensors), any, any, any),
    );
    await fc.assert(
      fc.asyncProperty(tuples, (chosen) => expectTyped(name, fn, chosen)),
      { numRuns: 150 },
    );
  });
});

test('an option of another kind than its own is refused, whatever it is', () => {
  const x = ones([2, 2]);
  const loose = core as unknown as Readonly<Record<string, Callable>>;
  const calls: [string, () => unknown, string][] = [
    [
      'a word for a flag',
      () => loose.topk(x, 1, { largest: 'no' }),
      'topk: largest is "no"; give true or false.',
    ],
    ['a number for a flag', () => loose.sum(x, { keepdim: 1 }), 'sum: keepdim is 1; give true or false.'],
    [
      'null for a flag',
      () => loose.sort(x, { descending: null }),
      'sort: descending is null; give true or false.',
    ],
    ['a list for an axis', () => loose.softmax(x, { axis: [0] }), 'softmax: axis is [0]; give a number.'],
    [
      'a list for a tensor',
      () => loose.layerNorm(x, [2], { weight: [1, 1] }),
      'layerNorm: weight is [1,1]; give a Tensor.',
    ],
    [
      'a seed for a generator',
      () => loose.rand([2], { generator: 7 }),
      'rand: generator is 7; give a Generator.',
    ],
    [
      'a name for a dtype',
      () => loose.zeros([2], { dtype: 'double' }),
      'zeros: dtype is "double"; use one of',
    ],
    ['what Object.prototype has', () => loose.sum(x, { toString: 1 }), "sum: there is no option 'toString'"],
  ];
  for (const [what, call, message] of calls) {
    expect(call, what).toThrow(message);
    expect(call, what).toThrow(AdjointError);
  }
  expect(() => core.requireArgument('mine', 'fn', 1, 'function')).toThrow(ArgumentError);
});
