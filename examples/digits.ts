// Tells handwritten digits apart with LeNet-5, and writes a report of how it went.
//
//     node --import tsx examples/digits.ts --data DIR --steps 1000 --out out/digits
//
// Without --data (or ADJOINT_DATA) the digits are drawn. Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crossEntropy, Generator, manualSeed, type Tensor } from '@adjoint/core';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@adjoint/nn';
import { DataLoader, randomAffine, randomSplit, TensorDataset } from '@adjoint/nn/data';
import { openTensorBoard } from '@adjoint/nn/log';
import { AdamW, OneCycleLR } from '@adjoint/nn/optim';
import { createProgress } from '@adjoint/nn/progress';
import { htmlReport, imageGrid, type LossPoint } from '@adjoint/nn/report';
import { Accuracy, ConfusionMatrix, evaluate, scalarsOf, train } from '@adjoint/nn/train';
import { digitImages } from './digit-images.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    images: { type: 'string', default: '10000' },
    out: { type: 'string', default: 'out/digits' },
  },
});
const steps = Number(options.steps);
await mkdir(options.out, { recursive: true });

const { images, labels, source } = await digitImages(
  options.data ?? process.env.ADJOINT_DATA,
  Number(options.images),
);
const [training, testing] = randomSplit(new TensorDataset(images, labels), [0.8, 0.2], {
  generator: new Generator(0),
});
console.log(`${training.length} digits to train on, ${testing.length} to test on: ${source}`);

manualSeed(0);
const model = new Sequential(
  new Conv2d(1, 6, 5, { padding: 2 }),
  new ReLU(),
  new MaxPool2d(2),
  new Conv2d(6, 16, 5),
  new ReLU(),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(16 * 5 * 5, 120),
  new ReLU(),
  new Linear(120, 84),
  new ReLU(),
  new Linear(84, 10),
);
const optimizer = new AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.01 });
const scheduler = new OneCycleLR(optimizer, { maxLr: 4e-3, totalSteps: Math.max(2, steps) });

// Each digit is turned and shifted a little, anew in every pass.
const transform = ([image, label]: readonly [Tensor, Tensor], generator: Generator) =>
  [
    randomAffine(image, { degrees: 8, translate: [0.06, 0.06], scale: [0.9, 1.1], generator }),
    label,
  ] as const;
const data = new DataLoader(training, { batchSize: 64, shuffle: true, dropLast: true, transform });
const heldOut = new DataLoader(testing, { batchSize: 250 });
const metrics = { accuracy: new Accuracy(), confusion: new ConfusionMatrix(10) };
const test = () => evaluate({ model, data: heldOut, loss: crossEntropy, metrics });

const board = openTensorBoard(join(options.out, 'tensorboard'));
const progress = createProgress({ total: steps, unit: 'steps' });
const curve: LossPoint[] = [];
const checked: LossPoint[] = [];
const run = train({
  model,
  data,
  loss: crossEntropy,
  optimizer,
  scheduler,
  schedulerInterval: 'step',
  steps,
  evaluate: test,
});
for await (const step of run) {
  board.log(step.step, scalarsOf(step));
  curve.push({ step: step.step, loss: step.loss });
  if (step.evaluation !== null) checked.push({ step: step.step, loss: Number(step.evaluation.loss) });
  progress.update(step.step, { epoch: step.epoch, loss: step.loss });
}
progress.stop();
board.close();

const { loss, accuracy, confusion } = await test();
const report = htmlReport({
  title: 'LeNet-5 on handwritten digits',
  summary: `${training.length} digits to train on, ${testing.length} to test on: ${source}.`,
  facts: { 'test accuracy': accuracy, 'test loss': loss, steps },
  curves: [{ title: 'Cross-entropy', training: curve, heldOut: checked }],
  confusion: { counts: confusion },
  pictures: [
    { ...imageGrid(images.narrow(0, 0, 32), { columns: 16, scale: 2 }), caption: 'The first digits' },
  ],
});
await writeFile(join(options.out, 'report.html'), report);
console.log(`first loss ${curve[0].loss.toFixed(4)}, last loss ${curve.at(-1)?.loss.toFixed(4)}`);
console.log(
  `test accuracy ${(100 * accuracy).toFixed(2)}%; report.html and tensorboard/ are in ${options.out}`,
);
