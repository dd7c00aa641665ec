// Sliding windows as a view, and their adjoint, which adds windows up where they overlap; unfold and fold are made of the two.

import { type ConvGeometry, convGeometry, kernels, type PerAxis } from '@adjoint/kernels-cpu';
import { formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { flopsPerElement, inferSame } from './infer.ts';
import { reshape, sliceView } from './layout.ts';
import { pad } from './pad.ts';
import { readImages } from './pool.ts';

/** Windows over the spatial axes of a tensor (N, C, …) of shape `whole`. */
export interface WindowAttrs {
  readonly whole: Shape;
  readonly kernelSize: Shape;
  readonly outputSize: Shape;
  readonly stride: Shape;
  readonly dilation: Shape;
}

const shapeOf = ({ whole, kernelSize, outputSize }: WindowAttrs): Shape => [
  ...whole.slice(0, 2),
  ...kernelSize,
  ...outputSize,
];

/** The view (N, C, …kernel, …output) whose element (n, c, q, o) is x[n, c, o · stride + q · dilation]. */
export const windowsOp = defineOp<readonly ['x'], WindowAttrs>({
  name: 'windows',
  operands: ['x'],
  infer: ([x], attrs) => ({ shape: shapeOf(attrs), dtype: x.dtype }),
  view: (x, attrs) => ({ strides: windowStrides(x.strides, attrs), offset: x.offset }),
  vjps: [vjpRule((g, { attrs }) => overlapped(g, attrs))],
  forwardMode: 'linear',
});

/** The adjoint of `windows`: zeros of shape `whole` to which every window is added in its place. */
export const overlapOp = defineOp<readonly ['windows'], WindowAttrs>({
  name: 'overlap',
  operands: ['windows'],
  infer: ([windows], { whole }) => ({ shape: whole, dtype: inferSame('overlap')([windows]).dtype }),
  forward: ([windows], out, { whole, ...sliding }) => {
    const [batch, channels, ...inputSize] = whole;
    kernels.overlap({ ...sliding, planes: batch * channels, inputSize }, windows.data, out);
  },
  vjps: [vjpRule((g, { attrs }) => windows(g, attrs))],
  recycles: true,
  forwardMode: 'linear',
  flops: flopsPerElement,
});

function windowStrides(strides: readonly number[], { stride, dilation }: WindowAttrs): number[] {
  const spatial = strides.slice(2);
  return [
    ...strides.slice(0, 2),
    ...spatial.map((step, i) => step * dilation[i]),
    ...spatial.map((step, i) => step * stride[i]),
  ];
}

function windows(x: Tensor, attrs: WindowAttrs): Tensor {
  return apply(windowsOp, [x], attrs);
}

function overlapped(x: Tensor, attrs: WindowAttrs): Tensor {
  return apply(overlapOp, [x], attrs);
}

/** Options of {@link unfold} and {@link fold}. Per-axis options take one number for both axes, or one per axis. */
export interface UnfoldOptions {
  /** Step of the window. Default 1. */
  readonly stride?: PerAxis | undefined;
  /** Zeros added on both sides. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Distance between elements of a window. Default 1. */
  readonly dilation?: PerAxis | undefined;
}

/**
 * The blocks of an image that a sliding window sees, one column each ("im2col"). PyTorch's `torch.nn.functional.unfold`.
 *
 * @param x shape (N, C, H, W) or (C, H, W). Floating-point.
 * @param kernelSize extent of the window: one number, or one per axis.
 * @returns shape (N, C · kh · kw, L) or (C · kh · kw, L), where L is the number of windows.
 * @throws ShapeError, DTypeError or GeometryError, before any work, naming the operand or option.
 * @example
 * unfold(tensor([[[1, 2, 3]]]), [1, 2]).toArray(); // [[1, 2], [2, 3]]
 */
export function unfold(x: Tensor, kernelSize: PerAxis, options: UnfoldOptions = noOptions): Tensor {
  requireOptions('unfold', options, { stride: 'own', padding: 'own', dilation: 'own' });
  const { images, unbatch } = readImages('unfold', 2, x);
  const [batch, channels, ...inputSize] = images.shape;
  const geometry = geometryOf('unfold', batch, channels, inputSize, kernelSize, options);
  const { padding, outputSize } = geometry;
  const padded = pad(
    images,
    [...padding].reverse().flatMap((zeros) => [zeros, zeros]),
  );
  const columns = windows(padded, windowsOf(geometry, batch, channels));
  return unbatch(reshape(columns, [batch, channels * sizeOf(geometry.kernelSize), sizeOf(outputSize)]));
}

/**
 * Adds blocks up to an image, each in its place: the adjoint of {@link unfold} ("col2im"). PyTorch's
 * `torch.nn.functional.fold`.
 *
 * @param x shape (N, C · kh · kw, L) or (C · kh · kw, L). Floating-point.
 * @param outputSize height and width of the image: one number for both, or two.
 * @param kernelSize extent of the window: one number, or one per axis.
 * @returns shape (N, C, H, W) or (C, H, W).
 * @throws ShapeError unless the rows divide by the elements of a window and there is a column for each window; DTypeError or
 *   GeometryError, before any work, naming the operand or option.
 * @example
 * fold(tensor([[1, 2], [2, 3]]), [1, 3], [1, 2]).toArray(); // [[[1, 4, 3]]]
 */
export function fold(
  x: Tensor,
  outputSize: PerAxis,
  kernelSize: PerAxis,
  options: UnfoldOptions = noOptions,
): Tensor {
  requireOptions('fold', options, { stride: 'own', padding: 'own', dilation: 'own' });
  const op = 'fold';
  const { images: columns, unbatch } = readImages(op, 1, x);
  const [batch, rows, count] = columns.shape;
  const size = typeof outputSize === 'number' ? [outputSize, outputSize] : outputSize;
  const geometry = geometryOf(op, batch, 1, size, kernelSize, options);
  const perWindow = sizeOf(geometry.kernelSize);
  const expected = sizeOf(geometry.outputSize);
  if (rows % perWindow !== 0 || count !== expected) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; windows of ${perWindow} elements at ${expected} places take a multiple of ${perWindow} rows and ${expected} columns.`,
      { op, operand: 'x', actual: x.shape, expected: `(N, C · ${perWindow}, ${expected})` },
    );
  }
  const channels = rows / perWindow;
  const attrs = windowsOf(geometry, batch, channels);
  const padded = overlapped(reshape(columns, shapeOf(attrs)), attrs);
  const image = sliceView(padded, {
    starts: [0, 0, ...geometry.padding],
    steps: [1, 1, 1, 1],
    sizes: [batch, channels, ...geometry.inputSize],
    whole: padded.shape,
  });
  return unbatch(image);
}

function geometryOf(
  op: string,
  batch: number,
  channels: number,
  inputSize: readonly number[],
  kernelSize: PerAxis,
  options: UnfoldOptions,
): ConvGeometry {
  return convGeometry({ ...options, op, batch, inChannels: channels, outChannels: 1, inputSize, kernelSize });
}

function windowsOf(g: ConvGeometry, batch: number, channels: number): WindowAttrs {
  return {
    whole: [batch, channels, ...g.inputSize.map((size, i) => size + 2 * g.padding[i])],
    kernelSize: g.kernelSize,
    outputSize: g.outputSize,
    stride: g.stride,
    dilation: g.dilation,
  };
}
