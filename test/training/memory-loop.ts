// 20,000 training steps of a small net without a pause; prints the resident memory after each 500, and what is held, once
// all garbage is collected, in the middle and at the end. Run by memory.test.ts with --expose-gc.

import { crossEntropy, manualSeed, randn, tensor } from '@adjoint/core';
import { Conv2d, Flatten, Linear, ReLU, Sequential } from '@adjoint/nn';
import { SGD } from '@adjoint/nn/optim';

manualSeed(1);
const model = new Sequential(
  new Conv2d(1, 2, 3, { padding: 1 }),
  new ReLU(),
  new Flatten(),
  new Linear(2 * 36, 8),
);
const optimizer = new SGD(model.parameters(), { lr: 1e-2, momentum: 0.9 });
const images = randn([4, 1, 6, 6]);
const classes = tensor([0, 3, 5, 7], { dtype: 'int32' });

const resident: number[] = [];
const held: number[] = [];
for (let step = 1; step <= 20_000; step++) {
  const loss = crossEntropy(model.forward(images), classes);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % 500 === 0) resident.push(process.memoryUsage.rss());
  if (step % 10_000 === 0) {
    globalThis.gc!();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    held.push(heapUsed + arrayBuffers);
  }
}
process.stdout.write(JSON.stringify({ resident, held }));
