// Schedulers against PyTorch, step for step; states, per-group rates, and what is refused.

import { readFileSync } from 'node:fs';
import { ArgumentError, ones, tensor } from '@adjoint/core';
import { Parameter } from '@adjoint/nn';
import {
  Adagrad,
  Adam,
  type BaseOptions,
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  type Optimizer,
  PolynomialLR,
  ReduceLROnPlateau,
  type SchedulerState,
  SequentialLR,
  SGD,
  StepLR,
} from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';

interface Schedule {
  readonly name: string;
  readonly options: { readonly of?: string };
  readonly lr: number;
  readonly rates: readonly number[];
  readonly momentum?: number;
}
interface Plateau {
  readonly options: object;
  readonly metrics: readonly number[];
  readonly rates: readonly number[];
}
interface AnyScheduler {
  step(): void;
  stateDict(): SchedulerState;
  loadStateDict(state: SchedulerState): void;
}

const oracle = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8')) as {
  readonly schedulers: readonly Schedule[];
  readonly plateau: readonly Plateau[];
};

const sgd = (lr: number): SGD => new SGD([new Parameter(ones([1]))], { lr, momentum: 0.9 });

const combinations: Readonly<Record<string, (o: Optimizer<BaseOptions>) => AnyScheduler>> = {
  'constant 5, exponential 10, cosine': (o) =>
    new SequentialLR(
      o,
      [
        new ConstantLR(o, { factor: 0.1, totalIters: 5 }),
        new ExponentialLR(o, { gamma: 0.9 }),
        new CosineAnnealingLR(o, { tMax: 10 }),
      ],
      { milestones: [5, 15] },
    ),
  'linear warm-up 4, step 6': (o) =>
    new SequentialLR(
      o,
      [
        new LinearLR(o, { startFactor: 0.1, endFactor: 1, totalIters: 4 }),
        new StepLR(o, { stepSize: 6, gamma: 0.5 }),
      ],
      { milestones: [4] },
    ),
  'constant 3, milestones from 0': (o) =>
    new SequentialLR(
      o,
      [
        new ConstantLR(o, { factor: 0.5, totalIters: 3 }),
        new MultiStepLR(o, { milestones: [0, 2, 5], gamma: 0.5 }),
      ],
      { milestones: [3] },
    ),
  'linear 4, multiplicative': (o) =>
    new SequentialLR(
      o,
      [
        new LinearLR(o, { startFactor: 1, endFactor: 0.5, totalIters: 4 }),
        new MultiplicativeLR(o, () => 0.9),
      ],
      { milestones: [4] },
    ),
  'exponential 6, restarts': (o) =>
    new SequentialLR(
      o,
      [new ExponentialLR(o, { gamma: 0.5 }), new CosineAnnealingWarmRestarts(o, { t0: 4 })],
      { milestones: [6] },
    ),
  'exponential 6, polynomial': (o) =>
    new SequentialLR(
      o,
      [new ExponentialLR(o, { gamma: 0.5 }), new PolynomialLR(o, { totalIters: 10, power: 2 })],
      { milestones: [6] },
    ),
  'constant 4, exponential': (o) =>
    new ChainedScheduler([
      new ConstantLR(o, { factor: 0.1, totalIters: 4 }),
      new ExponentialLR(o, { gamma: 0.9 }),
    ]),
};

const simple: Readonly<Record<string, (o: Optimizer<BaseOptions>, options: never) => AnyScheduler>> = {
  StepLR: (o, options) => new StepLR(o, options),
  MultiStepLR: (o, options) => new MultiStepLR(o, options),
  ExponentialLR: (o, options) => new ExponentialLR(o, options),
  LinearLR: (o, options) => new LinearLR(o, options),
  ConstantLR: (o, options) => new ConstantLR(o, options),
  PolynomialLR: (o, options) => new PolynomialLR(o, options),
  CosineAnnealingLR: (o, options) => new CosineAnnealingLR(o, options),
  CosineAnnealingWarmRestarts: (o, options) => new CosineAnnealingWarmRestarts(o, options),
  OneCycleLR: (o, options) => new OneCycleLR(o, options),
  CyclicLR: (o, options) => new CyclicLR(o, options),
  LambdaLR: (o) => new LambdaLR(o, (step) => 1 / (1 + step)),
  MultiplicativeLR: (o) => new MultiplicativeLR(o, (step) => 1 - 1 / (step + 2)),
};

describe.each(oracle.schedulers.map((run) => [run.name, JSON.stringify(run.options), run] as const))(
  '%s %s',
  (name, _, { options, lr, rates, momentum }) => {
    const make = (o: Optimizer<BaseOptions>): AnyScheduler =>
      options.of === undefined ? simple[name](o, options as never) : combinations[options.of](o);

    test('gives the rates of PyTorch', () => {
      const optimiser = sgd(lr);
      const scheduler = make(optimiser);
      rates.forEach((rate, step) => {
        if (step > 0) scheduler.step();
        const actual = optimiser.groups[0].lr;
        if (!(Math.abs(actual - rate) <= 1e-12))
          throw new Error(`step ${step}: ${actual}, PyTorch has ${rate}`);
      });
      if (momentum !== undefined) expect(optimiser.groups[0].momentum).toBeCloseTo(momentum, 12);
    });

    test('resumed from its state and that of the optimiser, goes on with the same bits', () => {
      const play = (resumeAt: number): number[] => {
        let optimiser = sgd(lr);
        let scheduler = make(optimiser);
        return rates.slice(1).map((_, step) => {
          if (step === resumeAt) {
            const states = JSON.parse(JSON.stringify([scheduler.stateDict(), optimiser.stateDict()])) as [
              SchedulerState,
              ReturnType<SGD['stateDict']>,
            ];
            optimiser = sgd(lr);
            scheduler = make(optimiser);
            optimiser.loadStateDict(states[1]);
            scheduler.loadStateDict(states[0]);
          }
          scheduler.step();
          return optimiser.groups[0].lr;
        });
      };
      const whole = play(-1);
      for (const at of [1, 7, 16]) expect(play(at)).toEqual(whole);
    });
  },
);

