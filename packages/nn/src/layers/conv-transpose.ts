// Transposed convolution layers in one, two and three dimensions, and the exact transpose of a given convolution.

import {
  ArgumentError,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  Generator,
  requireArgument,
  requireOptions,
  type Tensor,
} from '@adjoint/core';
import { convGeometry, type PerAxis, perAxis } from '@adjoint/core/conv';
import type { Conv1d, Conv2d, Conv3d } from './conv.ts';
import { ConvBase, type ConvTransposeLayerOptions } from './conv-base.ts';
import type { ParameterizedOptions } from './options.ts';

const functions = { 1: convTranspose1d, 2: convTranspose2d, 3: convTranspose3d } as const;

/** Options of `forward` on a transposed convolution layer. */
export interface TransposedForwardOptions {
  /** The spatial size of the output, for this call in place of the layer's outputPadding. */
  readonly outputSize?: PerAxis | undefined;
}

/** What the three transposed convolution layers share. */
abstract class TransposedConv extends ConvBase {
  readonly #convolve: typeof convTranspose2d;

  constructor(
    dims: 1 | 2 | 3,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions,
  ) {
    super(
      { op: `ConvTranspose${dims}d`, dims, transposed: true },
      inChannels,
      outChannels,
      kernelSize,
      options,
    );
    this.#convolve = functions[dims];
  }

  /** @throws GeometryError if `outputSize` is none that the stride and dilation can reach; the message names the interval. */
  forward(x: Tensor, options: TransposedForwardOptions = {}): Tensor {
    requireOptions(`ConvTranspose${this.kernelSize.length}d.forward`, options, { outputSize: 'own' });
    const { outputSize } = options;
    this.requireInput(x);
    const { weight, bias, stride, padding, outputPadding, dilation, groups, convMode, computeMode } = this;
    return this.#convolve(x, weight, {
      bias: bias ?? undefined,
      stride,
      padding,
      ...(outputSize === undefined ? { outputPadding } : { outputSize }),
      dilation,
      groups,
      convMode,
      computeMode,
    });
  }
}

/**
 * Transposed convolution over one spatial axis. PyTorch's `nn.ConvTranspose1d`; see {@link ConvTranspose2d}.
 *
 * @example
 * new ConvTranspose1d(16, 3, 4, { stride: 2 }).forward(zeros([8, 16, 5])).shape; // [8, 3, 12]
 */
export class ConvTranspose1d extends TransposedConv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Transposed convolution over two spatial axes: {@link convTranspose2d} with a learned weight and bias. PyTorch's and
 * MegEngine's `ConvTranspose2d`.
 *
 * Input (N, in, H, W) or (in, H, W), of the parameters' dtype; output (N, out, H', W') or (out, H', W') with
 * `H' = (H − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`, or the size that
 * `forward(x, { outputSize })` asks for.
 *
 * Parameters: weight (in, out, kh, kw), with groups ≠ 1 (groups, in/groups, out/groups, kh, kw); bias (1, out, 1, 1).
 *
 * Both start uniform in ±1/sqrt(fanIn) with **fanIn = (out/groups)·kh·kw**. That is the fan-in of the convolution whose input
 * gradient this layer is, not the number of inputs that reach one output, which is about (in/groups)·kh·kw/stride². PyTorch
 * counts so (`weight.size(1)`), MegEngine too (without dividing by groups), and networks published with either were trained
 * from it; Adjoint follows PyTorch, so that a run starts from the same distribution. It keeps the size of the gradient that
 * flows back through the layer. To keep the size of the signal, draw the weight with `init.kaimingNormal_` and fans of your own.
 *
 * @throws GeometryError or ArgumentError for an illegal option, before anything is allocated.
 * @example
 * const layer = new ConvTranspose2d(3, 64, 3, { stride: 2, padding: 1 });
 * layer.forward(zeros([16, 3, 32, 32])).shape; // [16, 64, 63, 63]
 * layer.forward(zeros([16, 3, 32, 32]), { outputSize: 64 }).shape; // [16, 64, 64, 64]
 */
