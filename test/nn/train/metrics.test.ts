// Metrics against counting by brute force, and diagnostics against closed forms.
import { Generator, rand, randint, randn, relu, sum, type Tensor, tensor, zeros } from '@adjoint/core';
import { Conv2d, ConvTranspose2d, Linear } from '@adjoint/nn';
import { SGD } from '@adjoint/nn/optim';
import { Accuracy, ConfusionMatrix, diagnose, EarlyStopping, PrecisionRecall } from '@adjoint/nn/train';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const ints = (values: number[]) => tensor(values, { dtype: 'int32' });

describe('metrics', () => {
  test('accuracy, confusion, precision and recall are what counting gives, however the data is cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(999),
        (classes, count, seed) => {
          const generator = new Generator(seed);
          const scores = rand([count, classes], { generator });
          const target = randint(0, classes, [count], { generator });
          const rows = scores.toArray() as number[][];
          const truth = target.toArray() as number[];
          const order = rows.map((row) => row.map((_, c) => c).sort((a, b) => row[b] - row[a]));
          const top = (k: number) => truth.filter((t, i) => order[i].slice(0, k).includes(t)).length / count;
          const cut = Math.floor(count / 2);
          const fed = <T extends { update(o: Tensor, t: Tensor): void }>(metric: T): T => {
            if (cut > 0) metric.update(scores.narrow(0, 0, cut), target.narrow(0, 0, cut));
            metric.update(scores.narrow(0, cut, count - cut), target.narrow(0, cut, count - cut));
            return metric;
          };
          expect(fed(new Accuracy()).compute()).toBeCloseTo(top(1), 12);
          expect(fed(new Accuracy({ topK: 2 })).compute()).toBeCloseTo(top(2), 12);
          const matrix = fed(new ConfusionMatrix(classes)).compute();
          const times = (t: number, p: number) =>
            truth.filter((own, i) => own === t && order[i][0] === p).length;
          expect(matrix).toEqual(matrix.map((row, t) => row.map((_, p) => times(t, p))));
          const { classes: own, macro } = fed(new PrecisionRecall(classes)).compute();
          own.forEach(({ precision, recall }, c) => {
            const taken = order.filter(([best]) => best === c).length;
            const there = truth.filter((t) => t === c).length;
            expect(precision).toBeCloseTo(taken === 0 ? 0 : times(c, c) / taken, 12);
            expect(recall).toBeCloseTo(there === 0 ? 0 : times(c, c) / there, 12);
          });
          expect(macro.f1).toBeCloseTo(own.reduce((total, { f1 }) => total + f1, 0) / classes, 12);
        },
      ),
    );
  });

  test('scores of pixels are taken along the axis of classes', () => {
    const accuracy = new Accuracy();
    // Two classes over a row of three pixels.
    accuracy.update(tensor([[[[1, 0, 5]], [[0, 1, 2]]]]), ints([0, 1, 1]).reshape([1, 1, 3]));
    expect(accuracy.compute()).toBeCloseTo(2 / 3, 12);
  });

  test('a model that has diverged is right about nothing', () => {
    for (const topK of [1, 2]) {
      const accuracy = new Accuracy({ topK });
      accuracy.update(tensor([[Number.NaN, Number.NaN, Number.NaN]]), ints([0]));
      expect(accuracy.compute()).toBe(0);
    }
    expect(new Accuracy().compute()).toBeNaN();
    expect(() => new Accuracy().update(zeros([2, 3]), ints([0, 3]))).toThrow(/target 1 is 3/);
    expect(() => new Accuracy().update(zeros([2, 3]), ints([0]))).toThrow(/scores \(N, C, …\)/);
    expect(() => new ConfusionMatrix(4).update(zeros([2, 3]), ints([0, 1]))).toThrow(
      /3 classes, and the matrix 4/,
    );
  });
});

