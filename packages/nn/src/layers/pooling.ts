// Pooling as modules, each thin over the function of the same name in core.

import {
  type AdaptiveSize,
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { type PerAxis, perAxis } from '@adjoint/core/conv';
import { Module } from '../module/module.ts';
import { optionsText } from './options.ts';

/** Pooling by windows of a given size. */
abstract class Pool<Options extends { readonly dilation?: PerAxis | undefined }> extends Module {
  /** Extents of the window, one per spatial axis. */
  readonly kernelSize: readonly number[];
  /** The options of the function, as they were given. */
  readonly options: Options;
  readonly #fn: (x: Tensor, kernelSize: PerAxis, options: Options) => Tensor;

  constructor(
    op: string,
    dims: number,
    fn: (x: Tensor, kernelSize: PerAxis, options: Options) => Tensor,
    kernelSize: PerAxis,
    options: Options,
  ) {
    super();
    this.kernelSize = perAxis(kernelSize, dims, { op, option: 'kernelSize', minimum: 1 });
    const dilation = perAxis(options?.dilation ?? 1, dims, { op, option: 'dilation', minimum: 1 });
    // No image, no work: the function checks its options on the smallest size that has a window.
    fn(
      zeros([0, 1, ...this.kernelSize.map((size, axis) => dilation[axis] * (size - 1) + 1)]),
      this.kernelSize,
      options,
    );
    this.options = options;
    this.#fn = fn;
  }

  forward(x: Tensor): Tensor {
    return this.#fn(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return optionsText([this.kernelSize], this.options);
  }
}

/** The largest element of windows along one spatial axis: {@link maxPool1d} as a module. PyTorch's `nn.MaxPool1d`. */
export class MaxPool1d extends Pool<MaxPoolOptions> {
  constructor(kernelSize: PerAxis, options: MaxPoolOptions = {}) {
    super('MaxPool1d', 1, maxPool1d, kernelSize, options);
  }
}

/**
 * The largest element of windows over two spatial axes: {@link maxPool2d} as a module. PyTorch's `nn.MaxPool2d`.
 *
 * @param kernelSize extent of the window: one number, or one per axis.
 * @throws GeometryError for an illegal option.
 * @example
 * new MaxPool2d(2).forward(zeros([1, 3, 8, 8])).shape; // [1, 3, 4, 4]
 */
export class MaxPool2d extends Pool<MaxPoolOptions> {
  constructor(kernelSize: PerAxis, options: MaxPoolOptions = {}) {
    super('MaxPool2d', 2, maxPool2d, kernelSize, options);
  }
}

/** The largest element of windows over three spatial axes: {@link maxPool3d} as a module. PyTorch's `nn.MaxPool3d`. */
export class MaxPool3d extends Pool<MaxPoolOptions> {
  constructor(kernelSize: PerAxis, options: MaxPoolOptions = {}) {
    super('MaxPool3d', 3, maxPool3d, kernelSize, options);
  }
}

type AvgOptions = AvgPoolOptions & { readonly dilation?: never };

/** The mean of windows along one spatial axis: {@link avgPool1d} as a module. PyTorch's `nn.AvgPool1d`. */
export class AvgPool1d extends Pool<AvgOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super('AvgPool1d', 1, avgPool1d, kernelSize, options);
  }
}

/**
 * The mean of windows over two spatial axes: {@link avgPool2d} as a module. PyTorch's `nn.AvgPool2d`.
 *
 * @param kernelSize extent of the window: one number, or one per axis.
 * @throws GeometryError for an illegal option.
 * @example
 * new AvgPool2d(2, { stride: 1 }).forward(zeros([1, 3, 8, 8])).shape; // [1, 3, 7, 7]
 */
export class AvgPool2d extends Pool<AvgOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super('AvgPool2d', 2, avgPool2d, kernelSize, options);
  }
}

/** The mean of windows over three spatial axes: {@link avgPool3d} as a module. PyTorch's `nn.AvgPool3d`. */
export class AvgPool3d extends Pool<AvgOptions> {
  constructor(kernelSize: PerAxis, options: AvgPoolOptions = {}) {
    super('AvgPool3d', 3, avgPool3d, kernelSize, options);
  }
}

/** Pooling to a given size. */
abstract class AdaptivePool extends Module {
  /** Extents of the output, as they were given. */
  readonly outputSize: AdaptiveSize;
  readonly #fn: (x: Tensor, outputSize: AdaptiveSize) => Tensor;

  constructor(dims: number, fn: (x: Tensor, outputSize: AdaptiveSize) => Tensor, outputSize: AdaptiveSize) {
    super();
    fn(zeros([0, 1, ...new Array<number>(dims).fill(1)]), outputSize);
    this.outputSize = outputSize;
    this.#fn = fn;
  }

  forward(x: Tensor): Tensor {
    return this.#fn(x, this.outputSize);
  }

  override extraRepr(): string {
    return `outputSize=${JSON.stringify(this.outputSize)}`;
  }
}

/** The mean of as many windows as wanted, along one axis: {@link adaptiveAvgPool1d}. PyTorch's `nn.AdaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(1, adaptiveAvgPool1d, outputSize);
  }
}

/**
 * The mean of as many windows as wanted: {@link adaptiveAvgPool2d} as a module. PyTorch's `nn.AdaptiveAvgPool2d`.
 *
 * @param outputSize one number, or one per axis; null keeps the size of the input.
 * @throws ArgumentError for an illegal size.
 * @example
 * new AdaptiveAvgPool2d(1).forward(zeros([2, 3, 7, 5])).shape; // [2, 3, 1, 1]
 */
export class AdaptiveAvgPool2d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(2, adaptiveAvgPool2d, outputSize);
  }
}

/** The mean of as many windows as wanted, over three axes: {@link adaptiveAvgPool3d}. PyTorch's `nn.AdaptiveAvgPool3d`. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(3, adaptiveAvgPool3d, outputSize);
  }
}

/** The largest element of as many windows as wanted, along one axis. PyTorch's `nn.AdaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(1, adaptiveMaxPool1d, outputSize);
  }
}

/** The largest element of as many windows as wanted, over two axes. PyTorch's `nn.AdaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(2, adaptiveMaxPool2d, outputSize);
  }
}

/** The largest element of as many windows as wanted, over three axes. PyTorch's `nn.AdaptiveMaxPool3d`. */
export class AdaptiveMaxPool3d extends AdaptivePool {
  constructor(outputSize: AdaptiveSize) {
    super(3, adaptiveMaxPool3d, outputSize);
  }
}
