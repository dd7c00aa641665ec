// Pooling over windows of 1 to 3 spatial axes.

import { type PerAxis, type PoolGeometry, poolGeometry } from '@adjoint/kernels-cpu';
import { formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { apply, applyKeeping } from '../tape/apply.ts';
import { watching } from '../tape/observer.ts';
import type { Tensor } from '../tensor.ts';
import type { ValuesAndIndices } from './extremes.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { averaged, maxPoolOp, maxPoolPlacesOp } from './pool-records.ts';

/** Options of `avgPool1d`, `avgPool2d` and `avgPool3d`. Per-axis options take one number for all axes, or one per axis. */
export interface AvgPoolOptions {
  /** Step of the window. Default: the kernel size. */
  readonly stride?: PerAxis | undefined;
  /** Zeros added on both sides; at most half of the kernel. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Rounds the output size up: a last window may reach past the padding, but must start before it. Default false. */
  readonly ceilMode?: boolean | undefined;
  /** Whether padded zeros count in the divisor of the mean. Default true. */
  readonly countIncludePad?: boolean | undefined;
  /** Divides every window's sum by this, whatever it covers. Default: the number of elements. */
  readonly divisorOverride?: number | undefined;
}

/** Options of `maxPool1d`, `maxPool2d` and `maxPool3d`. Per-axis options take one number for all axes, or one per axis. */
export interface MaxPoolOptions {
  /** Step of the window. Default: the kernel size. */
  readonly stride?: PerAxis | undefined;
  /** Positions added on both sides, which never win; at most half of the kernel. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Distance between elements of a window. Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Rounds the output size up: a last window may reach past the padding, but must start before it. Default false. */
  readonly ceilMode?: boolean | undefined;
}

/**
 * The mean of windows along one spatial axis. PyTorch's `avg_pool1d`; as {@link avgPool2d} with one spatial axis.
 *
 * @example
 * avgPool1d(tensor([[1, 3, 5, 7]]), 2).toArray(); // [[2, 6]]
 */
export function avgPool1d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = noOptions): Tensor {
  requireOptions('avgPool1d', options, {
    stride: 'own',
    padding: 'own',
    ceilMode: 'boolean',
    countIncludePad: 'boolean',
    divisorOverride: 'number',
  });
  return averagePool('avgPool1d', 1, x, kernelSize, options);
}

/**
 * The mean of windows over two spatial axes. PyTorch's `avg_pool2d`.
 *
 * The output size is, per axis, `floor((in + 2·padding - kernel) / stride) + 1`, rounded up with `ceilMode`.
 *
 * @param x shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param kernelSize extent of the window: one number, or one per axis.
 * @returns shape (N, C, H', W'), or (C, H', W').
 * @throws ShapeError, DTypeError or GeometryError, before any work, naming the operand or option.
 * @example
 * avgPool2d(tensor([[[1, 2], [3, 4]]]), 2).toArray(); // [[[2.5]]]
 */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = noOptions): Tensor {
  requireOptions('avgPool2d', options, {
    stride: 'own',
    padding: 'own',
    ceilMode: 'boolean',
    countIncludePad: 'boolean',
    divisorOverride: 'number',
  });
  return averagePool('avgPool2d', 2, x, kernelSize, options);
}

/**
 * The mean of windows over three spatial axes. PyTorch's `avg_pool3d`; as {@link avgPool2d} with three.
 *
 * @example
 * avgPool3d(ones([1, 2, 2, 2]), 2).toArray(); // [[[[1]]]]
 */
export function avgPool3d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = noOptions): Tensor {
  requireOptions('avgPool3d', options, {
    stride: 'own',
    padding: 'own',
    ceilMode: 'boolean',
    countIncludePad: 'boolean',
    divisorOverride: 'number',
  });
  return averagePool('avgPool3d', 3, x, kernelSize, options);
}

/**
 * The largest element of windows along one spatial axis. PyTorch's `max_pool1d`; as {@link maxPool2d} with one.
 *
 * @example
 * maxPool1d(tensor([[1, 3, 5, 7]]), 2).toArray(); // [[3, 7]]
 */