describe('early stopping', () => {
  test('waits as long as it was told, in either direction, and not for crumbs', () => {
    const stopsAt = (options: object, values: number[]) => {
      const stopping = new EarlyStopping(options);
      return values.findIndex((value) => stopping.update(value));
    };
    expect(stopsAt({ patience: 2 }, [3, 2, 2, 2, 2])).toBe(4);
    expect(stopsAt({ patience: 0, mode: 'max' }, [1, 2, 3, 3])).toBe(3);
    expect(stopsAt({ patience: 1, minDelta: 0.5 }, [3, 2.8, 2.6, 2.4])).toBe(2);
    expect(stopsAt({ patience: 0 }, [Number.NaN, 1])).toBe(0);
    const a = new EarlyStopping();
    for (const value of [2, 3, 4]) a.update(value);
    const b = new EarlyStopping();
    b.loadStateDict(JSON.parse(JSON.stringify(a.stateDict())));
    expect([b.best, b.bad]).toEqual([2, 2]);
    expect(() => b.loadStateDict({ best: 'x', bad: 0 } as never)).toThrow(/best is x/);
  });
});

describe('diagnostics', () => {
  test('of plain gradient descent, the update is the rate times the gradient', () => {
    const model = new Linear(4, 3, { dtype: 'float64', generator: new Generator(1) });
    const x = randn([5, 4], { dtype: 'float64', generator: new Generator(2) });
    sum(model.forward(x)).backward();
    const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
    const before = norm(model.weight.toTypedArray());
    const { parameters, firstNonFinite } = diagnose(model, () =>
      new SGD(model.parameters(), { lr: 0.1 }).step(),
    );
    const [weight] = parameters;
    // The gradient of each row is the sum of the inputs.
    const gradient = Math.sqrt(3) * norm(sum(x, { axes: 0 }).toTypedArray());
    expect(weight.gradNorm).toBeCloseTo(gradient, 10);
    expect(weight.weightNorm).toBeCloseTo(before, 12);
    expect(weight.updateRatio).toBeCloseTo((0.1 * gradient) / before, 10);
    expect([weight.deadUnits, parameters[1].deadUnits]).toEqual([{ dead: 0, units: 3 }, null]);
    expect(firstNonFinite).toBeNull();
  });

  test('a unit behind a relu that never fires is dead, whichever axis of the weight numbers it', () => {
    const cases = [
      { layer: new Conv2d(2, 5, 3), units: 5 },
      { layer: new ConvTranspose2d(2, 5, 3), units: 5 },
      { layer: new Conv2d(4, 6, 3, { groups: 2 }), units: 6 },
      { layer: new ConvTranspose2d(4, 6, 3, { groups: 2 }), units: 6 },
    ];
    for (const { layer, units } of cases) {
      const channels = layer.inChannels;
      const bias = layer.bias!;
      // Units 1 and 4 are far below 0, all others far above.
      const values = Array.from({ length: units }, (_, i) => (i === 1 || i === 4 ? -100 : 100));
      layer.loadStateDict({ ...layer.stateDict(), bias: tensor(values, { shape: [...bias.shape] }) });
      sum(relu(layer.forward(randn([2, channels, 6, 6], { generator: new Generator(3) })))).backward();
      const { parameters } = diagnose(layer, () => {});
      expect(parameters[0].deadUnits, layer.toString()).toEqual({ dead: 2, units });
    }
  });

  test('the first number that is none is found in gradients first, then in weights', () => {
    const model = new Linear(2, 2, { generator: new Generator(0) });
    sum(model.forward(tensor([[1, Infinity]]))).backward();
    expect(diagnose(model, () => {}).firstNonFinite).toEqual({
      name: 'weight',
      where: 'gradient',
      index: 1,
      value: Infinity,
    });
    model.zeroGrad();
    model.loadStateDict({ ...model.stateDict(), bias: tensor([0, Number.NaN]) });
    expect(diagnose(model, () => {}).firstNonFinite).toEqual({
      name: 'bias',
      where: 'weight',
      index: 1,
      value: Number.NaN,
    });
  });
});
