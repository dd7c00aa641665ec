// The training loop: the same numbers as a loop written by hand, resumed or not, and manners towards the rest of the program.
import {
  ArgumentError,
  crossEntropy,
  Generator,
  manualSeed,
  mseLoss,
  mul_,
  noGrad,
  randn,
  relu,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { BatchNorm1d, Dropout, Linear, Module, MSELoss, ReLU, Sequential } from '@adjoint/nn';
import { DataLoader, TensorDataset } from '@adjoint/nn/data';
import { Adam, clipGradNorm_, EMA, LBFGS, ReduceLROnPlateau, SGD, StepLR } from '@adjoint/nn/optim';
import {
  Accuracy,
  decodeCheckpoint,
  EarlyStopping,
  encodeCheckpoint,
  evaluate,
  restoreCheckpoint,
  type TrainOptions,
  type TrainStep,
  train,
} from '@adjoint/nn/train';
import { describe, expect, test } from 'vitest';

const generator = new Generator(11);
const inputs = randn([22, 3], { generator, dtype: 'float64' });
const targets = randn([22, 2], { generator, dtype: 'float64' });
const batches: [Tensor, Tensor][] = [0, 4, 8, 12, 16].map((at) => [
  inputs.narrow(0, at, 4),
  targets.narrow(0, at, 4),
]);

function net(): Sequential {
  manualSeed(5);
  return new Sequential(
    new Linear(3, 6, { dtype: 'float64' }),
    new ReLU(),
    new Linear(6, 2, { dtype: 'float64' }),
  );
}
const weights = (model: Module) => model.parameters().map((p) => Array.from(p.toTypedArray()));

async function steps<B>(options: TrainOptions<B>): Promise<TrainStep[]> {
  const all: TrainStep[] = [];
  for await (const step of train(options)) all.push(step);
  return all;
}

describe('numbers', () => {
  test('are those of the loop that people write by hand, with clipping and a scheduler', async () => {
    const model = net();
    const optimizer = new SGD(model.parameters(), { lr: 0.3, momentum: 0.9 });
    const scheduler = new StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
    const made = await steps({
      model,
      data: batches,
      loss: new MSELoss(),
      optimizer,
      scheduler,
      epochs: 3,
      clipGradNorm: 0.5,
    });

    const other = net();
    const sgd = new SGD(other.parameters(), { lr: 0.3, momentum: 0.9 });
    const rates = new StepLR(sgd, { stepSize: 1, gamma: 0.5 });
    const expected: { loss: number; lr: number; gradNorm: number }[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [x, y] of batches) {
        sgd.zeroGrad();
        const loss = mseLoss(other.forward(x), y);
        loss.backward();
        const gradNorm = clipGradNorm_(other.parameters(), 0.5);
        expected.push({ loss: loss.item(), lr: sgd.groups[0].lr, gradNorm });
        sgd.step();
      }
      rates.step();
    }
    expect(made.map(({ loss, lr, gradNorm }) => ({ loss, lr, gradNorm }))).toEqual(expected);
    expect(weights(model)).toEqual(weights(other));
    expect(made.map(({ step, epoch, lastOfEpoch }) => [step, epoch, lastOfEpoch])).toEqual(
      expected.map((_, i) => [i + 1, 1 + Math.floor(i / 5), i % 5 === 4]),
    );
  });

  test('accumulated batches make the step of one large batch; what is left over makes one too', async () => {
    const [model, other] = [net(), net()];
    const wide = [0, 8].map((at) => [inputs.narrow(0, at, 8), targets.narrow(0, at, 8)] as [Tensor, Tensor]);
    const options = { loss: mseLoss, epochs: 2 };
    const some = await steps({
      ...options,
      model,
      data: batches,
      optimizer: new Adam(model.parameters()),
      accumulate: 2,
    });
    const data = [...wide, [inputs.narrow(0, 16, 4), targets.narrow(0, 16, 4)] as [Tensor, Tensor]];
    const whole = await steps({ ...options, model: other, data, optimizer: new Adam(other.parameters()) });
    expect(some).toHaveLength(6);
    some.forEach(({ loss }, i) => {
      expect(Math.abs(loss - whole[i].loss)).toBeLessThan(1e-12);
    });
    weights(model)
      .flat()
      .forEach((w, i) => {
        expect(Math.abs(w - weights(other).flat()[i])).toBeLessThan(1e-12);
      });
  });

  test('L-BFGS gets its closure: least squares are solved', async () => {
    manualSeed(0);
    const model = new Linear(3, 2, { dtype: 'float64' });
    const optimizer = new LBFGS(model.parameters(), {
      lineSearch: 'strongWolfe',
      toleranceGrad: 1e-12,
      toleranceChange: 0,
    });
    let seen = 0;
    const batchesSeen = { update: () => void seen++, compute: () => seen, reset: () => {} };
    await steps({
      model,
      data: [[inputs, targets]],
      loss: mseLoss,
      optimizer,
      steps: 5,
      metrics: { batchesSeen },
    });
    // Metrics count a batch once, however often the closure runs.
    expect(seen).toBe(5);
    // At the least squares the residual is orthogonal to every input. The line search compares losses, and where the gradient is below
    // √(2 λ ε loss) they differ by their rounding alone (λ, of the Hessian, and the loss are about 1): PyTorch's ends there, too, mostly far
    // below and at most at 2e-7 over forty seeds. The product with the inputs is half the number of targets times the gradient.
    const residual = noGrad(() => model.forward(inputs).sub(targets));
    const normal = inputs.transpose(0, 1).matmul(residual);
    const bound = (targets.size / 2) * Math.sqrt(2 * Number.EPSILON);
    expect(Math.max(...Array.from(normal.toTypedArray(), Math.abs))).toBeLessThan(bound);
  });

  test('the average of the weights follows each step; metrics are of the running pass', async () => {
    const model = net();
    const ema = new EMA(model, { decay: 0.5 });
    const start = weights(model)[0][0];
    let expected = start;
    const classes = tensor([0, 1, 1, 0], { dtype: 'int32' });
    const data = [[inputs.narrow(0, 0, 4), classes] as const, [inputs.narrow(0, 4, 4), classes] as const];
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const by: number[] = [];
    const forward = ([x, y]: readonly [Tensor, Tensor]) => {
      const output = model.forward(x);
      const rows = output.toArray() as number[][];
      by.push(rows.filter(([a, b], i) => Number(b > a) === classes.toTypedArray()[i]).length / 4);
      return [output, y] as const;
    };
    const metrics = { accuracy: new Accuracy() };
    for await (const step of train({
      model,
      data,
      forward,
      loss: crossEntropy,
      optimizer,
      ema,
      metrics,
      epochs: 2,
    })) {
      expected = 0.5 * expected + 0.5 * weights(model)[0][0];
      const own = by.slice(by.length - (step.lastOfEpoch ? 2 : 1));
      expect(step.metrics.accuracy).toBeCloseTo(own.reduce((a, b) => a + b) / own.length, 12);
    }
    ema.evaluate(() => expect(weights(model)[0][0]).toBeCloseTo(expected, 12));
  });
});

