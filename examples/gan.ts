// Draws digits out of noise: a small DCGAN, whose generator is transposed convolutions.
//
//     node --import tsx examples/gan.ts --data DIR --steps 2000 --out out/gan
//
// A. Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial networks", 2016.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  bceWithLogits,
  Generator,
  manualSeed,
  noGrad,
  onesLike,
  randn,
  type Tensor,
  zerosLike,
} from '@adjoint/core';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  init,
  LeakyReLU,
  Linear,
  ReLU,
  Sequential,
  Sigmoid,
} from '@adjoint/nn';
import { DataLoader, TensorDataset } from '@adjoint/nn/data';
import { Adam } from '@adjoint/nn/optim';
import { imageGrid } from '@adjoint/nn/report';
import { digitImages } from './digit-images.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    steps: { type: 'string', default: '2000' },
    images: { type: 'string', default: '8000' },
    out: { type: 'string', default: 'out/gan' },
  },
});
const steps = Number(options.steps);
const noiseSize = 32;
const { images } = await digitImages(options.data ?? process.env.ADJOINT_DATA, Number(options.images));

manualSeed(0);
const artist = new Sequential(
  new ConvTranspose2d(noiseSize, 64, 7, { bias: false }), // 1 → 7
  new BatchNorm2d(64),
  new ReLU(),
  new ConvTranspose2d(64, 32, 4, { stride: 2, padding: 1, bias: false }), // 7 → 14
  new BatchNorm2d(32),
  new ReLU(),
  new ConvTranspose2d(32, 1, 4, { stride: 2, padding: 1 }), // 14 → 28
  new Sigmoid(),
);
const critic = new Sequential(
  new Conv2d(1, 32, 4, { stride: 2, padding: 1 }), // 28 → 14
  new LeakyReLU({ negativeSlope: 0.2 }),
  new Conv2d(32, 64, 4, { stride: 2, padding: 1, bias: false }), // 14 → 7
  new BatchNorm2d(64),
  new LeakyReLU({ negativeSlope: 0.2 }),
  new Flatten(),
  new Linear(64 * 7 * 7, 1),
);
for (const model of [artist, critic]) {
  model.apply((layer) => {
    if (layer instanceof Conv2d || layer instanceof ConvTranspose2d)
      init.normal_(layer.weight, { std: 0.02 });
  });
}
const artistOptimizer = new Adam(artist.parameters(), { lr: 5e-4, betas: [0.5, 0.999] });
const criticOptimizer = new Adam(critic.parameters(), { lr: 2e-4, betas: [0.5, 0.999] });
const data = new DataLoader(new TensorDataset(images), { batchSize: 32, shuffle: true, dropLast: true });
const noise = (count: number): Tensor => randn([count, noiseSize, 1, 1]);

/** One step of the critic, then one of the artist; two losses that pull against each other. */
function play(real: Tensor): { readonly criticLoss: number; readonly artistLoss: number } {
  const drawn = artist.forward(noise(real.shape[0]));
  const onReal = critic.forward(real);
  const onDrawn = critic.forward(drawn.detach());
  const criticLoss = bceWithLogits(onReal, onesLike(onReal)).add(bceWithLogits(onDrawn, zerosLike(onDrawn)));
  criticOptimizer.zeroGrad();
  criticLoss.backward();
  criticOptimizer.step();

  const judged = critic.forward(drawn);
  const artistLoss = bceWithLogits(judged, onesLike(judged));
  artistOptimizer.zeroGrad();
  artistLoss.backward();
  artistOptimizer.step();
  return { criticLoss: criticLoss.item(), artistLoss: artistLoss.item() };
}

let step = 0;
while (step < steps) {
  for await (const [real] of data) {
    const { criticLoss, artistLoss } = play(real);
    step++;
    if (step === 1 || step % 100 === 0 || step === steps) {
      console.log(`step ${step}: critic ${criticLoss.toFixed(4)}, artist ${artistLoss.toFixed(4)}`);
    }
    await setImmediate();
    if (step === steps) break;
  }
}

artist.eval();
const samples = noGrad(() => artist.forward(randn([64, noiseSize, 1, 1], { generator: new Generator(1) })));
await mkdir(options.out, { recursive: true });
await writeFile(join(options.out, 'samples.png'), imageGrid(samples, { columns: 16, scale: 2 }).png);
console.log(`Wrote samples.png to ${options.out}.`);
