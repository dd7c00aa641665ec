// Doubles the resolution of digits with a U-Net: down by convolutions, up by transposed convolutions, with shortcuts between.
//
//     node --import tsx examples/super-resolution.ts --data DIR --steps 600 --out out/super-resolution
//
// O. Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", 2015.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { add, cat, interpolate, manualSeed, mseLoss, noGrad, relu, type Tensor } from '@adjoint/core';
import { Conv2d, ConvTranspose2d, Module } from '@adjoint/nn';
import { DataLoader, TensorDataset } from '@adjoint/nn/data';
import { Adam } from '@adjoint/nn/optim';
import { imageGrid } from '@adjoint/nn/report';
import { evaluate, train } from '@adjoint/nn/train';
import { digitImages } from './digit-images.ts';

/** (N, 1, 14, 14) in, (N, 1, 28, 28) out: what is missing to bilinear enlargement. */
class SuperResolution extends Module {
  readonly wide = new Conv2d(1, 16, 3, { padding: 1 }); // 14
  readonly down = new Conv2d(16, 32, 3, { stride: 2, padding: 1 }); // 14 → 7
  readonly deep = new Conv2d(32, 32, 3, { padding: 1 });
  readonly up = new ConvTranspose2d(32, 16, 4, { stride: 2, padding: 1 }); // 7 → 14
  readonly larger = new ConvTranspose2d(32, 16, 4, { stride: 2, padding: 1 }); // 14 → 28
  readonly last = new Conv2d(16, 1, 3, { padding: 1 });

  forward(x: Tensor): Tensor {
    const wide = relu(this.wide.forward(x));
    const deep = relu(this.deep.forward(relu(this.down.forward(wide))));
    const up = relu(this.up.forward(deep));
    const larger = relu(this.larger.forward(cat([up, wide], { axis: 1 })));
    return add(enlarge(x), this.last.forward(larger));
  }
}

const enlarge = (x: Tensor): Tensor => interpolate(x, { scaleFactor: 2, mode: 'bilinear' });
// Peak signal-to-noise ratio in decibels, of pictures from 0 to 1.
const psnr = (meanSquare: number): number => -10 * Math.log10(meanSquare);

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    steps: { type: 'string', default: '600' },
    images: { type: 'string', default: '5000' },
    out: { type: 'string', default: 'out/super-resolution' },
  },
});
const { images } = await digitImages(options.data ?? process.env.ADJOINT_DATA, Number(options.images));
const small = interpolate(images, { size: 14, mode: 'area' });
const held = Math.floor(images.shape[0] / 10);
const part = (start: number, count: number) =>
  new TensorDataset(small.narrow(0, start, count), images.narrow(0, start, count));

manualSeed(0);
const model = new SuperResolution();
const optimizer = new Adam(model.parameters(), { lr: 2e-3 });
const data = new DataLoader(part(held, images.shape[0] - held), { batchSize: 32, shuffle: true });
for await (const { step, loss } of train({
  model,
  data,
  loss: mseLoss,
  optimizer,
  steps: Number(options.steps),
})) {
  if (step === 1 || step % 50 === 0) console.log(`step ${step}: ${psnr(loss).toFixed(2)} dB`);
}

const [inputs, originals] = part(0, held).tensors;
const { loss } = await evaluate({
  model,
  data: new DataLoader(part(0, held), { batchSize: 100 }),
  loss: mseLoss,
});
const bilinear = mseLoss(enlarge(inputs), originals).item();
const shown = [0, 1, 2, 3, 4, 5].map((i) => {
  const x = inputs.narrow(0, i, 1);
  return [enlarge(x), noGrad(() => model.forward(x)), originals.narrow(0, i, 1)];
});
await mkdir(options.out, { recursive: true });
await writeFile(
  join(options.out, 'samples.png'),
  imageGrid(cat(shown.flat(), { axis: 0 }), { columns: 3, scale: 3 }).png,
);
console.log(
  `held out: bilinear ${psnr(bilinear).toFixed(2)} dB, U-Net ${psnr(loss).toFixed(2)} dB; samples.png is in ${options.out}`,
);
