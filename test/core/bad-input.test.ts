// Bad input of every kind, by generation: whatever stands in the place of whatever argument of the functions of core.

import { inspect } from 'node:util';
import * as core from '@adjoint/core';
import { AdjointError, ArgumentError, ones } from '@adjoint/core';
import * as graph from '@adjoint/core/graph';
import * as io from '@adjoint/core/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Callable, expectTyped, names, tensors } from './bad-values.ts';

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
      { numRuns: 150, seed: 1 },
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

test('an error that nobody caught shows its sentence, and not the storage of the tensor it is about', () => {
  const about = new ArgumentError('no.', { op: 'mine', actual: ones([3]), expected: 'more' });
  expect(about.actual).toBeInstanceOf(core.Tensor);
  // As Node prints such an error.
  expect(inspect(about, { customInspect: false })).not.toMatch(/storage/);
  const short = new ArgumentError('no.', { op: 'mine', actual: [2, 3], expected: 'more' });
  expect(inspect(short, { customInspect: false })).toMatch(/actual: \[ 2, 3 \]/);
});
