// Options that a function does not know are refused, by every public function that takes options: types do not reach plain
// JavaScript, and an option passed over in silence is a wrong result.

import * as core from '@adjoint/core';
import { gradcheck } from '@adjoint/core/check';
import { backwardDiagram } from '@adjoint/core/graph';
import * as io from '@adjoint/core/io';
import { describe, expect, test } from 'vitest';

const { ArgumentError, arange, ones, requireOptions, tensor } = core;

/** Functions by the number of arguments before the options. */
const byPlace: Record<number, string> = {
  1: `tensor zeros ones zerosLike onesLike oneHot padSequence gumbelSoftmax bincount nanToNum diff countNonzero sum mean unbind backward cat stack flatten squeeze clamp hardtanh diagonal
    triu tril amax amin max min median argmax argmin argsort sort any all clamp_ leakyRelu elu celu cumsum cumprod prod softplus gelu
    softmax logSoftmax logsumexp variance std norm detectAnomaly checkpoint vmap rand randn randnLike randLike randperm bernoulli dropout
    dropout1d dropout2d dropout3d normalize batchNorm instanceNorm meshgrid interpolate backwardDiagram parseNpy
    parseSafetensors serializeSafetensors serializeSafetensorsShards`,
  2: `full fullLike embedding split chunk pad grad repeatInterleave roll topk isclose allclose sub_ searchsorted add_ valueAndGrad jacobian hessian gradcheck
    assertGradcheck gradgradcheck assertGradgradcheck jvpcheck assertJvpcheck multinomial avgPool1d avgPool2d avgPool3d
    maxPool1d maxPool2d maxPool3d maxPool1dWithIndices maxPool2dWithIndices maxPool3dWithIndices binaryCrossEntropy
    bceWithLogits nllLoss crossEntropy cosineSimilarity cdist pairwiseDistance hingeEmbeddingLoss mseLoss l1Loss smoothL1Loss
    huberLoss klDiv poissonNllLoss softMarginLoss layerNorm rmsNorm groupNorm localResponseNorm eye unfold conv1d conv2d conv3d convTranspose1d
    convTranspose2d convTranspose3d parseSafetensorsShards`,
  3: `vjp hvp adjointCheck assertAdjoint adjointCheckOp assertAdjointOp scaledDotProductAttention truncatedNormal randint
    cosineEmbeddingLoss tripletMarginLoss gaussianNllLoss marginRankingLoss linspace fold`,
  4: 'ctcLoss',
};
const table = Object.entries(byPlace).flatMap(([place, names]) =>
  names.split(/\s+/).map((name): [string, number] => [name, Number(place)]),
);

const functions = new Map(
  Object.entries({ ...core, ...io, backwardDiagram }).filter((entry): entry is [string, Misused] =>
    /^(async )?function/.test(String(entry[1])),
  ),
);
type Misused = (...args: unknown[]) => unknown;

