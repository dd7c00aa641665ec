// A training run that checkpoints after every step, for a test to kill: checkpoint-run.ts FILE STEPS
import { existsSync } from 'node:fs';
import { add, Generator, manualSeed, rand, randn } from '@adjoint/core';
import { Linear } from '@adjoint/nn';
import { loadCheckpoint, saveCheckpoint } from '@adjoint/nn/checkpoint';
import { Adam } from '@adjoint/nn/optim';

const [path, steps] = process.argv.slice(2);
manualSeed(5);
const model = new Linear(160, 160);
const optimizer = new Adam(model.parameters(), { lr: 0.01 });
const shuffle = new Generator(6);
const parts = { model, optimizer, generators: { shuffle } };
let step = 0;
if (existsSync(path)) step = (await loadCheckpoint(path, parts)).progress.step;
process.stdout.write(`at ${step}\n`);
while (step < Number(steps)) {
  const x = randn([8, 160], { generator: shuffle });
  optimizer.zeroGrad();
  // The noise comes from the default generator.
  model
    .forward(add(x, rand(x.shape)))
    .square()
    .mean()
    .backward();
  optimizer.step();
  step++;
  process.stdout.write(`saving ${step}\n`);
  await saveCheckpoint(path, { ...parts, progress: { step } });
  process.stdout.write(`saved ${step}\n`);
}