describe.each(oracle.plateau.map((run) => [JSON.stringify(run.options), run] as const))(
  'ReduceLROnPlateau %s',
  (_, { options, metrics, rates }) => {
    test('gives the rates of PyTorch, also when resumed in between', () => {
      let optimiser = sgd(0.5);
      let scheduler = new ReduceLROnPlateau(optimiser, options);
      metrics.forEach((metric, step) => {
        if (step % 11 === 5) {
          const states = [scheduler.stateDict(), optimiser.stateDict()] as const;
          optimiser = sgd(0.5);
          scheduler = new ReduceLROnPlateau(optimiser, options);
          scheduler.loadStateDict(JSON.parse(JSON.stringify(states[0])) as SchedulerState);
          optimiser.loadStateDict(states[1]);
        }
        scheduler.step(metric);
        expect(optimiser.groups[0].lr).toBeCloseTo(rates[step], 14);
      });
    });
  },
);

describe('groups', () => {
  test('each goes on from its own rate; one function or number per group', () => {
    const make = (): SGD =>
      new SGD([
        { params: [new Parameter(ones([1]))], lr: 1 },
        { params: [new Parameter(ones([1]))], lr: 2 },
      ]);
    const a = make();
    new StepLR(a, { stepSize: 1, gamma: 0.5 }).step();
    expect(a.groups.map(({ lr }) => lr)).toEqual([0.5, 1]);
    const b = make();
    new LambdaLR(b, [() => 3, () => 4]);
    expect(b.groups.map(({ lr }) => lr)).toEqual([3, 8]);
    const c = make();
    new CyclicLR(c, { baseLr: [0.1, 0.2], maxLr: 1, cycleMomentum: false });
    expect(c.groups.map(({ lr }) => lr)).toEqual([0.1, 0.2]);
    expect(() => new LambdaLR(make(), [() => 1])).toThrow(/1 functions and 2 groups/);
  });

  test('the first beta is cycled where there is no momentum', () => {
    const adam = new Adam([new Parameter(ones([1]))]);
    new OneCycleLR(adam, { maxLr: 1, totalSteps: 10 });
    expect(adam.groups[0].betas).toEqual([0.95, 0.999]);
  });
});

describe('what is refused', () => {
  const o = sgd(0.1);
  test.each([
    () => new StepLR(o, { stepSize: 0 }),
    () => new ExponentialLR(o, { gamma: -1 }),
    () => new ConstantLR(o, { factor: 0 }),
    () => new LinearLR(o, { startFactor: 2 }),
    () => new CosineAnnealingLR(o, { tMax: 1.5 }),
    () => new CosineAnnealingWarmRestarts(o, { t0: 5, tMult: 0 }),
    () => new OneCycleLR(o, { maxLr: 1, totalSteps: 0 }),
    () => new OneCycleLR(new Adagrad([new Parameter(tensor([1]))]), { maxLr: 1, totalSteps: 5 }),
    () => new CyclicLR(o, { baseLr: [1, 2], maxLr: 1 }),
    () => new ReduceLROnPlateau(o, { factor: 1 }),
    () => new ReduceLROnPlateau(o, { mode: 'best' as 'min' }),
    () => new SequentialLR(o, [new StepLR(o, { stepSize: 1 })], { milestones: [3] }),
    () => new SequentialLR(o, [new StepLR(sgd(1), { stepSize: 1 })], { milestones: [] }),
    () => new ChainedScheduler([]),
    () => new LambdaLR(o, { lambda: () => 1 } as never),
    () => new LambdaLR(o, [1] as never),
  ])('%s', (make) => {
    expect(make).toThrow(ArgumentError);
  });

  test('a step past the end of one cycle, and a state that is none', () => {
    const scheduler = new OneCycleLR(sgd(0.1), { maxLr: 1, totalSteps: 3 });
    for (let step = 0; step < 3; step++) scheduler.step();
    expect(() => scheduler.step()).toThrow(/step 4, and the cycle has 3/);
    expect(() => scheduler.loadStateDict({ lastEpoch: 'x' })).toThrow(/lastEpoch/);
    expect(() => new ReduceLROnPlateau(o).step('1' as never)).toThrow(ArgumentError);
  });

  test('a state of which one part does not fit changes no scheduler', () => {
    const optimiser = sgd(1);
    const chained = new ChainedScheduler([
      new StepLR(optimiser, { stepSize: 2 }),
      new ExponentialLR(optimiser, { gamma: 0.9 }),
    ]);
    chained.step();
    const [good] = chained.stateDict().schedulers as SchedulerState[];
    chained.step();
    const before = chained.stateDict();
    expect(() => chained.loadStateDict({ schedulers: [good, {}] as never })).toThrow(/lastEpoch/);
    expect(chained.stateDict()).toEqual(before);
    expect(() => chained.loadStateDict({ schedulers: [good] as never })).toThrow(/of 1 schedulers/);
  });
});