export function maxPool1d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = noOptions): Tensor {
  requireOptions('maxPool1d', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPool('maxPool1d', 1, x, kernelSize, options);
}

/**
 * The largest element of windows over two spatial axes; of equals the first gets the gradient, and NaN is the largest of all.
 * PyTorch's `max_pool2d`.
 *
 * The output size is, per axis, `floor((in + 2·padding - dilation·(kernel - 1) - 1) / stride) + 1`, rounded up with `ceilMode`.
 *
 * @param x shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param kernelSize extent of the window: one number, or one per axis.
 * @returns shape (N, C, H', W'), or (C, H', W').
 * @throws ShapeError, DTypeError or GeometryError, before any work, naming the operand or option.
 * @example
 * maxPool2d(tensor([[[1, 2], [3, 4]]]), 2).toArray(); // [[[4]]]
 */
export function maxPool2d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = noOptions): Tensor {
  requireOptions('maxPool2d', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPool('maxPool2d', 2, x, kernelSize, options);
}

/**
 * The largest element of windows over three spatial axes. PyTorch's `max_pool3d`; as {@link maxPool2d} with three.
 *
 * @example
 * maxPool3d(ones([1, 2, 2, 2]), 2).toArray(); // [[[[1]]]]
 */
export function maxPool3d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = noOptions): Tensor {
  requireOptions('maxPool3d', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPool('maxPool3d', 3, x, kernelSize, options);
}

/** {@link maxPool1d} and the place of each largest element, as {@link maxPool2dWithIndices} gives it. */
export function maxPool1dWithIndices(
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions = noOptions,
): ValuesAndIndices {
  requireOptions('maxPool1dWithIndices', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPoolWithIndices('maxPool1d', 1, x, kernelSize, options);
}

/**
 * {@link maxPool2d} and the place of each largest element: int32, its row-major number within the channel. PyTorch's
 * `max_pool2d_with_indices`.
 *
 * @example
 * maxPool2dWithIndices(tensor([[[1, 2], [4, 3]]]), 2).indices.toArray(); // [[[2]]]
 */
export function maxPool2dWithIndices(
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions = noOptions,
): ValuesAndIndices {
  requireOptions('maxPool2dWithIndices', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPoolWithIndices('maxPool2d', 2, x, kernelSize, options);
}

/** {@link maxPool3d} and the place of each largest element, as {@link maxPool2dWithIndices} gives it. */
export function maxPool3dWithIndices(
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions = noOptions,
): ValuesAndIndices {
  requireOptions('maxPool3dWithIndices', options, {
    stride: 'own',
    padding: 'own',
    dilation: 'own',
    ceilMode: 'boolean',
  });
  return maximumPoolWithIndices('maxPool3d', 3, x, kernelSize, options);
}

function averagePool(
  op: string,
  dims: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: AvgPoolOptions,
): Tensor {
  const { images, unbatch } = readImages(op, dims, x);
  return unbatch(averaged(images, geometryOf(op, images, kernelSize, options)));
}

function maximumPool(
  op: string,
  dims: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions,
): Tensor {
  const { images, unbatch } = readImages(op, dims, x);
  return unbatch(apply(maxPoolOp, [images], geometryOf(op, images, kernelSize, options)));
}

function maximumPoolWithIndices(
  op: string,
  dims: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions,
): ValuesAndIndices {
  const { images, unbatch } = readImages(op, dims, x);
  const geometry = geometryOf(op, images, kernelSize, options);
  const { output, kept } = applyKeeping(maxPoolOp, [images], geometry);
  // Who traces or watches is to see an op that gives the places; for nobody else is the kernel run twice.
  const isSeen = kept === null || watching.current !== null;
  const places = isSeen ? apply(maxPoolPlacesOp, [images], geometry) : kept[0];
  return { values: unbatch(output), indices: unbatch(places) };
}

function geometryOf(op: string, images: Tensor, kernelSize: PerAxis, options: object): PoolGeometry {
  const [batch, channels, ...inputSize] = images.shape;
  return poolGeometry({ ...options, op, batch, channels, inputSize, kernelSize });
}

/** Images with a batch axis, and what takes it off again where there was none. */
export interface Images {
  readonly images: Tensor;
  readonly unbatch: (result: Tensor) => Tensor;
}

/**
 * Gives the operand a batch axis if it has none.
 *
 * @throws ShapeError unless it has one or two axes beside the spatial ones; DTypeError for integers.
 */
export function readImages(op: string, dims: number, x: Tensor): Images {
  requireFloat(op, 'x', x);
  if (x.ndim === dims + 2) return { images: x, unbatch: (result) => result };
  if (x.ndim === dims + 1) {
    return {
      images: reshape(x, [1, ...x.shape]),
      unbatch: (result) => reshape(result, result.shape.slice(1)),
    };
  }
  throw new ShapeError(
    `x has ${x.ndim} axes (shape ${formatShape(x.shape)}); it takes ${dims + 1} or ${dims + 2}: (C, …) or (N, C, …) with ${dims} spatial.`,
    { op, operand: 'x', actual: x.shape, expected: `${dims + 1} or ${dims + 2} axes` },
  );
}
