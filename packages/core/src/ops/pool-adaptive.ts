// Adaptive pooling: the output size is given, and the windows follow. They may differ in size by one and overlap.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { ArgumentError, quote } from '../errors.ts';
import { defineOp, noGradient } from '../registry.ts';
import { checkShape, type Shape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extremes.ts';
import { flopsPerElement, requireFloat } from './infer.ts';
import { readImages } from './pool.ts';
import { elementsAt } from './pool-records.ts';
import { type Resampling, resample, resampling } from './resample.ts';

const places = noGradient(
  'its result is a place, which does not change continuously; the values there have a gradient: adaptiveMaxPool, or gather.',
);

/** The place of the largest element of each window, counted within the channel; the first of equals, and NaN above all. */
export const adaptiveMaxPoolPlacesOp = defineOp<readonly ['x'], { readonly outputSize: Shape }>({
  name: 'adaptiveMaxPoolPlaces',
  operands: ['x'],
  infer: ([x], { outputSize }) => {
    requireFloat('adaptiveMaxPoolPlaces', 'x', x);
    return { shape: [...x.shape.slice(0, 2), ...outputSize], dtype: 'int32' };
  },
  forward: ([x], out, { outputSize }) => {
    const [batch, channels, ...inputSize] = x.shape;
    const planes = batch * channels;
    kernels.adaptiveMaxPool(planes, inputSize, outputSize, x.data as FloatArray, out as Int32Array);
  },
  vjps: [places],
  recycles: true,
  forwardMode: places,
  flops: flopsPerElement,
});

/** Output sizes: one for all axes or one per axis; null keeps the size of the input. */
export type AdaptiveSize = number | null | readonly (number | null)[];

/**
 * The mean of as many windows as the output has elements, over one axis. PyTorch's `adaptive_avg_pool1d`; as
 * {@link adaptiveAvgPool2d} with one spatial axis.
 *
 * @example
 * adaptiveAvgPool1d(tensor([[1, 2, 3, 4]]), 2).toArray(); // [[1.5, 3.5]]
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveAverage('adaptiveAvgPool1d', 1, x, outputSize);
}

/**
 * The mean of as many windows as the output has elements, over two axes. PyTorch's `adaptive_avg_pool2d`.
 *
 * Along an axis window `o` covers `floor(o · in / out)` up to, but not with, `ceil((o + 1) · in / out)`.
 *
 * @param x shape (N, C, H, W) or (C, H, W); N may be 0. Floating-point.
 * @param outputSize one number or one per axis; null keeps the size of the input.
 * @returns shape (N, C, H', W') or (C, H', W').
 * @throws ShapeError or DTypeError for the operand, ArgumentError for the size.
 * @example
 * adaptiveAvgPool2d(ones([3, 7, 5]), 1).shape; // [3, 1, 1]
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveAverage('adaptiveAvgPool2d', 2, x, outputSize);
}

/** As {@link adaptiveAvgPool2d} with three spatial axes. PyTorch's `adaptive_avg_pool3d`. */
export function adaptiveAvgPool3d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveAverage('adaptiveAvgPool3d', 3, x, outputSize);
}

/** The largest element of each window of {@link adaptiveAvgPool1d}. PyTorch's `adaptive_max_pool1d`. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool1dWithIndices(x, outputSize).values;
}

/**
 * The largest element of each window of {@link adaptiveAvgPool2d}, with its shapes and errors. PyTorch's
 * `adaptive_max_pool2d`.
 *
 * @example
 * adaptiveMaxPool2d(tensor([[[1, 2], [3, 4]]]), 1).toArray(); // [[[4]]]
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool2dWithIndices(x, outputSize).values;
}

/** As {@link adaptiveMaxPool2d} with three spatial axes. PyTorch's `adaptive_max_pool3d`. */
export function adaptiveMaxPool3d(x: Tensor, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool3dWithIndices(x, outputSize).values;
}

/** {@link adaptiveMaxPool1d} and the place of each largest element: int32, its row-major number within the channel. */
export function adaptiveMaxPool1dWithIndices(x: Tensor, outputSize: AdaptiveSize): ValuesAndIndices {
  return adaptiveMaximum('adaptiveMaxPool1d', 1, x, outputSize);
}

/** {@link adaptiveMaxPool2d} and the place of each largest element: int32, its row-major number within the channel. */
export function adaptiveMaxPool2dWithIndices(x: Tensor, outputSize: AdaptiveSize): ValuesAndIndices {
  return adaptiveMaximum('adaptiveMaxPool2d', 2, x, outputSize);
}

/** {@link adaptiveMaxPool3d} and the place of each largest element: int32, its row-major number within the channel. */
export function adaptiveMaxPool3dWithIndices(x: Tensor, outputSize: AdaptiveSize): ValuesAndIndices {
  return adaptiveMaximum('adaptiveMaxPool3d', 3, x, outputSize);
}

function adaptiveAverage(op: string, dims: number, x: Tensor, outputSize: AdaptiveSize): Tensor {
  const { images, unbatch } = readImages(op, dims, x);
  const sizes = readSize(op, images.shape.slice(2), outputSize);
  return unbatch(averageTo(images, sizes));
}

function adaptiveMaximum(op: string, dims: number, x: Tensor, outputSize: AdaptiveSize): ValuesAndIndices {
  const { images, unbatch } = readImages(op, dims, x);
  const sizes = readSize(op, images.shape.slice(2), outputSize);
  const indices = apply(adaptiveMaxPoolPlacesOp, [images], { outputSize: sizes });
  return { values: unbatch(elementsAt(op, images, indices)), indices: unbatch(indices) };
}

/** Means over windows, axis by axis: the mean over a box is the mean of the means over its sides. */
export function averageTo(images: Tensor, sizes: Shape): Tensor {
  return sizes.reduce((averaged, size, i) => {
    const axis = i + 2;
    return size === images.shape[axis]
      ? averaged
      : resample(averaged, windowMeans(axis, images.shape[axis], size));
  }, images);
}

function windowMeans(axis: number, input: number, output: number): Resampling {
  const rows = Array.from({ length: output }, (_, o) => {
    const first = Math.floor((o * input) / output);
    const count = Math.ceil(((o + 1) * input) / output) - first;
    return Array.from({ length: count }, (__, i): [number, number] => [first + i, 1 / count]);
  });
  return resampling(axis, input, rows);
}

function readSize(op: string, inputSize: Shape, outputSize: AdaptiveSize): number[] {
  const list = Array.isArray(outputSize) ? outputSize : inputSize.map(() => outputSize as number | null);
  const sizes: number[] = Array.from(list, (size: number | null, i) => size ?? inputSize[i]);
  const legal =
    sizes.length === inputSize.length && sizes.every((size) => Number.isInteger(size) && size >= 0);
  if (!legal) {
    throw new ArgumentError(
      `outputSize is ${quote(outputSize)}; it takes a non-negative integer, or ${inputSize.length} of them or of null (the size of the input).`,
      { op, operand: 'outputSize', actual: outputSize, expected: `a size, or ${inputSize.length} sizes` },
    );
  }
  if (sizeOf(inputSize) === 0 && sizeOf(sizes) > 0) {
    throw new ArgumentError(
      `the spatial size is [${inputSize.join(', ')}], and empty windows have no value.`,
      {
        op,
        operand: 'x',
        actual: inputSize,
        expected: 'non-empty spatial axes',
      },
    );
  }
  checkShape(sizes, op);
  return sizes;
}
