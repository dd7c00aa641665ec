// A module as a function of its parameters: derivatives through it are those of the module, and it is itself again afterwards.

import {
  ArgumentError,
  assertGradcheck,
  grad,
  hessian,
  manualSeed,
  matmul,
  mul,
  randn,
  ShapeError,
  sub,
  type Tensor,
  valueAndGrad,
  vmap,
  zeros,
} from '@adjoint/core';
import {
  BatchNorm1d,
  Conv2d,
  functionalCall,
  GRU,
  Linear,
  Module,
  Sequential,
  Tanh,
  weightNorm,
} from '@adjoint/nn';
import { beforeEach, describe, expect, test } from 'vitest';

const dtype = 'float64';
beforeEach(() => {
  manualSeed(0);
});

const mlp = () => new Sequential(new Linear(3, 4, { dtype }), new Tanh(), new Linear(4, 1, { dtype }));
const loss = (y: Tensor): Tensor => y.square().mean();

describe('derivatives', () => {
  test('are those that backward gives the parameters', () => {
    const models: [Module & { forward(x: Tensor): unknown }, Tensor, (y: unknown) => Tensor][] = [
      [mlp(), randn([5, 3], { dtype }), (y) => loss(y as Tensor)],
      [new Conv2d(2, 3, 3, { dtype }), randn([1, 2, 5, 5], { dtype }), (y) => loss(y as Tensor)],
      [
        new GRU(3, 2, { dtype, numLayers: 2 }),
        randn([4, 1, 3], { dtype }),
        (y) => loss((y as { output: Tensor }).output),
      ],
      [weightNorm(new Linear(3, 2, { dtype })), randn([5, 3], { dtype }), (y) => loss(y as Tensor)],
    ];
    for (const [model, x, score] of models) {
      score(model.forward(x)).backward();
      const named = model.namedParameters();
      const copies = named.map(([, parameter]) => parameter.detach().clone().requiresGrad_());
      const given = Object.fromEntries(named.map(([path], i) => [path, copies[i]]));
      const slopes = grad(score(functionalCall(model, given, x)), copies);
      expect(slopes.map((slope) => slope.toArray())).toEqual(
        named.map(([, { grad: own }]) => own!.toArray()),
      );
      expect(model.namedParameters()).toEqual(named);
    }
  });

  test('of second order: the Hessian of a least-squares loss is 2 XᵀX / N', () => {
    const x = randn([5, 3], { dtype });
    const curvature = hessian(
      (weight) => loss(functionalCall(new Linear(3, 1, { dtype, bias: false }), { weight }, x)),
      zeros([1, 3], { dtype }),
    ).reshape([3, 3]);
    expect(curvature.allclose(matmul(x.T, x).mul(2 / 5), { rtol: 1e-12 })).toBe(true);
  });

  test('go through a step of an inner training', () => {
    const model = mlp();
    const [support, query] = [randn([4, 3], { dtype }), randn([4, 3], { dtype })];
    const paths = model.namedParameters().map(([path]) => path);
    const outer = (...weights: Tensor[]): Tensor => {
      const state = (values: readonly Tensor[]) =>
        Object.fromEntries(paths.map((path, i) => [path, values[i]]));
      const inner = (...values: Tensor[]): Tensor => loss(functionalCall(model, state(values), support));
      const [, slopes] = valueAndGrad(inner, weights, { createGraph: true });
      const stepped = weights.map((weight, i) => sub(weight, mul(slopes[i], 0.1)));
      return loss(functionalCall(model, state(stepped), query));
    };
    assertGradcheck(
      outer,
      model.parameters().map((parameter) => parameter.detach()),
    );
  });

  test('of each example by itself', () => {
    const model = new Linear(3, 1, { dtype, bias: false });
    const x = randn([4, 3], { dtype });
    const each = vmap((example) => grad(model.forward(example).sum(), model.weight))(x);
    expect(each.reshape([4, 3]).equal(x)).toBe(true);
  });
});

