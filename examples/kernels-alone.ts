// Kernels without tensors: arrays in, arrays out. A blurred edge is enlarged by a transposed convolution, which is checked to be the
// adjoint of the convolution, exactly.
//
//     node --import tsx examples/kernels-alone.ts

import { convGeometry, kernelInfo, kernels } from '@adjoint/kernels-cpu';

console.log(kernelInfo());

// 8 × 8 pixels to 4 × 4, every other one, by weights 1 2 1 in both directions.
const geometry = convGeometry({
  batch: 1,
  inChannels: 1,
  outChannels: 1,
  inputSize: [8, 8],
  kernelSize: 3,
  stride: 2,
  padding: 1,
});
const weights = Float64Array.of(1, 2, 1, 2, 4, 2, 1, 2, 1);
const picture = Float64Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 1 + Math.floor(i / 8)));

const small = new Float64Array(4 * 4);
kernels.convForward(geometry, picture, weights, small);
const enlarged = new Float64Array(8 * 8);
kernels.convInputGrad(geometry, weights, small, enlarged);

const show = (values: Float64Array, width: number): void => {
  for (let at = 0; at < values.length; at += width) {
    console.log(Array.from(values.subarray(at, at + width), (value) => String(value).padStart(5)).join(''));
  }
};
console.log('\nconvolved:');
show(small, 4);
console.log('\nand back, by the transposed convolution:');
show(enlarged, 8);

// ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩, to the last bit, for all numbers here are whole.
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
console.log(`\n⟨conv(x), y⟩ = ${dot(small, small)}, ⟨x, convᵀ(y)⟩ = ${dot(picture, enlarged)}`);