describe('resuming', () => {
  // All that draws or remembers: batch norm, dropout, shuffles, momentum, plateau, averages, early stopping.
  class Net extends Module {
    readonly first = new Linear(3, 8);
    readonly norm = new BatchNorm1d(8);
    readonly dropout = new Dropout(0.3);
    readonly last = new Linear(8, 2);
    forward(x: Tensor): Tensor {
      return this.last.forward(this.dropout.forward(relu(this.norm.forward(this.first.forward(x)))));
    }
  }
  const data = new TensorDataset(inputs.to('float32'), targets.to('float32'));

  function make() {
    manualSeed(3);
    const model = new Net();
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    const stopping = new EarlyStopping({ patience: 2 });
    const ema = new EMA(model, { decay: 0.9 });
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
    const parts = { model, optimizer, scheduler: { rate: scheduler, stopping }, ema, loader };
    const options = {
      model,
      optimizer,
      scheduler,
      earlyStopping: stopping,
      ema,
      data: loader,
      loss: mseLoss,
      epochs: 5,
      accumulate: 2,
      clipGradValue: 0.1,
    };
    return { parts, options };
  }

  test('after any step goes on to the same bits', async () => {
    const whole = make();
    const told: unknown[] = [];
    const saved: Uint8Array[] = [];
    const last = ({ loss, lr, epoch, step, lastOfEpoch }: TrainStep) => ({
      loss,
      lr,
      epoch,
      step,
      lastOfEpoch,
    });
    for await (const step of train(whole.options)) {
      told.push(last(step));
      saved.push(await encodeCheckpoint({ ...whole.parts, progress: step.position }));
    }
    // 6 batches a pass, by two: 3 steps.
    expect(told).toHaveLength(15);
    const end = weights(whole.parts.model);
    for (const [i, bytes] of saved.entries()) {
      const other = make();
      const checkpoint = await decodeCheckpoint(bytes);
      restoreCheckpoint(checkpoint, other.parts);
      const rest = await steps({ ...other.options, start: checkpoint.progress });
      expect(rest.map(last)).toEqual(told.slice(i + 1));
      expect(weights(other.parts.model)).toEqual(end);
      expect(other.parts.ema.stateDict().updates).toBe(15);
    }
  });
  test('between two passes over plain batches, or after the last, goes on to the same bits', async () => {
    const make = () => {
      const model = net();
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.2 });
      return {
        parts: { model, optimizer, scheduler },
        options: { model, optimizer, scheduler, data: batches, loss: mseLoss, epochs: 4 },
      };
    };
    const whole = make();
    const told: number[] = [];
    const saved: { readonly made: number; readonly bytes: Uint8Array }[] = [];
    for await (const { loss, lr, position, lastOfEpoch } of train(whole.options)) {
      told.push(loss, lr);
      if (!lastOfEpoch) continue;
      expect(position).toMatchObject({ lossSum: 0, lossCount: 0 });
      saved.push({
        made: told.length,
        bytes: await encodeCheckpoint({ ...whole.parts, progress: position }),
      });
    }
    expect(saved).toHaveLength(4);
    expect(new Set(told.filter((_, i) => i % 2 === 1)).size).toBeGreaterThan(1);
    for (const { made, bytes } of saved) {
      const other = make();
      const checkpoint = await decodeCheckpoint(bytes);
      restoreCheckpoint(checkpoint, other.parts);
      const rest = await steps({ ...other.options, start: checkpoint.progress });
      expect(rest.flatMap(({ loss, lr }) => [loss, lr])).toEqual(told.slice(made));
      expect(weights(other.parts.model)).toEqual(weights(whole.parts.model));
    }
  });

  test('in a pass of which nothing is left begins the next one', async () => {
    const rows = (count: number) =>
      new TensorDataset(inputs.narrow(0, 0, count), targets.narrow(0, 0, count));
    const make = (count: number) => {
      const model = net();
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const loader = new DataLoader(rows(count), { batchSize: 4 });
      return {
        parts: { model, optimizer },
        loader,
        options: { model, optimizer, data: loader, loss: mseLoss, epochs: 3 },
      };
    };
    // Three of five batches were trained on, and now there are no more than three.
    const whole = make(20);
    await steps({ ...whole.options, steps: 3 });
    const bytes = await encodeCheckpoint({ ...whole.parts, progress: { epoch: 0, step: 3 } });
    const checkpoint = await decodeCheckpoint(bytes);
    const [shorter, next] = [make(12), make(12)];
    restoreCheckpoint(checkpoint, shorter.parts);
    restoreCheckpoint(checkpoint, next.parts);
    shorter.loader.loadStateDict(whole.loader.stateDict());
    const told = await steps({
      ...shorter.options,
      start: { epoch: 0, step: 3, lossSum: 1, lossCount: 3 },
    });
    expect(told.map(({ epoch, step }) => [epoch, step])).toEqual(
      [4, 5, 6, 7, 8, 9].map((k) => [k < 7 ? 2 : 3, k]),
    );
    const expected = await steps({ ...next.options, start: { epoch: 1, step: 3 } });
    expect(told).toEqual(expected);
    // A pass that was not begun before, and has nothing, is a mistake.
    await expect(steps({ ...make(12).options, data: [] })).rejects.toThrow(/no batch in epoch 1/);
  });
});

