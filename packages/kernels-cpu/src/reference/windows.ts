// The adjoint of sliding windows: windows added up where they overlap.

import type { Kernels } from '../kernels.ts';
import { elementCount } from './strided.ts';
import { threeAxes } from './taps.ts';

export const overlap: Kernels['overlap'] = (g, windows, out) => {
  const [, inHeight, inWidth] = threeAxes(g.inputSize, 1);
  const kernel = threeAxes(g.kernelSize, 1);
  const places = threeAxes(g.outputSize, 1);
  const stride = threeAxes(g.stride, 1);
  const dilation = threeAxes(g.dilation, 1);
  const inPlane = elementCount(g.inputSize);
  out.fill(0);
  let next = 0;
  for (let plane = 0; plane < g.planes; plane++) {
    for (const [qd, qh, qw] of indices(kernel)) {
      for (const [d, h, w] of indices(places)) {
        const row = (d * stride[0] + qd * dilation[0]) * inHeight + h * stride[1] + qh * dilation[1];
        out[plane * inPlane + row * inWidth + w * stride[2] + qw * dilation[2]] += windows[next++];
      }
    }
  }
};

/** All places of three axes, row-major. */
function* indices([depth, height, width]: readonly number[]): Generator<readonly [number, number, number]> {
  for (let d = 0; d < depth; d++)
    for (let h = 0; h < height; h++) for (let w = 0; w < width; w++) yield [d, h, w];
}
