// Teaches a tiny transformer to sort digits: each place of the output must look at all places of the input.
//
//     node --import tsx examples/transformer.ts --steps 500

import { parseArgs } from 'node:util';
import { argmax, crossEntropy, Generator, manualSeed, noGrad, randint, type Tensor } from '@adjoint/core';
import {
  Embedding,
  LearnedPositionalEncoding,
  Linear,
  Module,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@adjoint/nn';
import { AdamW } from '@adjoint/nn/optim';
import { Accuracy, evaluate, train } from '@adjoint/nn/train';

const length = 8;
const width = 32;

/** (N, length) digits in, (N, 10, length) scores out. */
class Sorter extends Module {
  readonly embedding = new Embedding(10, width);
  readonly positions = new LearnedPositionalEncoding(width, {
    maxLength: length,
    batchFirst: true,
    dropout: 0,
  });
  readonly encoder = new TransformerEncoder(
    () =>
      new TransformerEncoderLayer(width, 4, {
        dimFeedforward: 64,
        dropout: 0,
        batchFirst: true,
        normFirst: true,
      }),
    2,
  );
  readonly last = new Linear(width, 10);

  forward(x: Tensor): Tensor {
    const encoded = this.encoder.forward(this.positions.forward(this.embedding.forward(x)));
    return this.last.forward(encoded).transpose(1, 2);
  }
}

/** Batches without end, of digits and the same digits in order. */
function* sequences(seed: number, count = Infinity): Iterable<[Tensor, Tensor]> {
  const generator = new Generator(seed);
  for (let i = 0; i < count; i++) {
    const x = randint(0, 10, [64, length], { generator });
    yield [x, x.sort().values];
  }
}

const { values: options } = parseArgs({ options: { steps: { type: 'string', default: '500' } } });
const steps = Number(options.steps);
manualSeed(0);
const model = new Sorter();
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 });
for await (const { step, loss } of train({
  model,
  data: sequences(1),
  loss: crossEntropy,
  optimizer,
  steps,
  clipGradNorm: 1,
})) {
  if (step === 1 || step % 50 === 0 || step === steps) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}

const { accuracy } = await evaluate({ model, data: sequences(2, 10), metrics: { accuracy: new Accuracy() } });
const [[sample]] = sequences(3, 1);
const sorted = noGrad(() => argmax(model.forward(sample.narrow(0, 0, 1)), { axis: 1 }));
console.log(`${sample.select(0, 0).toTypedArray().join(' ')}  →  ${sorted.toTypedArray().join(' ')}`);
console.log(`places right on new sequences: ${(100 * accuracy).toFixed(2)}%`);