export class ConvTranspose2d extends TransposedConv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Transposed convolution over three spatial axes. PyTorch's `nn.ConvTranspose3d`; see {@link ConvTranspose2d}.
 *
 * @example
 * new ConvTranspose3d(4, 2, 2, { stride: 2 }).forward(zeros([1, 4, 2, 2, 2])).shape; // [1, 2, 4, 4, 4]
 */
export class ConvTranspose3d extends TransposedConv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

/** Options of {@link convTransposeFor}. */
export interface ConvTransposeForOptions extends Pick<ParameterizedOptions, 'generator'> {
  /**
   * The spatial size of the convolution's input. A stride may leave rows over, so several input sizes give the same output
   * size: this says which one the transpose leads back to. Default: the smallest of them.
   */
  readonly inputSize?: PerAxis | undefined;
  /** Whether the transpose learns a bias of its own; the exact transpose has none. Default false. */
  readonly bias?: boolean | undefined;
}

/**
 * The transpose of a convolution layer: the layer that computes the adjoint of its linear part, with the same weight.
 *
 * `sum(conv(x) · y) = sum(x · transpose(y))` for every x of `inputSize` and every y, where the convolution has no bias. The weight is
 * the very parameter of `conv`, shared: training either trains both. For an input size that differs from call to call, pass
 * `outputSize` to `forward`.
 *
 * @throws GeometryError if `inputSize` is too small for the convolution; ArgumentError if the convolution pads one side more than the other.
 * @example
 * const down = new Conv2d(1, 8, 3, { stride: 2, padding: 1, bias: false });
 * const up = convTransposeFor(down, { inputSize: 28 });
 * up.forward(down.forward(zeros([4, 1, 28, 28]))).shape; // [4, 1, 28, 28]
 */
export function convTransposeFor(conv: Conv1d, options?: ConvTransposeForOptions): ConvTranspose1d;
export function convTransposeFor(conv: Conv2d, options?: ConvTransposeForOptions): ConvTranspose2d;
export function convTransposeFor(conv: Conv3d, options?: ConvTransposeForOptions): ConvTranspose3d;
export function convTransposeFor(
  conv: Conv1d | Conv2d | Conv3d,
  options: ConvTransposeForOptions = {},
): ConvTranspose1d | ConvTranspose2d | ConvTranspose3d {
  requireOptions('convTransposeFor', options, { inputSize: 'own', bias: 'boolean', generator: Generator });
  requireArgument('convTransposeFor', 'conv', conv, ConvBase);
  const { inputSize, bias = false, generator } = options;
  const { kernelSize, stride, padding, dilation, groups, convMode, computeMode, weight } = conv;
  if (conv.extraPadding.some((zeros) => zeros > 0)) {
    throw new ArgumentError(
      "the convolution pads with 'same' and an even kernel, by more zeros after the input than before; a transposed convolution takes as much off both sides.",
      {
        op: 'convTransposeFor',
        operand: 'conv',
        actual: conv.extraPadding,
        expected: 'padding that is the same on both sides',
      },
    );
  }
  const own = {
    stride,
    padding,
    dilation,
    groups,
    convMode,
    computeMode,
    weight,
    bias,
    generator,
    outputPadding: inputSize === undefined ? 0 : rowsLeftOver(conv, inputSize),
  };
  const make = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d][kernelSize.length - 1];
  return new make(conv.outChannels, conv.inChannels, kernelSize, own);
}

function rowsLeftOver(conv: Conv1d | Conv2d | Conv3d, inputSize: PerAxis): number[] {
  const { kernelSize, stride, padding, dilation, inChannels, outChannels, groups } = conv;
  const dims = kernelSize.length;
  const op = 'convTransposeFor';
  const sizes = perAxis(inputSize, dims, { op, option: 'inputSize', minimum: 1 });
  const extents = { inChannels, outChannels, kernelSize, stride, padding, dilation, groups };
  const { outputSize } = convGeometry({ op, batch: 0, inputSize: sizes, ...extents });
  return sizes.map((size, axis) => {
    const reach = dilation[axis] * (kernelSize[axis] - 1) + 1;
    return size + 2 * padding[axis] - reach - (outputSize[axis] - 1) * stride[axis];
  });
}