class Tied extends Module {
  readonly first = new Linear(2, 2, { bias: false });
  readonly second = new Linear(2, 2, { bias: false });
  constructor() {
    super();
    Object.assign(this.second, { weight: this.first.weight });
  }
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

test('what is shared is exchanged in all places, under either path', () => {
  const model = new Tied();
  const x = randn([1, 2]);
  const nothing = zeros([2, 2]);
  for (const path of ['first.weight', 'second.weight'])
    expect(functionalCall(model, { [path]: randn([2, 2]).mul(0) }, x).equal(zeros([1, 2]))).toBe(true);
  expect(() => functionalCall(model, { 'first.weight': nothing, 'second.weight': zeros([2, 2]) }, x)).toThrow(
    /'first.weight' and 'second.weight' are one tensor/,
  );
  expect(functionalCall(model, { 'first.weight': nothing, 'second.weight': nothing }, x).shape).toEqual([
    1, 2,
  ]);
});

test('a call within a forward exchanges what stands in already', () => {
  // Steps of an inner training, differentiated by what they start from.
  class Adapted extends Module {
    readonly inner = new Linear(2, 1, { dtype, bias: false });
    forward(x: Tensor): Tensor {
      return functionalCall(this.inner, { weight: mul(this.inner.weight, 3) }, x);
    }
  }
  const model = new Adapted();
  const own = model.inner.weight;
  const x = randn([1, 2], { dtype });
  const adapted = (weight: Tensor): Tensor => functionalCall(model, { 'inner.weight': weight }, x).sum();
  const weight = zeros([1, 2], { dtype, requiresGrad: true });
  expect(grad(adapted(weight), weight).toArray()).toEqual(mul(x, 3).toArray());
  expect(model.inner.weight).toBe(own);
  expect(model.namedParameters()).toEqual([['inner.weight', own]]);
});

test('running statistics are updated in the tensors given, not in the module', () => {
  const model = new BatchNorm1d(2, { dtype });
  const runningMean = zeros([2], { dtype });
  functionalCall(model, { runningMean }, randn([4, 2], { dtype }).add(3));
  expect(runningMean.toArray()).not.toEqual([0, 0]);
  expect(model.runningMean!.toArray()).toEqual([0, 0]);
});

describe('what is refused leaves the module as it is', () => {
  const model = new Linear(2, 1);
  const own = [...model.parameters()];
  const x = zeros([1, 2]);
  test.each<[string, () => unknown, typeof ArgumentError | typeof ShapeError, RegExp]>([
    ['a path', () => functionalCall(model, { wieght: x }, x), ArgumentError, /'wieght'; it has weight, bias/],
    [
      'a shape',
      () => functionalCall(model, { bias: x, weight: x }, x),
      ShapeError,
      /\['bias'\] has shape \(1, 2\)/,
    ],
    ['no tensor', () => functionalCall(model, { bias: [0] as never }, x), ArgumentError, /is an array of 1/],
    [
      'a Map, which would exchange nothing',
      () => functionalCall(model, new Map([['weight', x]]) as never, x),
      ArgumentError,
      /Object\.fromEntries/,
    ],
    ['nothing', () => functionalCall(model, undefined as never, x), ArgumentError, /no plain object/],
    ['an input', () => functionalCall(model, { weight: x }, zeros([1, 3])), ShapeError, /inFeatures is 2/],
  ])('%s', (_, call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
    expect(model.parameters()).toEqual(own);
    expect(model.weight).toBe(own[0]);
  });

  test('a forward that returns a promise', () => {
    class Later extends Module {
      readonly inner = new Linear(1, 1);
      async forward(y: Tensor): Promise<Tensor> {
        return this.inner.forward(y);
      }
    }
    expect(() => functionalCall(new Later(), {}, x)).toThrow(/forward returned a promise/);
  });
});
