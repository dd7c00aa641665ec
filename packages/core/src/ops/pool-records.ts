// What poolings are: a maximum is the element at its place, so its derivative is the adjoint of reading there, whose own is `gather`; the
// mean and its adjoint are two linear ops. ./pool.ts offers them under PyTorch's names.

import { type FloatArray, kernels, type PoolGeometry } from '@adjoint/kernels-cpu';
import type { OperandSpec } from '../record.ts';
import { defineOp, noGradient, vjpRule } from '../registry.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { gatherAlong } from './gather.ts';
import { requireIndex } from './index-values.ts';
import { flopsPerElement, requireExtents, requireOperand } from './infer.ts';
import { reshape } from './layout.ts';

const shapeOfX = (g: PoolGeometry): Shape => [g.batch, g.channels, ...g.inputSize];
const shapeOfY = (g: PoolGeometry): Shape => [g.batch, g.channels, ...g.outputSize];

const places = noGradient(
  'its result is a place, which does not change continuously; the values there have a gradient: maxPool, or gather.',
);

// One per element of each window, those past the edge included.
const flops = (_: readonly OperandSpec[], g: PoolGeometry): number =>
  sizeOf(shapeOfY(g)) * sizeOf(g.kernelSize);

/** The place of the largest element of each window, counted within the channel; the first of equals, and NaN above all. */
export const maxPoolPlacesOp = defineOp<readonly ['x'], PoolGeometry>({
  name: 'maxPoolPlaces',
  operands: ['x'],
  infer: ([x], g) => {
    requireOperand('maxPoolPlaces', 'x', x, shapeOfX(g));
    return { shape: shapeOfY(g), dtype: 'int32' };
  },
  forward: ([x], out, g) => {
    const data = x.data as FloatArray;
    const dtype = data instanceof Float64Array ? 'float64' : 'float32';
    const values = allocateUnfilled(dtype, out.length) as FloatArray;
    kernels.maxPool(g, data, values, out as Int32Array);
  },
  vjps: [places],
  recycles: true,
  forwardMode: places,
  flops,
});

/** The largest element of each window; `places` are where it is, as {@link maxPoolPlacesOp} gives them. */
export const maxPoolOp = defineOp<readonly ['x'], PoolGeometry>({
  name: 'maxPool',
  operands: ['x'],
  infer: ([x], g) => {
    requireOperand('maxPool', 'x', x, shapeOfX(g));
    const shape = shapeOfY(g);
    return { shape, dtype: x.dtype, compute: x.dtype, kept: [{ shape, dtype: 'int32' }] };
  },
  forward: ([x], out, g, _, kept) =>
    kernels.maxPool(
      g,
      x.data as FloatArray,
      out as FloatArray,
      kept === null ? null : (kept[0] as Int32Array),
    ),
  keeps: ['places'],
  vjps: [vjpRule('places', (g, places, { attrs }) => maxPoolInputGrad(g, places, attrs))],
  recycles: true,
  forwardMode: ([tangent], [x], _, { attrs }) =>
    elementsAt('maxPool', tangent!, apply(maxPoolPlacesOp, [x], attrs)),
  flops,
});

/** Each element at its place in its channel, as {@link maxPoolPlacesOp} gives places, and 0 elsewhere: the adjoint of reading there. */
export const maxPoolInputGradOp = defineOp<readonly ['y', 'places'], PoolGeometry>({
  name: 'maxPoolInputGrad',
  operands: ['y', 'places'],
  infer: ([y, indices], g) => {
    requireOperand('maxPoolInputGrad', 'y', y, shapeOfY(g));
    requireIndex('maxPoolInputGrad', 'places', indices);
    requireExtents('maxPoolInputGrad', 'places', indices, shapeOfY(g));
    return { shape: shapeOfX(g), dtype: y.dtype };
  },
  forward: ([y, indices], out, g) =>
    kernels.maxPoolInputGrad(g, y.data as FloatArray, indices.data as Int32Array, out as FloatArray),
  vjps: [
    vjpRule('places', (x, indices) => elementsAt('maxPoolInputGrad', x, indices)),
    noGradient('it chooses positions, which do not change continuously; detach what it was computed from.'),
  ],
  recycles: true,
  forwardMode: 'linear',
  flops: flopsPerElement,
});

function maxPoolInputGrad(y: Tensor, places: Tensor, geometry: PoolGeometry): Tensor {
  return apply(maxPoolInputGradOp, [y, places], geometry);
}

/** The mean of each window, with the divisor that the geometry says. */
export const avgPoolOp = defineOp<readonly ['x'], PoolGeometry>({
  name: 'avgPool',
  operands: ['x'],
  infer: ([x], g) => {
    requireOperand('avgPool', 'x', x, shapeOfX(g));
    return { shape: shapeOfY(g), dtype: x.dtype };
  },
  forward: ([x], out, g) => kernels.avgPool(g, x.data as FloatArray, out as FloatArray),
  vjps: [vjpRule((g, { attrs }) => avgPoolInputGrad(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
  flops,
});

/** The adjoint of `avgPool`: spreads each element evenly over its window. */
export const avgPoolInputGradOp = defineOp<readonly ['y'], PoolGeometry>({
  name: 'avgPoolInputGrad',
  operands: ['y'],
  infer: ([y], g) => {
    requireOperand('avgPoolInputGrad', 'y', y, shapeOfY(g));
    return { shape: shapeOfX(g), dtype: y.dtype };
  },
  forward: ([y], out, g) => kernels.avgPoolInputGrad(g, y.data as FloatArray, out as FloatArray),
  vjps: [vjpRule((g, { attrs }) => averaged(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
  flops,
});

/** The mean of each window of images. */
export function averaged(x: Tensor, geometry: PoolGeometry): Tensor {
  return apply(avgPoolOp, [x], geometry);
}

function avgPoolInputGrad(y: Tensor, geometry: PoolGeometry): Tensor {
  return apply(avgPoolInputGradOp, [y], geometry);
}

/** The elements of each channel at places that count within it: the values of a maximum, whose places these are. */
export function elementsAt(op: string, images: Tensor, places: Tensor): Tensor {
  const [batch, channels, ...size] = images.shape;
  const plane = reshape(images, [batch, channels, sizeOf(size)]);
  const index = reshape(places, [batch, channels, sizeOf(places.shape.slice(2))]);
  return reshape(gatherAlong(plane, index, { axis: 2, op }), places.shape);
}
