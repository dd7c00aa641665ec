// State dicts: round trips, PyTorch's names and layouts, and errors that list everything and change nothing.

import { manualSeed, noGrad, ones, randn, type Tensor, tensor, zeros } from '@adjoint/core';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Linear,
  Module,
  Parameter,
  Sequential,
  StateDictError,
} from '@adjoint/nn';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const net = (): Sequential =>
  new Sequential(
    new Conv2d(4, 6, [2, 3], { groups: 2 }),
    new BatchNorm2d(6),
    new ConvTranspose2d(6, 4, 2, { groups: 2 }),
  );

const values = (module: Module): unknown =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, value]) => [key, value.toArray()]));

test('what one module saved, another loads, in either layout, and gives it back the same', () => {
  const source = net();
  source.forward(randn([3, 4, 5, 5]));
  for (const layout of ['adjoint', 'pytorch'] as const) {
    const target = net();
    expect(values(target)).not.toEqual(values(source));
    expect(target.loadStateDict(source.stateDict({ layout }))).toEqual({ missing: [], unexpected: [] });
    expect(values(target)).toEqual(values(source));
  }
});

test('the layout of PyTorch has its names and shapes over the same memory', () => {
  const source = net();
  const own = source.stateDict();
  const torch = source.stateDict({ layout: 'pytorch' });
  expect(Object.fromEntries(Object.entries(torch).map(([key, { shape }]) => [key, shape]))).toEqual({
    '0.weight': [6, 2, 2, 3],
    '0.bias': [6],
    '1.weight': [6],
    '1.bias': [6],
    '1.running_mean': [6],
    '1.running_var': [6],
    '1.num_batches_tracked': [],
    '2.weight': [6, 2, 2, 2],
    '2.bias': [4],
  });
  expect(own['0.weight'].shape).toEqual([2, 3, 2, 2, 3]);
  expect(own['2.weight'].shape).toEqual([2, 3, 2, 2, 2]);
  expect(torch['2.weight'].data).toBe(own['2.weight'].data);
});

test('values are converted to the dtype of the module', () => {
  const layer = new Linear(2, 1);
  layer.loadStateDict({
    weight: tensor([[0.1, 0.2]], { dtype: 'float64' }),
    bias: tensor([3], { dtype: 'int32' }),
  });
  expect(layer.weight.dtype).toBe('float32');
  expect(layer.weight.toArray()).toEqual([[Math.fround(0.1), Math.fround(0.2)]]);
  expect(layer.bias!.toArray()).toEqual([3]);
});

test('what is no tensor is said to be none', () => {
  const state = { weight: [[1, 2]], bias: 0 } as never;
  expect(() => new Linear(2, 1).loadStateDict(state)).toThrow(/weight is no tensor, expected \(1, 2\)/);
});

test('every missing, unexpected and mis-shaped key is listed, and nothing is changed', () => {
  const keys = Object.keys(net().stateDict());
  fc.assert(
    fc.property(
      fc.subarray(keys),
      fc.subarray(keys),
      fc.uniqueArray(fc.constantFrom('other', '0.weights', '3.bias', '__proto__')),
      fc.boolean(),
      (absent, wrong, extra, strict) => {
        const target = net();
        const before = values(target);
        const state = Object.create(null) as Record<string, Tensor>;
        for (const [key, value] of Object.entries(net().stateDict())) {
          if (absent.includes(key)) continue;
          state[key] = wrong.includes(key) ? zeros([...value.shape, 2]) : value;
        }
        for (const key of extra) state[key] = ones([1]);
        const mismatched = wrong.filter((key) => !absent.includes(key));
        const load = () => target.loadStateDict(state, { strict });
        if (mismatched.length === 0 && (!strict || absent.length + extra.length === 0)) {
          expect(load()).toEqual({ missing: absent, unexpected: extra });
          return;
        }
        let error: unknown;
        try {
          load();
        } catch (caught) {
          error = caught;
        }
        expect(error).toBeInstanceOf(StateDictError);
        const flaws = error as StateDictError;
        expect(flaws.missing).toEqual(absent);
        expect(flaws.unexpected).toEqual(extra);
        expect(flaws.mismatched.map(({ key }) => key)).toEqual(mismatched);
        for (const key of [...absent, ...extra, ...mismatched]) expect(flaws.message).toContain(key);
        expect(values(target)).toEqual(before);
      },
    ),
    { numRuns: 60 },
  );
});

test("one tensor under Adjoint's name and under PyTorch's is one too many", () => {
  const norm = new BatchNorm2d(2);
  const state = { ...norm.stateDict(), running_mean: ones([2]) };
  expect(() => norm.loadStateDict(state)).toThrow(/unexpected: running_mean/);
});

test("names that PyTorch's layout would confuse are refused there", () => {
  class Twice extends Module {
    readonly fooBar = new Parameter(ones([1]));
    readonly foo_bar = new Parameter(ones([1]));
    forward(): Tensor {
      return this.fooBar;
    }
  }
  expect(Object.keys(new Twice().stateDict())).toEqual(['fooBar', 'foo_bar']);
  expect(() => new Twice().stateDict({ layout: 'pytorch' })).toThrow(/both 'foo_bar'/);
});

test('a state dict shares the arrays of the module; loading does not', () => {
  manualSeed(0);
  const a = new Linear(2, 2);
  const state = a.stateDict();
  const b = new Linear(2, 2);
  b.loadStateDict(state);
  noGrad(() => a.weight.fill_(7));
  expect(state.weight.toArray()).toEqual([
    [7, 7],
    [7, 7],
  ]);
  expect(b.weight.toArray()).not.toEqual([
    [7, 7],
    [7, 7],
  ]);
  expect(state.weight.requiresGrad).toBe(false);
});
