// What all optimisers share: groups, refusals, states; gradient clipping; averages of weights.

import {
  ArgumentError,
  add,
  isFloat,
  mul,
  noGrad,
  ones,
  randn,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { BatchNorm1d, Linear, Parameter, Sequential, StateDictError } from '@adjoint/nn';
import {
  Adam,
  AdamW,
  type BaseOptions,
  clipGradNorm_,
  clipGradValue_,
  EMA,
  LBFGS,
  Lion,
  Muon,
  Optimizer,
  OptimizerStateError,
  RMSprop,
  Rprop,
  SGD,
  type Update,
} from '@adjoint/nn/optim';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const parameter = (values: readonly number[] = [1, 2]): Parameter =>
  new Parameter(tensor(values, { dtype: 'float64' }));

describe('groups', () => {
  test('options of a group stand before those of the optimiser, which stand before the defaults', () => {
    const [a, b] = [parameter(), parameter()];
    const optimiser = new SGD(
      [
        { params: [a], lr: 1 },
        { params: [b], momentum: 0.5 },
      ],
      { lr: 0.1 },
    );
    expect(optimiser.groups.map(({ lr, momentum }) => [lr, momentum])).toEqual([
      [1, 0],
      [0.1, 0.5],
    ]);
    for (const p of [a, b]) p.grad = ones([2], { dtype: 'float64' });
    optimiser.step();
    expect(a.toArray()).toEqual([0, 1]);
    expect(b.toArray()).toEqual([0.9, 1.9]);
  });

  test('a changed rate counts from the next step', () => {
    const p = parameter([1]);
    const optimiser = new SGD([p], { lr: 1 });
    optimiser.groups[0].lr = 0.25;
    p.grad = ones([1], { dtype: 'float64' });
    optimiser.step();
    expect(p.toArray()).toEqual([0.75]);
  });

  test('a group that joins later is moved too', () => {
    const optimiser = new SGD([parameter()], { lr: 1 });
    const late = parameter([3]);
    optimiser.addGroup({ params: [late], lr: 2 });
    late.grad = ones([1], { dtype: 'float64' });
    optimiser.step();
    expect(late.toArray()).toEqual([1]);
  });
});

describe('a step', () => {
  test('leaves gradients as they are, zeroGrad forgets them, and a closure gives its loss', () => {
    const p = parameter([3]);
    const optimiser = new SGD([p], { lr: 0.5 });
    const loss = optimiser.step(() => {
      optimiser.zeroGrad();
      const value = sum(square(p));
      value.backward();
      return value;
    });
    expect(loss!.item()).toBe(9);
    expect(p.toArray()).toEqual([0]);
    expect(p.grad!.toArray()).toEqual([6]);
    optimiser.zeroGrad();
    expect(p.grad).toBeNull();
  });

  test('moves parameters of any layout and of 16 bits', () => {
    for (const dtype of ['float16', 'bfloat16', 'float32'] as const) {
      const p = new Parameter(tensor([1, 2, 3], { dtype }));
      p.grad = tensor([1, 1, 1], { dtype });
      const optimiser = new Adam([p], { lr: 0.5 });
      optimiser.step();
      expect((p.toArray() as number[]).map((value) => Math.round(value * 100) / 100)).toEqual([
        0.5, 1.5, 2.5,
      ]);
      // What is kept of 16-bit parameters is kept in float32.
      for (const kept of Object.values(optimiser.stateDict().state[0]))
        if (typeof kept !== 'number') expect(isFloat(kept.dtype) && kept.dtype).toBe('float32');
    }
  });

  test.each<[string, (params: Tensor[]) => Optimizer<never>]>([
    ['Adam', (params) => new Adam(params, { lr: 0.1 }) as never],
    ['LBFGS', (params) => new LBFGS(params, { maxIter: 3 }) as never],
    ['Muon', (params) => new Muon(params) as never],
  ])('%s moves a leaf that is no parameter to the same bits, whatever its layout', (_, make) => {
    const start = randn([3, 2], { dtype: 'float64' });
    const owned = new Parameter(start.transpose(0, 1));
    const column = tensor(start.toArray(), { dtype: 'float64' }).transpose(0, 1).requiresGrad_();
    expect(column.isContiguous).toBe(false);
    for (const x of [owned, column]) {
      const optimiser = make([x]);
      for (let i = 0; i < 3; i++) {
        optimiser.step(() => {
          optimiser.zeroGrad();
          const loss = x.sub(1).pow(4).sum();
          loss.backward();
          clipGradNorm_([x], 0.5);
          return loss;
        });
      }
    }
    expect(column.toArray()).toEqual(owned.toArray());
    expect(column.toArray()).not.toEqual(start.transpose(0, 1).toArray());
  });

  test('a gradient of another shape stops the step before anything moves', () => {
    const [a, b] = [parameter(), parameter()];
    const optimiser = new SGD([a, b], { lr: 1 });
    a.grad = ones([2], { dtype: 'float64' });
    b.grad = ones([1], { dtype: 'float64' });
    expect(() => optimiser.step()).toThrow(
      /gradient of parameter 1 has shape \(1,\), and the parameter \(2,\)/,
    );
    expect(a.toArray()).toEqual([1, 2]);
  });

  test('of L-BFGS forgets a change without curvature: as in PyTorch, y · s must be above 1e-10', () => {
    for (const [curvature, end] of [
      // Down the slope of 1, twice.
      [1e-11, -2],
      // A step of Newton's, to the bottom.
      [1e-2, -100],
    ]) {
      const p = new Parameter(zeros([1], { dtype: 'float64' }));
      const optimiser = new LBFGS([p], { lr: 1, maxIter: 2, maxEval: 9 });
      optimiser.step(() => {
        optimiser.zeroGrad();
        const loss = sum(add(p, mul(square(p), curvature / 2)));
        loss.backward();
        return loss;
      });
      expect(p.item()).toBeCloseTo(end, 8);
    }
  });

  test('changes values under a graph that saved them: backward says so', () => {
    const p = parameter();
    const loss = sum(square(p));
    p.grad = ones([2], { dtype: 'float64' });
    new SGD([p], { lr: 1 }).step();
    expect(() => loss.backward()).toThrow(/SGD\.step/);
  });
});

describe('what is refused', () => {
  const lr = fc.constantFrom(-1, Number.NaN, Infinity, '0.1' as never);
  test('illegal options, typed, with the number', () => {
    fc.assert(
      fc.property(lr, (value) => {
        for (const make of [
          () => new SGD([parameter()], { lr: value }),
          () => new Adam([parameter()], { lr: value }),
          () => new AdamW([{ params: [parameter()], weightDecay: value }]),
          () => new RMSprop([parameter()], { eps: value }),
          () => new Lion([parameter()], { weightDecay: value }),
        ]) {
          expect(make).toThrow(ArgumentError);
          expect(make).toThrow(String(value));
        }
      }),
    );
    expect(() => new Adam([parameter()], { betas: [0.9, 1] })).toThrow(/betas\[1\] is 1/);
    expect(() => new Adam([parameter()], { betas: [0.9] as never })).toThrow(ArgumentError);
    expect(() => new SGD([parameter()], { nesterov: true })).toThrow(/momentum is 0/);
    expect(() => new Rprop([parameter()], { etas: [1.2, 0.5] })).toThrow(/etas/);
    expect(() => new SGD([parameter()], { weight_decay: 1 } as never)).toThrow(
      /no option 'weight_decay'; it takes lr, momentum/,
    );
    expect(() => new Muon([parameter()])).toThrow(/matrices only/);
  });

  test('no parameters, the same twice, tensors that cannot be moved', () => {
    const p = parameter();
    expect(() => new SGD([])).toThrow(ArgumentError);
    expect(() => new SGD([p, p])).toThrow(/parameter 1 .* already/);
    expect(() => new SGD([{ params: [p] }, { params: [p] }])).toThrow(/already/);
    const free = zeros([2], { requiresGrad: true });
    expect(() => new SGD([zeros([2])])).toThrow(/element 0 of params .*\(2,\).* call requiresGrad_\(\)/);
    expect(() => new SGD([free, mul(free, 2)])).toThrow(/element 1 of params .* 'mul' computed/);
    expect(() => new SGD([zeros([1]).expand([3]).requiresGrad_()])).toThrow(/expanded axis.* clone/);
    expect(() => new SGD([free, free])).toThrow(/already/);
    expect(() => new SGD([3] as never)).toThrow(/element 0 of params is 3; pass model\.parameters\(\)/);
    expect(() => new SGD([{ params: [zeros([2])] }])).toThrow(ArgumentError);
    for (const wrong of [new Linear(2, 2), () => [p], undefined, { params: [p] }])
      expect(() => new SGD(wrong as never)).toThrow(/params cannot be iterated.*model\.parameters\(\)/);
  });

  test('a state that does not fit, with every flaw, and nothing is changed', () => {
    const make = (sizes: readonly number[]): Adam =>
      new Adam(sizes.map((size) => parameter(new Array<number>(size).fill(1))));
    const source = make([2, 3]);
    for (const p of source.parameters) p.grad = ones(p.shape, { dtype: 'float64' });
    source.step();
    const state = source.stateDict();
    const target = make([2, 4, 1]);
    const error = (() => {
      try {
        target.loadStateDict({
          ...state,
          optimizer: 'SGD',
          groups: [{ ...state.groups[0], options: { lr: 1 } }],
        });
        return null;
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(OptimizerStateError);
    const { problems } = error as OptimizerStateError;
    expect(problems.join('\n')).toMatch(/"SGD"/);
    expect(problems.join('\n')).toMatch(/group 0 has 2 parameters, and there are 3/);
    expect(problems.join('\n')).toMatch(/lacks the option 'betas'/);
    expect(problems.join('\n')).toMatch(/'expAvg' of parameter 1 is \(3,\), expected \(4,\)/);
    expect(target.state.size).toBe(0);
    expect(target.groups[0].lr).toBe(1e-3);
  });
});

test('an optimiser of your own needs its rule only', () => {
  class SignDescent extends Optimizer<BaseOptions> {
    constructor(params: Parameter[]) {
      super('SignDescent', params, { lr: 0.5 }, {});
    }
    protected check(): void {}
    protected update({ values, gradient, group }: Update<BaseOptions>): void {
      for (let i = 0; i < values.length; i++) values[i] -= group.lr * Math.sign(gradient[i]);
    }
  }
  const p = parameter([1, 1]);
  p.grad = tensor([3, -2], { dtype: 'float64' });
  new SignDescent([p]).step();
  expect(p.toArray()).toEqual([0.5, 1.5]);
});

describe('clipping', () => {
  const withGradients = (): Parameter[] => {
    const params = [parameter([0, 0]), parameter([0]), parameter([7])];
    params[0].grad = tensor([3, -4], { dtype: 'float64' });
    params[1].grad = tensor([12], { dtype: 'float64' });
    return params;
  };

  // Norms of (3, −4, 12).
  test.each([
    [2, 13],
    [1, 19],
    [Infinity, 12],
    [3, 1819 ** (1 / 3)],
  ])('by the %d-norm', (normType, norm) => {
    const params = withGradients();
    expect(clipGradNorm_(params, 6.5, { normType })).toBeCloseTo(norm, 12);
    const factor = 6.5 / (norm + 1e-6);
    expect(params[0].grad!.toArray()).toEqual([3 * factor, -4 * factor]);
    expect(params[2].grad).toBeNull();
  });

  test('a norm below the bound changes no bit; one that is not finite throws if asked', () => {
    const params = withGradients();
    clipGradNorm_(params, 14);
    expect(params[0].grad!.toArray()).toEqual([3, -4]);
    params[1].grad = tensor([Infinity], { dtype: 'float64' });
    expect(() => clipGradNorm_(params, 1, { nonFinite: 'throw' })).toThrow(/Infinity/);
    expect(params[0].grad!.toArray()).toEqual([3, -4]);
    expect(() => clipGradNorm_(params, -1)).toThrow(ArgumentError);
  });

  test('by value', () => {
    const params = withGradients();
    clipGradValue_(params, 3.5);
    expect(params.map(({ grad }) => grad?.toArray())).toEqual([[3, -3.5], [3.5], undefined]);
  });
});

describe('averages of weights', () => {
  const model = (): Sequential =>
    new Sequential(new Linear(2, 2, { dtype: 'float64' }), new BatchNorm1d(2, { dtype: 'float64' }));

  test('follow the recursion; buffers are copied', () => {
    const net = model();
    const ema = new EMA(net, { decay: 0.75 });
    const { weight } = net.at(0) as Linear;
    let expected = [...weight.toTypedArray()];
    for (let step = 0; step < 5; step++) {
      noGrad(() => weight.copy_(randn([2, 2], { dtype: 'float64' })));
      net.forward(randn([4, 2], { dtype: 'float64' }));
      ema.update();
      expected = expected.map((value, i) => 0.75 * value + 0.25 * weight.toTypedArray()[i]);
    }
    const { averages } = ema.stateDict();
    expect([...averages['0.weight'].toTypedArray()]).toEqual(expected);
    expect(averages['1.runningMean'].toArray()).toEqual(net.stateDict()['1.runningMean'].toArray());
    expect(averages['1.numBatchesTracked'].item()).toBe(5);
  });

  test('stand in for the weights while a function runs, a promise included, and a throw too', async () => {
    const net = model();
    const ema = new EMA(net);
    const { weight } = net.at(0) as Linear;
    const first = weight.toArray();
    noGrad(() => weight.fill_(9));
    const now = weight.toArray();
    expect(ema.evaluate(() => weight.toArray())).toEqual(first);
    expect(weight.toArray()).toEqual(now);
    const later = ema.evaluate(async () => {
      await Promise.resolve();
      return weight.toArray();
    });
    expect(await later).toEqual(first);
    expect(weight.toArray()).toEqual(now);
    expect(() =>
      ema.evaluate(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(weight.toArray()).toEqual(now);
    ema.copyTo();
    expect(weight.toArray()).toEqual(first);
  });

  test('warm-up takes more of the weights at first', () => {
    const net = model();
    const ema = new EMA(net, { decay: 0.9, warmUp: true });
    const { weight } = net.at(0) as Linear;
    const before = [...weight.toTypedArray()];
    noGrad(() => weight.fill_(1));
    ema.update();
    const expected = before.map((value) => 0.1 * value + 0.9);
    [...ema.stateDict().averages['0.weight'].toTypedArray()].forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 14);
    });
  });

  test('a state goes into another average; one that does not fit changes nothing', () => {
    const net = model();
    const ema = new EMA(net);
    noGrad(() => (net.at(0) as Linear).weight.fill_(2));
    ema.update();
    const weights = String(Object.values(net.stateDict()));
    const other = new EMA(net);
    other.loadStateDict(ema.stateDict());
    expect(String(Object.values(other.stateDict().averages))).toBe(
      String(Object.values(ema.stateDict().averages)),
    );
    expect(other.updates).toBe(1);
    expect(() => other.loadStateDict({ updates: 3, averages: {} })).toThrow(StateDictError);
    expect(other.updates).toBe(1);
    expect(String(Object.values(net.stateDict()))).toBe(weights);
    expect(() => new EMA(net, { decay: 1 })).toThrow(ArgumentError);
  });
});

test('training with each optimiser finds the minimum of a quadratic', () => {
  const target = tensor(
    [
      [1, -2],
      [3, 0.5],
    ],
    { dtype: 'float64' },
  );
  for (const make of [
    (p: Parameter[]) => new SGD(p, { lr: 0.1, momentum: 0.9 }),
    (p: Parameter[]) => new Adam(p, { lr: 0.05 }),
    (p: Parameter[]) => new Rprop(p),
  ]) {
    const p = new Parameter(zeros([2, 2], { dtype: 'float64' }));
    const optimiser = make([p]);
    for (let step = 0; step < 400; step++) {
      optimiser.zeroGrad();
      sum(square(sub(p, target))).backward();
      optimiser.step();
    }
    expect(sum(square(sub(p, target))).item()).toBeLessThan(1e-3);
  }
});

test('a single parameter may stand by itself where gradients are clipped; optimisers want an array', () => {
  const p = parameter([3, 4]);
  p.grad = tensor([3, 4], { dtype: 'float64' });
  expect(clipGradNorm_(p, 2.5)).toBe(5);
  expect(p.grad.toTypedArray()[0]).toBeCloseTo(1.5, 5);
  clipGradValue_(p, 1);
  expect(p.grad.toArray()).toEqual([1, 1]);
  for (const make of [() => new SGD(p as never), () => new SGD([{ params: p as never }])])
    expect(make).toThrow('SGD: params is one tensor, of shape (2,); put it into an array: [parameter].');
});
