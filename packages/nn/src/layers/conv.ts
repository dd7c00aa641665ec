// Convolution layers in one, two and three dimensions.

import { conv1d, conv2d, conv3d, type Tensor } from '@adjoint/core';
import type { PerAxis } from '@adjoint/core/conv';
import { ConvBase, type ConvLayerOptions } from './conv-base.ts';

const functions = { 1: conv1d, 2: conv2d, 3: conv3d } as const;

/** What the three convolution layers share. */
abstract class ForwardConv extends ConvBase {
  readonly #convolve: typeof conv2d;

  constructor(
    dims: 1 | 2 | 3,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions,
  ) {
    super({ op: `Conv${dims}d`, dims, transposed: false }, inChannels, outChannels, kernelSize, options);
    this.#convolve = functions[dims];
  }

  forward(x: Tensor): Tensor {
    this.requireInput(x);
    const { weight, bias, stride, dilation, groups, convMode, computeMode } = this;
    const padding = this.extraPadding.some((zeros) => zeros > 0) ? 'same' : this.padding;
    return this.#convolve(x, weight, {
      bias: bias ?? undefined,
      stride,
      padding,
      dilation,
      groups,
      convMode,
      computeMode,
    });
  }
}

/**
 * Convolution over one spatial axis. PyTorch's `nn.Conv1d`; see {@link Conv2d}.
 *
 * @example
 * new Conv1d(16, 33, 3, { stride: 2 }).forward(zeros([20, 16, 50])).shape; // [20, 33, 24]
 */
export class Conv1d extends ForwardConv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution over two spatial axes: {@link conv2d} with a learned weight and bias. PyTorch's and MegEngine's `Conv2d`.
 *
 * Input (N, in, H, W) or (in, H, W), of the parameters' dtype; output (N, out, H', W') or (out, H', W') with
 * `H' = floor((H + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * Parameters: weight (out, in, kh, kw), with groups ≠ 1 (groups, out/groups, in/groups, kh, kw); bias (1, out, 1, 1). Both start
 * uniform in ±1/sqrt(fanIn) with fanIn = (in/groups)·kh·kw, as in PyTorch: each output is a sum over that many inputs.
 *
 * @throws GeometryError or ArgumentError for an illegal option, before anything is allocated.
 * @example
 * new Conv2d(3, 64, 3, { stride: 2, padding: 1 }).forward(zeros([16, 3, 32, 32])).shape; // [16, 64, 16, 16]
 */
export class Conv2d extends ForwardConv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution over three spatial axes. PyTorch's `nn.Conv3d`; see {@link Conv2d}.
 *
 * @example
 * new Conv3d(2, 4, 3, { padding: 1 }).forward(zeros([1, 2, 8, 8, 8])).shape; // [1, 4, 8, 8, 8]
 */
export class Conv3d extends ForwardConv {
  constructor(inChannels: number, outChannels: number, kernelSize: PerAxis, options: ConvLayerOptions = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}