/** What the call throws, or its promise is rejected with. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a call gives, or the message of its error: values that can be compared. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    return JSON.parse(
      JSON.stringify(result ?? null, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    );
  } catch (error) {
    return (error as Error).message;
  }
}

describe('every function that takes options', () => {
  // The options are looked at before anything else, so that other arguments need not make sense.
  test.each(table)('%s refuses what is not its options', async (name, place) => {
    const call = (options: unknown): Promise<unknown> =>
      failure(() => functions.get(name)!(...new Array(place).fill(ones([2, 2])), options));
    for (const [wrong, shown] of [
      [7, '7'],
      [true, 'true'],
      [null, 'null'],
      [[0, 1], '[0,1]'],
      [ones([1]), 'a Tensor'],
    ]) {
      const error = await call(wrong);
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ op: name, operand: 'options', actual: wrong });
      expect((error as Error).message).toContain(`${name}: options is ${shown}; give an object,`);
    }
    const error = await call({ noSuchOption: 1 });
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ op: name, operand: 'noSuchOption' });
    expect((error as Error).message).toContain(`${name}: there is no option 'noSuchOption'; it takes `);
  });

  // A program that hands its own options on hands on those that it was not given, too.
  test.each(table)('%s takes an option that is undefined as left out', async (name, place) => {
    const call = (options: object): Promise<unknown> =>
      outcome(() => {
        core.manualSeed(0);
        return functions.get(name)!(...new Array(place).fill(ones([2, 2, 2])), options);
      });
    const refused = await failure(() =>
      functions.get(name)!(...new Array(place).fill(ones([2])), { noSuchOption: 1 }),
    );
    const known = /it takes (.*?)\.( Write|$)/.exec((refused as Error).message)![1].split(', ');
    expect(await call(Object.fromEntries(known.map((option) => [option, undefined])))).toEqual(
      await call({}),
    );
  });

  test('is in this table', () => {
    // `var` is variance by another name; arange has its options in either of two places, and its own test.
    const listed = new Set([...table.map(([name]) => name), 'requireOptions', 'var', 'arange']);
    const withOptions = [...functions].filter(([, fn]) =>
      /^[^(]*\([^)]*(\boptions\b|noOptions|\{)/.test(String(fn)),
    );
    expect(withOptions.length).toBeGreaterThan(100);
    expect(withOptions.map(([name]) => name).filter((name) => !listed.has(name))).toEqual([]);
  });

  test('arange, whose options come second or third', () => {
    expect(() => arange(3, { stepp: 1 } as never)).toThrow(
      /^arange: there is no option 'stepp'; it takes step/,
    );
    expect(() => arange(0, 3, 1 as never)).toThrow(/^arange: options is 1; give an object/);
    expect(() => arange(3, null as never)).toThrow(/^arange: options is null/);
  });
});

describe('an option that takes one of several names', () => {
  const x = ones([1, 1, 4, 4], { dtype: 'float64', requiresGrad: true });
  const weight = ones([1, 1, 2, 2], { dtype: 'float64' });
  const f = (y: core.Tensor) => core.sum(y);
  type Named = [name: string, option: string, call: (options: never) => unknown];
  test.each<Named>([
    ['pad', 'mode', (options) => core.pad(x, [1, 1], options)],
    ['interpolate', 'mode', (options) => core.interpolate(x, { size: 2, ...(options as object) })],
    ['gelu', 'approximate', (options) => core.gelu(x, options)],
    ['meshgrid', 'indexing', (options) => core.meshgrid([ones([2])], options)],
    ['conv2d', 'padding', (options) => core.conv2d(x, weight, options)],
    ['conv2d', 'convMode', (options) => core.conv2d(x, weight, options)],
    ['conv2d', 'computeMode', (options) => core.conv2d(x, weight, options)],
    ['mseLoss', 'reduction', (options) => core.mseLoss(x, x, options)],
    ['klDiv', 'reduction', (options) => core.klDiv(x, x, options)],
    ['jacobian', 'mode', (options) => core.jacobian(f, x, options)],
    ['grad', 'unused', (options) => core.grad(f(x), x, options)],
    ['detectAnomaly', 'infinity', (options) => core.detectAnomaly(() => f(x), options)],
    ['gradcheck', 'mode', (options) => gradcheck(f, [x], options)],
    ['gradcheck', 'precision', (options) => gradcheck(f, [x], options)],
  ])('refuses others: %s, %s', (op, option, call) => {
    // Every object has a constructor, and so does a table of names that is one.
    for (const wrong of ['nonsense', 'constructor', '']) {
      expect(() => call({ [option]: wrong } as never)).toThrow(ArgumentError);
      expect(() => call({ [option]: wrong } as never)).toThrow(
        `${op}: ${option} is ${JSON.stringify(wrong)}; it takes `,
      );
    }
  });
});

describe('the error says what to write', () => {
  const x = tensor([[1, 2]]);
  const loose = x as unknown as Record<string, Misused>;
  test.each<[string, () => unknown, string]>([
    ['an axis in place', () => loose.sum(0), 'sum: options is 0; give an object, e.g. { axes: 0 }.'],
    [
      'axes in place',
      () => loose.mean([0, 1]),
      'mean: options is [0,1]; give an object, e.g. { axes: [0,1] }.',
    ],
    ['of one axis', () => loose.softmax(1), 'softmax: options is 1; give an object, e.g. { axis: 1 }.'],
    [
      'a required one',
      () => loose.cumsum(),
      'cumsum: options is undefined; give an object, e.g. { axis: 0 }.',
    ],
    [
      'dim',
      () => loose.sum({ dim: 0 }),
      "sum: there is no option 'dim'; it takes axes, keepdim. Write { axes: 0 }.",
    ],
    [
      'axis',
      () => loose.std({ axis: 0 }),
      "no option 'axis'; it takes axes, correction, keepdim. Write { axes: 0 }.",
    ],
    ['axes', () => loose.argmax({ axes: 1 }), "no option 'axes'; it takes axis, keepdim. Write { axis: 1 }."],
    ['case', () => loose.amax({ keepDim: true }), 'Write { keepdim: true }.'],
    [
      'underscores',
      () => (ones as Misused)([2], { requires_grad: true }),
      "no option 'requires_grad'; it takes dtype, requiresGrad. Write { requiresGrad: true }.",
    ],
    ['others', () => loose.flatten(1), 'options is 1; give an object, with any of startAxis, endAxis.'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});

test('options may be frozen, without a prototype, or undefined', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const bare: { axes?: number } = Object.assign(Object.create(null), { axes: 0 });
  expect(x.sum(bare).toArray()).toEqual([4, 6]);
  expect(x.sum(Object.freeze({ axes: 0 })).toArray()).toEqual([4, 6]);
  expect(x.sum(undefined).item()).toBe(10);
  expect(() => requireOptions('mine', {}, ['a'])).not.toThrow();
  expect(() => requireOptions('mine', new (class {})(), ['a'])).toThrow(ArgumentError);
});

test('an argument that may be any object may be one without a prototype, and is told from what is none', () => {
  const check = (value: unknown) => () => core.requireArgument('mine', 'record', value, Object);
  expect(check(Object.create(null))).not.toThrow();
  expect(check(new Float32Array(1))).not.toThrow();
  for (const [value, shown] of [
    [null, 'null'],
    [3, '3'],
    [Math.sqrt, 'a function'],
  ] as const)
    expect(check(value)).toThrow(`mine: record is ${shown}; give an object.`);
});

test('classes are named with the article that they take', () => {
  const check = (value: unknown, kind: core.OptionKind) => () =>
    core.requireArgument('mine', 'it', value, kind);
  class Average {}
  expect(check(new Int32Array(1), Average)).toThrow('mine: it is an Int32Array; give an Average.');
  expect(check(new Uint8Array(1), core.Tensor)).toThrow('mine: it is a Uint8Array; give a Tensor.');
});