describe('manners', () => {
  const options = () => {
    const model = net();
    return { model, data: batches, loss: mseLoss, optimizer: new SGD(model.parameters(), { lr: 0.01 }) };
  };

  test('others get their turn while it trains', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const turns = new Set<number>();
    const begun = performance.now();
    // A machine that gives the process little of its time takes longer to as many turns. None at all would come if the loop kept the
    // thread to itself.
    for await (const _ of train({ ...options(), epochs: 1_000_000 })) {
      turns.add(ticks);
      if (ticks > 5 || performance.now() - begun > 60_000) break;
    }
    clearInterval(timer);
    // One by one, between steps.
    expect([...turns]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('a signal ends it before the next step, and an aborted one before the first', async () => {
    const controller = new AbortController();
    const made: number[] = [];
    for await (const { step } of train({ ...options(), epochs: 9, signal: controller.signal })) {
      made.push(step);
      if (step === 7) controller.abort();
    }
    expect(made).toHaveLength(7);
    expect(await steps({ ...options(), epochs: 9, signal: controller.signal })).toEqual([]);
  });

  test('evaluation runs at the end of a pass or as often as asked, and early stopping looks at it', async () => {
    let asked = 0;
    const scores = [5, 4, 4.5, 4.2, 1];
    const score = () => ({ loss: scores[asked++], note: 'x' });
    const ends = await steps({
      ...options(),
      epochs: 9,
      evaluate: score,
      earlyStopping: new EarlyStopping({ patience: 1 }),
    });
    expect(ends.map(({ evaluation }) => evaluation?.loss ?? null).filter((loss) => loss !== null)).toEqual([
      5, 4, 4.5, 4.2,
    ]);
    expect(ends).toHaveLength(20);
    asked = 0;
    const often = await steps({ ...options(), steps: 7, evaluate: score, evaluateEvery: 3 });
    expect(often.map(({ evaluation }) => evaluation !== null)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
    await expect(
      steps({
        ...options(),
        epochs: 1,
        evaluate: score,
        earlyStopping: new EarlyStopping({ monitor: 'accuracy' }),
      }),
    ).rejects.toThrow(/no score 'accuracy' among loss, note/);
  });

  test('evaluation leaves modes, gradients and generators as they were', async () => {
    const model = new Sequential(new Linear(3, 2, { dtype: 'float64' }), new Dropout(0.5));
    const [first, drop] = model.children();
    first.eval();
    const { loss } = await evaluate({ model, data: batches, loss: mseLoss });
    expect([first.training, drop.training, model.training]).toEqual([false, true, true]);
    expect(model.parameters().every(({ grad }) => grad === null)).toBe(true);
    const whole = noGrad(() =>
      mseLoss((first as Linear).forward(inputs.narrow(0, 0, 20)), targets.narrow(0, 0, 20)),
    );
    expect(loss).toBeCloseTo(whole.item(), 12);
    await expect(evaluate({ model, data: [], loss: mseLoss })).rejects.toThrow(/no batch/);
    await expect(
      evaluate({ model, data: batches, loss: mseLoss, signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
    expect(drop.training).toBe(true);
  });

  test('what cannot be meant is refused before anything is trained', async () => {
    const { model, ...rest } = options();
    const before = weights(model);
    const refused = (more: object) => expect(steps({ ...rest, model, epochs: 1, ...more } as never)).rejects;
    await refused({ epochs: undefined }).toThrow(/neither epochs nor steps/);
    await refused({ evaluateEvery: 2 }).toThrow(/nothing to evaluate/);
    await refused({ accumulate: 0 }).toThrow(/accumulate/);
    await refused({ scheduler: new ReduceLROnPlateau(rest.optimizer), schedulerInterval: 'step' }).toThrow(
      /scores/,
    );
    await refused({ data: [] }).toThrow(/no batch in epoch 1/);
    await refused({ data: [inputs] }).toThrow(/say with forward/);
    await refused({ loss: (a: Tensor, b: Tensor) => a.sub(b) }).toThrow(/the loss has shape .*one number/);
    await refused({ optimizer: new SGD(net().parameters(), { lr: 1 }) }).toThrow(/of this very model/);
    expect(weights(model)).toEqual(before);
    // A generator is used up by its first pass.
    const once = batches.values();
    await refused({ data: once, epochs: 2 }).toThrow(/no batch in epoch 2/);
  });

  test('what cannot do its part is refused, by training and by evaluation, and named', async () => {
    const { model, ...rest } = options();
    const before = weights(model);
    const parts: readonly (readonly [operand: string, values: readonly unknown[], remedy: string])[] = [
      ['model', [3, null, {}, Linear, { forward: (x: Tensor) => x }], 'give a Module.'],
      ['data', [3, null, {}], 'give batches: a DataLoader, an array'],
      ['loss', [3, null, {}, MSELoss], 'such as new MSELoss()'],
      ['metrics', [3, null], 'give an object.'],
      ['signal', [3, null, {}], 'the signal of an AbortController'],
    ];
    for (const [operand, values, remedy] of parts) {
      for (const value of values) {
        const given = { model, data: batches, loss: mseLoss, [operand]: value };
        for (const [op, run] of [
          ['train', () => steps({ ...rest, ...given, epochs: 1 } as never)],
          ['evaluate', () => evaluate(given as never)],
        ] as const) {
          const error: unknown = await run().catch((reason: unknown) => reason);
          expect(error, `${op} ${operand}`).toBeInstanceOf(ArgumentError);
          expect(error).toMatchObject({ operand, actual: value });
          expect((error as Error).message).toContain(remedy);
        }
      }
    }
    const refused = (more: object) => expect(steps({ ...rest, model, epochs: 1, ...more } as never)).rejects;
    await refused({ metrics: { a: Accuracy } }).toThrow('metrics.a is the function Accuracy; give a metric');
    await refused({ scheduler: StepLR }).toThrow('scheduler is the function StepLR; give a scheduler');
    await refused({ start: 3 }).toThrow('start is 3; give an object.');
    await refused({ start: { lossSum: 'much' } }).toThrow('start.lossSum is "much"; give a number.');
    await refused({ loss: () => 3 }).toThrow('what the loss gave is 3; give a tensor');
    await refused({ forward: () => undefined }).toThrow('what forward gave is undefined; give an array.');
    expect(weights(model)).toEqual(before);
  });
});

test('a gradient that is scaled in place keeps its place in no graph', async () => {
  const model = net();
  const optimizer = new SGD(model.parameters(), { lr: 0 });
  for await (const _ of train({ model, data: batches, loss: mseLoss, optimizer, steps: 1, accumulate: 2 })) {
    expect(model.parameters().every(({ grad }) => grad?.isLeaf === true)).toBe(true);
    noGrad(() => mul_(model.parameters()[0].grad!, 2));
  }
});
