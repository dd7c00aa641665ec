// Layers that rearrange or resize the spatial axes.

import {
  fold,
  type InterpolateOptions,
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
  requireOptions,
  type Tensor,
  type UnfoldOptions,
  unfold,
} from '@adjoint/core';
import { type PerAxis, perAxis } from '@adjoint/core/conv';
import { Module } from '../module/module.ts';
import { optionsText, requireInteger } from './options.ts';

/**
 * Resizes images: {@link interpolate} as a module. PyTorch's `nn.Upsample`.
 *
 * @throws from `forward`, what {@link interpolate} throws: whether options fit depends on the number of spatial axes.
 * @example
 * new Upsample({ scaleFactor: 2, mode: 'bilinear' }).forward(zeros([1, 3, 4, 4])).shape; // [1, 3, 8, 8]
 */
export class Upsample extends Module {
  /** The options of {@link interpolate}, as they were given. */
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    requireOptions('Upsample', options, {
      size: 'own',
      scaleFactor: 'own',
      mode: 'string',
      alignCorners: 'boolean',
      recomputeScaleFactor: 'boolean',
    });
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  override extraRepr(): string {
    return optionsText([], this.options);
  }
}

/**
 * Makes a larger image of groups of channels: (N, C·r², H, W) to (N, C, H·r, W·r). PyTorch's `nn.PixelShuffle`; Shi et al. 2016.
 *
 * @throws ArgumentError unless the factor is a positive integer.
 * @example
 * new PixelShuffle(2).forward(zeros([1, 12, 4, 4])).shape; // [1, 3, 8, 8]
 */
export class PixelShuffle extends Module {
  /** By how much height and width grow. */
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    super();
    this.upscaleFactor = requireInteger('PixelShuffle', 'upscaleFactor', upscaleFactor, 1);
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return String(this.upscaleFactor);
  }
}

/** The inverse of {@link PixelShuffle}: (N, C, H·r, W·r) to (N, C·r², H, W). PyTorch's `nn.PixelUnshuffle`. */
export class PixelUnshuffle extends Module {
  /** By how much height and width shrink. */
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    super();
    this.downscaleFactor = requireInteger('PixelUnshuffle', 'downscaleFactor', downscaleFactor, 1);
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return String(this.downscaleFactor);
  }
}

const windowOptions = { stride: 'own', padding: 'own', dilation: 'own' } as const;

/** The windows of an image as columns: {@link unfold} as a module. PyTorch's `nn.Unfold`. */
export class Unfold extends Module {
  /** Rows and columns of a window. */
  readonly kernelSize: readonly number[];
  /** The options of {@link unfold}, as they were given. */
  readonly options: UnfoldOptions;

  constructor(kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    requireOptions('Unfold', options, windowOptions);
    this.kernelSize = perAxis(kernelSize, 2, { op: 'Unfold', option: 'kernelSize', minimum: 1 });
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return optionsText([this.kernelSize], this.options);
  }
}

/** Columns added up to an image, each as a window in its place: {@link fold} as a module. PyTorch's `nn.Fold`. */
export class Fold extends Module {
  /** Rows and columns of the image. */
  readonly outputSize: readonly number[];
  /** Rows and columns of a window. */
  readonly kernelSize: readonly number[];
  /** The options of {@link fold}, as they were given. */
  readonly options: UnfoldOptions;

  constructor(outputSize: PerAxis, kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    requireOptions('Fold', options, windowOptions);
    this.outputSize = perAxis(outputSize, 2, { op: 'Fold', option: 'outputSize', minimum: 1 });
    this.kernelSize = perAxis(kernelSize, 2, { op: 'Fold', option: 'kernelSize', minimum: 1 });
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return optionsText([this.outputSize, this.kernelSize], this.options);
  }
}
