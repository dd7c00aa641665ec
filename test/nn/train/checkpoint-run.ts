// A training run that checkpoints after every step, for a test to kill: checkpoint-run.ts FILE STEPS
import { existsSync } from 'node:fs';
import { add, Generator, manualSeed, mseLoss, rand, randn, type Tensor } from '@adjoint/core';
import { Dropout, Linear, Sequential } from '@adjoint/nn';
import { loadCheckpoint, saveCheckpoint } from '@adjoint/nn/checkpoint';
import { DataLoader, TensorDataset } from '@adjoint/nn/data';
import { Adam, CosineAnnealingLR, EMA } from '@adjoint/nn/optim';
import { type Position, train } from '@adjoint/nn/train';

const [path, steps] = process.argv.slice(2);
manualSeed(5);
const x = randn([50, 160], { generator: new Generator(6) });
// Dropout draws from the default generator, and the loader from one of its own.
const model = new Sequential(new Linear(160, 160), new Dropout(0.5));
const optimizer = new Adam(model.parameters(), { lr: 0.01 });
const scheduler = new CosineAnnealingLR(optimizer, { tMax: Number(steps) });
const ema = new EMA(model);
const data = new DataLoader(new TensorDataset(x, x), {
  batchSize: 8,
  shuffle: true,
  generator: new Generator(7),
  transform: ([a, b]: readonly [Tensor, Tensor], generator) =>
    [add(a, rand(a.shape, { generator })), b] as const,
});
const parts = { model, optimizer, scheduler, ema, loader: data };
let start: Partial<Position> = {};
if (existsSync(path)) start = (await loadCheckpoint(path, parts)).progress;
process.stdout.write(`at ${start.step ?? 0}\n`);
const run = { model, optimizer, scheduler, schedulerInterval: 'step', ema, data, loss: mseLoss } as const;
for await (const { step, position } of train({ ...run, steps: Number(steps), start })) {
  process.stdout.write(`saving ${step}\n`);
  await saveCheckpoint(path, { ...parts, progress: position });
  process.stdout.write(`saved ${step}\n`);
}
