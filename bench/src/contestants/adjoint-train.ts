// Training steps with @adjoint/nn, as a user writes them. torch_peer.py has the same models, parameter by parameter.

import { crossEntropy, noGrad, type Tensor, tensor } from '@adjoint/core';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  Linear,
  MaxPool2d,
  type Module,
  MSELoss,
  ReLU,
  Sequential,
  Tanh,
  TransformerEncoderLayer,
} from '@adjoint/nn';
import { Adam, SGD } from '@adjoint/nn/optim';
import type { TrainCase } from '../cases.ts';
import { fill, initial } from '../data.ts';
import type { Prepared } from './contestant.ts';

interface Task {
  readonly model: Module;
  readonly loss: () => Tensor;
  readonly optimizer: SGD | Adam;
}

function values(seed: number, shape: readonly number[]): Tensor {
  return tensor(
    fill(
      seed,
      shape.reduce((product, size) => product * size, 1),
    ),
    { shape },
  );
}

function initialise(model: Module): void {
  for (const [name, parameter] of model.namedParameters()) {
    noGrad(() => parameter.copy_(tensor(initial(name, parameter.shape), { shape: parameter.shape })));
  }
}

function classifier(model: Sequential, input: readonly number[], classes: number): Task {
  initialise(model);
  const x = values(1, input);
  const target = tensor(
    Array.from({ length: input[0] }, (_, i) => i % classes),
    { dtype: 'int32' },
  );
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  return { model, optimizer, loss: () => crossEntropy(model.forward(x), target) };
}

function regressor(
  model: Sequential | TransformerEncoderLayer,
  input: readonly number[],
  output: readonly number[],
): Task {
  initialise(model);
  const x = values(1, input);
  const target = values(2, output);
  const criterion = new MSELoss();
  const optimizer = new Adam(model.parameters(), { lr: 1e-4 });
  return { model, optimizer, loss: () => criterion.forward(model.forward(x), target) };
}

function up(inChannels: number, outChannels: number): ConvTranspose2d {
  return new ConvTranspose2d(inChannels, outChannels, 4, { stride: 2, padding: 1, bias: false });
}

function build(model: TrainCase['model']): Task {
  switch (model) {
    case 'tinyMlp':
      return classifier(new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 4)), [4, 8], 4);
    case 'mlp':
      return classifier(
        new Sequential(
          new Linear(784, 512),
          new ReLU(),
          new Linear(512, 512),
          new ReLU(),
          new Linear(512, 10),
        ),
        [128, 784],
        10,
      );
    case 'lenet':
      return classifier(
        new Sequential(
          new Conv2d(1, 6, 5, { padding: 2 }),
          new ReLU(),
          new MaxPool2d(2),
          new Conv2d(6, 16, 5),
          new ReLU(),
          new MaxPool2d(2),
          new Flatten(),
          new Linear(400, 120),
          new ReLU(),
          new Linear(120, 84),
          new ReLU(),
          new Linear(84, 10),
        ),
        [64, 1, 28, 28],
        10,
      );
    case 'decoder':
      return regressor(
        new Sequential(
          new ConvTranspose2d(100, 256, 4, { bias: false }),
          new BatchNorm2d(256),
          new ReLU(),
          up(256, 128),
          new BatchNorm2d(128),
          new ReLU(),
          up(128, 64),
          new BatchNorm2d(64),
          new ReLU(),
          up(64, 3),
          new Tanh(),
        ),
        [32, 100, 1, 1],
        [32, 3, 32, 32],
      );
    case 'transformer':
      return regressor(
        new TransformerEncoderLayer(128, 4, { dimFeedforward: 512, dropout: 0, batchFirst: true }),
        [16, 64, 128],
        [16, 64, 128],
      );
  }
}

/** A model, its data and its optimiser; the results are the losses of three steps. */
export function train(name: TrainCase['model']): Prepared {
  const { optimizer, loss } = build(name);
  const step = (): Tensor => {
    const value = loss();
    optimizer.zeroGrad();
    value.backward();
    optimizer.step();
    return value;
  };
  return {
    run: () => void step(),
    results: () => [[step().item(), step().item(), step().item()]],
  };
}
