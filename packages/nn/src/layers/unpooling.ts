// Unpooling: what max pooling took as the largest of each window, back in its place among zeros.

import {
  ArgumentError,
  formatShape,
  requireOptions,
  requireTensor,
  reshape,
  ShapeError,
  scatter,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { type PerAxis, perAxis } from '@adjoint/core/conv';
import { Module } from '../module/module.ts';
import { optionsText } from './options.ts';

/** Options of {@link MaxUnpool1d} to {@link MaxUnpool3d}: those of the pooling that is undone. */
export interface MaxUnpoolOptions {
  /** Step of the windows. Default: their size. */
  readonly stride?: PerAxis | undefined;
  /** Padding of the pooling. Default 0. */
  readonly padding?: PerAxis | undefined;
}

/** Options of `forward` on an unpooling layer. */
export interface UnpoolForwardOptions {
  /** The spatial size of what was pooled, where windows did not fit it exactly: less than a stride from the default. */
  readonly outputSize?: PerAxis | undefined;
}

abstract class MaxUnpool extends Module {
  /** Extents of the window, one per spatial axis. */
  readonly kernelSize: readonly number[];
  /** Distance between windows, one per spatial axis. */
  readonly stride: readonly number[];
  /** By how much windows reach over both edges, one per spatial axis. */
  readonly padding: readonly number[];
  readonly #op: string;

  constructor(op: string, dims: number, kernelSize: PerAxis, options: MaxUnpoolOptions) {
    super();
    requireOptions(op, options, { stride: 'own', padding: 'own' });
    this.#op = op;
    this.kernelSize = perAxis(kernelSize, dims, { op, option: 'kernelSize', minimum: 1 });
    this.stride = perAxis(options.stride ?? kernelSize, dims, { op, option: 'stride', minimum: 1 });
    this.padding = perAxis(options.padding ?? 0, dims, { op, option: 'padding', minimum: 0 });
  }

  /**
   * @param x what pooling gave, shape (N, C, …) or (C, …).
   * @param indices the places that it told beside it (`maxPool2dWithIndices`), int32 of the same shape; of two for one place the last stands.
   * @throws ShapeError if the shapes differ; ArgumentError for an `outputSize` that the windows cannot come from, or a place beyond it.
   */
  forward(x: Tensor, indices: Tensor, options: UnpoolForwardOptions = {}): Tensor {
    requireOptions(`${this.#op}.forward`, options, { outputSize: 'own' });
    const dims = this.kernelSize.length;
    requireTensor(`${this.#op}.forward`, 'x', x);
    requireTensor(`${this.#op}.forward`, 'indices', indices);
    const lead = x.shape.slice(0, Math.max(x.ndim - dims, 0));
    if (String(indices.shape) !== String(x.shape) || (x.ndim !== dims + 1 && x.ndim !== dims + 2)) {
      throw new ShapeError(
        `x has shape ${formatShape(x.shape)} and indices ${formatShape(indices.shape)}; give both of one shape, with ${dims} spatial axes behind (N, C) or (C).`,
        { op: this.#op, operand: 'indices', actual: indices.shape, expected: formatShape(x.shape) },
      );
    }
    const size = this.#outputSize(x.shape.slice(lead.length), options.outputSize);
    const rows = [...lead, x.shape.slice(lead.length).reduce((product, extent) => product * extent, 1)];
    const plane = size.reduce((product, extent) => product * extent, 1);
    const empty = zeros([...lead, plane], { dtype: x.dtype });
    const placed = scatter(empty, lead.length, reshape(indices, rows), reshape(x, rows));
    return reshape(placed, [...lead, ...size]);
  }

  #outputSize(pooled: readonly number[], wanted: PerAxis | undefined): readonly number[] {
    const { kernelSize, stride, padding } = this;
    const usual = pooled.map((size, i) => (size - 1) * stride[i] - 2 * padding[i] + kernelSize[i]);
    if (wanted === undefined) return usual;
    const sizes = perAxis(wanted, pooled.length, { op: this.#op, option: 'outputSize', minimum: 1 });
    const wrong = sizes.findIndex((size, i) => Math.abs(size - usual[i]) >= stride[i]);
    if (wrong < 0) return sizes;
    const expected = `an integer above ${usual[wrong] - stride[wrong]} and below ${usual[wrong] + stride[wrong]}`;
    throw new ArgumentError(
      `outputSize[${wrong}] is ${sizes[wrong]}; windows of these sizes and strides come from ${expected}.`,
      { op: this.#op, operand: 'outputSize', actual: sizes[wrong], expected },
    );
  }

  override extraRepr(): string {
    return optionsText([this.kernelSize], { stride: this.stride, padding: this.padding });
  }
}

/** The inverse of max pooling along one axis, zeros where nothing was the largest. PyTorch's `nn.MaxUnpool1d`; see {@link MaxUnpool2d}. */
export class MaxUnpool1d extends MaxUnpool {
  constructor(kernelSize: PerAxis, options: MaxUnpoolOptions = {}) {
    super('MaxUnpool1d', 1, kernelSize, options);
  }
}

/**
 * The inverse of max pooling over two axes, as far as there is one: each largest element in its place, zeros in all others. PyTorch's
 * `nn.MaxUnpool2d`; Zeiler and Fergus 2014.
 *
 * @throws GeometryError for an illegal option.
 * @example
 * const { values, indices } = maxPool2dWithIndices(tensor([[[1, 2], [4, 3]]]), 2);
 * new MaxUnpool2d(2).forward(values, indices).toArray(); // [[[0, 0], [4, 0]]]
 */
export class MaxUnpool2d extends MaxUnpool {
  constructor(kernelSize: PerAxis, options: MaxUnpoolOptions = {}) {
    super('MaxUnpool2d', 2, kernelSize, options);
  }
}

/** The inverse of max pooling over three axes, zeros where nothing was the largest. PyTorch's `nn.MaxUnpool3d`; see {@link MaxUnpool2d}. */
export class MaxUnpool3d extends MaxUnpool {
  constructor(kernelSize: PerAxis, options: MaxUnpoolOptions = {}) {
    super('MaxUnpool3d', 3, kernelSize, options);
  }
}
