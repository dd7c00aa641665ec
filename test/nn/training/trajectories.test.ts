// Whole training runs against PyTorch in float64: from its initial state, the same loss at every step and the same state in the end.

import { readFileSync } from 'node:fs';
import { gelu, noGrad, type Tensor, tensor, transpose } from '@adjoint/core';
import {
  BatchNorm2d,
  BCEWithLogitsLoss,
  Conv2d,
  ConvTranspose2d,
  CrossEntropyLoss,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  LeakyReLU,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  MSELoss,
  type Parameter,
  ReLU,
  Sequential,
  Tanh,
  TransformerEncoderLayer,
} from '@adjoint/nn';
import {
  Adam,
  AdamW,
  type BaseOptions,
  CosineAnnealingLR,
  clipGradNorm_,
  OneCycleLR,
  type Optimizer,
  RMSprop,
  type Scheduler,
  SGD,
  StepLR,
} from '@adjoint/nn/optim';
import { expect, test } from 'vitest';
import { expectClose } from '../../parity/oracle.ts';

interface Encoded {
  readonly dtype: 'float64' | 'int32';
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Run {
  readonly name: string;
  readonly start: Readonly<Record<string, Encoded>>;
  readonly inputs: readonly Encoded[];
  readonly losses: readonly number[];
  readonly end: Readonly<Record<string, Encoded>>;
  readonly evaluated: number;
}

const runs = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8')) as readonly Run[];
const float64 = { dtype: 'float64' } as const;
const decode = ({ dtype, shape, data }: Encoded): Tensor => tensor([...data], { shape, dtype });

class Recurrent extends Module {
  readonly embedding = new Embedding(7, 3, float64);
  readonly rnn = new LSTM(3, 4, { numLayers: 2, batchFirst: true, ...float64 });
  readonly head = new Linear(4, 7, float64);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.rnn.forward(this.embedding.forward(x)).output);
  }
}

class Attention extends Module {
  readonly encoder = new TransformerEncoderLayer(4, 2, {
    dimFeedforward: 8,
    dropout: 0,
    batchFirst: true,
    activation: (x) => gelu(x),
    ...float64,
  });
  readonly head = new Linear(4, 1, float64);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.encoder.forward(x));
  }
}

interface Setup {
  readonly model: Module & { forward(x: Tensor): Tensor };
  readonly loss: (output: Tensor, inputs: readonly Tensor[]) => Tensor;
  readonly optimizer: (params: Parameter[]) => Optimizer<BaseOptions>;
  readonly scheduler?: (optimizer: Optimizer<BaseOptions>) => Scheduler;
  readonly clip?: number;
}

const setups: Readonly<Record<string, () => Setup>> = {
  autoencoder: () => ({
    model: new Sequential(
      new Conv2d(1, 4, 3, { stride: 2, padding: 1, bias: false }),
      new BatchNorm2d(4),
      new ReLU(),
      new ConvTranspose2d(4, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2, bias: false }),
      new BatchNorm2d(4),
      new LeakyReLU({ negativeSlope: 0.1 }),
      new ConvTranspose2d(4, 1, 3, { padding: 1 }),
    ).to('float64'),
    loss: (output, [x]) => new BCEWithLogitsLoss().forward(output, x),
    optimizer: (params) => new Adam(params, { lr: 0.02 }),
    scheduler: (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 10 }),
  }),
  classifier: () => ({
    model: new Sequential(
      new Conv2d(1, 3, 3),
      new Tanh(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(12, 6),
      new LayerNorm(6),
      new GELU(),
      new Linear(6, 4),
    ).to('float64'),
    loss: (output, [, target]) => new CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(output, target),
    optimizer: (params) => new RMSprop(params, { lr: 0.01, momentum: 0.5 }),
    scheduler: (optimizer) => new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }),
    clip: 1,
  }),
  recurrent: () => ({
    model: new Recurrent(),
    loss: (output, [, target]) => new CrossEntropyLoss().forward(transpose(output, 1, 2), target),
    optimizer: (params) => new AdamW(params, { lr: 0.05 }),
    clip: 0.5,
  }),
  attention: () => ({
    model: new Attention(),
    loss: (output, [, target]) => new MSELoss().forward(output, target),
    optimizer: (params) => new SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
    scheduler: (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.02, totalSteps: 9 }),
  }),
};

test.each(runs.map((run) => [run.name, run] as const))('%s', (name, run) => {
  const { model, loss, optimizer: makeOptimizer, scheduler: makeScheduler, clip } = setups[name]();
  model.loadStateDict(
    Object.fromEntries(Object.entries(run.start).map(([key, value]) => [key, decode(value)])),
  );
  const inputs = run.inputs.map(decode);
  const optimizer = makeOptimizer(model.parameters());
  const scheduler = makeScheduler?.(optimizer);
  const near = (actual: number, expected: number, what: string): void => {
    if (!(Math.abs(actual - expected) <= 1e-10 * Math.max(1, Math.abs(expected))))
      throw new Error(`${what}: ${actual}, PyTorch has ${expected}`);
  };
  run.losses.forEach((expected, step) => {
    optimizer.zeroGrad();
    const value = loss(model.forward(inputs[0]), inputs);
    value.backward();
    if (clip !== undefined) clipGradNorm_(model.parameters(), clip);
    optimizer.step();
    scheduler?.step();
    near(value.item(), expected, `loss of step ${step}`);
  });
  const state = model.stateDict({ layout: 'pytorch' });
  expect(Object.keys(state).sort()).toEqual(Object.keys(run.end).sort());
  for (const [key, { dtype, shape, data }] of Object.entries(run.end)) {
    const actual = { dtype, shape: state[key].shape, data: Float64Array.from(state[key].toTypedArray()) };
    expectClose(actual, { dtype, shape, data: Float64Array.from(data) }, { what: key });
  }
  model.eval();
  near(noGrad(() => loss(model.forward(inputs[0]), inputs)).item(), run.evaluated, 'loss in evaluation');
});
