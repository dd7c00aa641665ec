// Bad input of every kind, by generation: whatever stands in the place of whatever argument of the functions and classes of nn, and
// of what layers are called with. What reads and writes files is given paths that cannot be, and none that can.

import { AdjointError, Generator, mseLoss, ones } from '@adjoint/core';
import * as nn from '@adjoint/nn';
import * as checkpoint from '@adjoint/nn/checkpoint';
import * as data from '@adjoint/nn/data';
import * as dataNode from '@adjoint/nn/data/node';
import * as log from '@adjoint/nn/log';
import * as optim from '@adjoint/nn/optim';
import * as report from '@adjoint/nn/report';
import * as train from '@adjoint/nn/train';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Callable, expectTyped, names, tensors, values } from '../core/bad-values.ts';

type Constructor = new (...args: unknown[]) => unknown;

const isClass = (value: unknown): value is Constructor => /^class\b/.test(String(value));

const callables = Object.entries({ ...nn, ...nn.init, ...optim, ...data, ...report, ...train }).filter(
  (entry): entry is [string, Callable] => typeof entry[1] === 'function' && !/Error$/.test(entry[0]),
);

describe('whatever is given to', () => {
  test('all functions and classes there are', () => {
    expect(callables.length).toBeGreaterThan(200);
  });

  test.each(callables)('%s, it gives a result or a typed error', async (name, value) => {
    const fn: Callable = isClass(value) ? (...args) => new value(...args) : value;
    await expectTyped(name, fn, []);
    for (const first of names) await expectTyped(name, fn, [first]);
    const any = fc.constantFrom(...names);
    const some = fc.constantFrom(...tensors, '2', '1.5', '(x) => x', '{}', '[]');
    const tuples = fc.oneof(fc.tuple(some, any), fc.tuple(some, some, any), fc.tuple(any, any, any));
    await fc.assert(
      fc.asyncProperty(tuples, (chosen) => expectTyped(name, fn, chosen)),
      { numRuns: 60, seed: 1 },
    );
  });
});

// What is made and then used: its methods are handed values, too.
const used: readonly (readonly [name: string, methods: string, make: () => object])[] = [
  ['Linear', 'apply train loadStateDict', () => new nn.Linear(2, 2)],
  ['Sequential', 'at', () => new nn.Sequential(new nn.Linear(2, 2))],
  ['ModuleDict', 'get set', () => new nn.ModuleDict({ a: new nn.Linear(2, 2) })],
  ['Adam', 'addGroup loadStateDict', () => new optim.Adam(new nn.Linear(2, 2).parameters())],
  ['EMA', 'copyTo evaluate loadStateDict', () => new optim.EMA(new nn.Linear(2, 2))],
  [
    'ReduceLROnPlateau',
    'step',
    () => new optim.ReduceLROnPlateau(new optim.Adam(new nn.Linear(2, 2).parameters())),
  ],
  ['Accuracy', 'update', () => new train.Accuracy()],
  ['ConfusionMatrix', 'update', () => new train.ConfusionMatrix(2)],
  ['MeanLoss', 'update', () => new train.MeanLoss(mseLoss)],
  ['TensorDataset', 'get', () => new data.TensorDataset(ones([4, 2]))],
  ['Subset', 'get', () => new data.Subset(new data.TensorDataset(ones([4, 2])), [0, 1])],
  ['Generator', 'nextBelow', () => new Generator(0)],
];
const uses = used.flatMap(([name, methods, make]) =>
  methods.split(' ').map((method): [string, string, () => object] => [name, method, make]),
);

test.each(uses)(
  'whatever is given to %s.%s, it gives a result or a typed error',
  async (name, method, make) => {
    const call: Callable = (...args) => (make() as Record<string, Callable>)[method](...args);
    for (const given of names) {
      await expectTyped(`${name}.${method}`, call, [given]);
      await expectTyped(`${name}.${method}`, call, [tensors[0], given]);
      await expectTyped(`${name}.${method}`, call, [given, tensors[0]]);
    }
  },
);

// Each module, of the first arguments that make one.
const makings: readonly (readonly string[])[] = [
  [],
  ['2'],
  ['2', '2'],
  ['2', '2', '2'],
  ['2', '0'],
  ['[1, 2]'],
];
const modules = callables.flatMap(([name, value]): [string, Callable][] => {
  if (!isClass(value) || !(value.prototype instanceof nn.Module)) return [];
  for (const making of makings) {
    try {
      const made = new value(...making.map((one) => values[one]())) as Readonly<Record<string, unknown>>;
      if (typeof made.forward === 'function') return [[name, made.forward.bind(made) as Callable]];
    } catch (error) {
      if (!(error instanceof AdjointError) && !(error instanceof RangeError)) throw error;
    }
  }
  return [];
});

describe('whatever goes into', () => {
  test('all layers there are', () => {
    expect(modules.length).toBeGreaterThan(90);
  });

  test.each(modules)('%s, it gives a result or a typed error', async (name, forward) => {
    for (const first of names) {
      await expectTyped(`${name}.forward`, forward, [first]);
      for (const operand of ['a matrix', 'images'])
        await expectTyped(`${name}.forward`, forward, [operand, first]);
    }
  });
});

describe('what is no path is refused by', () => {
  const files = Object.entries({ ...dataNode, ...checkpoint, ...log }).filter(
    (entry): entry is [string, Callable] =>
      /^(open|read[MC]|saveC|loadC|removeL|ImageF|CheckpointFolder)/.test(entry[0]) &&
      typeof entry[1] === 'function',
  );
  test.each(files)('%s', async (name, value) => {
    const fn: Callable = isClass(value) ? (...args) => new value(...args) : value;
    const noPaths = names.filter((one) => typeof values[one]() !== 'string');
    for (const one of noPaths) await expectTyped(name, fn, [one]);
    for (const one of noPaths) await expectTyped(name, fn, [one, '{}']);
  });
});
