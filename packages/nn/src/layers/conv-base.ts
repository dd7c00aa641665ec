// What convolution layers share in any number of dimensions, forward or transposed: options, checks, parameters.

import {
  ArgumentError,
  type ComputeMode,
  type ConvMode,
  type FloatDType,
  formatShape,
  Generator,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
  zeros,
} from '@adjoint/core';
import { convGeometry, convTransposeGeometry, type PerAxis, perAxis } from '@adjoint/core/conv';
import type { InitOptions } from '../init/fill.ts';
import type { Fans } from '../init/scale.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireOneOf } from './options.ts';
import { requireSharedWeight } from './shared-weight.ts';
import { drawUniformly } from './uniform.ts';

/** Options of convolution layers. Those per axis take one number for all spatial axes, or one per axis. */
export interface ConvLayerOptions extends ParameterizedOptions {
  /** Step of the kernel. Default 1. */
  readonly stride?: PerAxis | undefined;
  /**
   * Zeros on both sides of the input; 'valid' for none, or 'same' for as many as give an output of the input's size, where the stride is 1.
   * Default 0.
   */
  readonly padding?: PerAxis | 'same' | 'valid' | undefined;
  /** Distance between kernel elements. Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Independent groups of channels; divides both numbers of channels. Default 1. */
  readonly groups?: number | undefined;
  /** Whether a bias is learned. Default true. */
  readonly bias?: boolean | undefined;
  /** A weight to share with another layer, in place of one of the layer's own; `dtype` is then that of the weight. */
  readonly weight?: Parameter | undefined;
  /** Default 'crossCorrelation', the only one. */
  readonly convMode?: ConvMode | undefined;
  /** Precision between 16-bit operands and results; see `conv2d`. Default 'default'. */
  readonly computeMode?: ComputeMode | undefined;
}

/** Options of transposed convolution layers. */
export interface ConvTransposeLayerOptions extends ConvLayerOptions {
  /** Rows taken off both sides of the output. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Rows added on the far side of the output; less than max(stride, dilation). Default 0. */
  readonly outputPadding?: PerAxis | undefined;
}

/** Which layer is being made: its name, its number of spatial axes, and in which direction it convolves. */
export interface ConvKind {
  readonly op: string;
  readonly dims: 1 | 2 | 3;
  readonly transposed: boolean;
}

const known = {
  stride: 'own',
  padding: 'own',
  dilation: 'own',
  groups: 'number',
  bias: 'boolean',
  weight: 'own',
  convMode: 'string',
  computeMode: 'string',
  dtype: 'dtype',
  generator: Generator,
} as const;
const knownTransposed = { ...known, outputPadding: 'own' } as const;

/** The base of `Conv1d` … `ConvTranspose3d`. */
export abstract class ConvBase extends Module {
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Extents of the kernel, one per spatial axis. */
  readonly kernelSize: readonly number[];
  /** Distance between neighbouring places of the kernel, one per spatial axis. */
  readonly stride: readonly number[];
  /** Zeros on both sides. */
  readonly padding: readonly number[];
  /** Zeros after the input beside those: 1 where 'same' takes an odd number of them, as for even kernels, else 0. */
  readonly extraPadding: readonly number[];
  /** Distance between kernel elements, one per spatial axis. */
  readonly dilation: readonly number[];
  /** Rows added on the far side of the output, one number per spatial axis; zeros unless transposed. */
  readonly outputPadding: readonly number[];
  /** Independent groups of channels. */
  readonly groups: number;
  /** 'crossCorrelation'. */
  readonly convMode: ConvMode;
  /** Precision between 16-bit operands and results; see `conv2d`. */
  readonly computeMode: ComputeMode;
  /** Whether it is a transposed convolution: outputs are then on the second axis of each group's weight, not on the first. */
  readonly transposed: boolean;
  /** Convolution: (out, in, …kernel), or (groups, out/groups, in/groups, …kernel). Transposed: `in` and `out` swapped. */
  readonly weight: Parameter;
  /** (1, out, 1, …), or null. */
  readonly bias: Parameter | null;
  readonly #op: string;

  constructor(
    { op, dims, transposed }: ConvKind,
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions & Pick<ConvTransposeLayerOptions, 'outputPadding'>,
  ) {
    super();
    if (transposed) requireOptions(op, options, knownTransposed);
    else requireOptions<ConvLayerOptions>(op, options, known);
    this.#op = op;
    const { groups = 1, weight } = options;
    const bias = options.bias ?? true;
    const axes = (option: string, value: unknown, minimum: number): number[] =>
      perAxis(value, dims, { op, option, minimum });
    this.kernelSize = axes('kernelSize', kernelSize, 1);
    this.stride = axes('stride', options.stride ?? 1, 1);
    this.dilation = axes('dilation', options.dilation ?? 1, 1);
    // How many zeros keep the size.
    const same = this.kernelSize.map((size, axis) => this.dilation[axis] * (size - 1));
    const isSame = options.padding === 'same' && !transposed;
    if (isSame) requireUnitStride(op, this.stride);
    const asked = options.padding === 'valid' && !transposed ? 0 : (options.padding ?? 0);
    this.padding = isSame ? same.map((zeros) => Math.floor(zeros / 2)) : axes('padding', asked, 0);
    this.extraPadding = same.map((zeros) => (isSame ? zeros % 2 : 0));
    this.outputPadding = axes('outputPadding', options.outputPadding ?? 0, 0);
    this.convMode = requireOneOf(op, 'convMode', options.convMode ?? 'crossCorrelation', [
      'crossCorrelation',
    ]);
    this.computeMode = requireOneOf(op, 'computeMode', options.computeMode ?? 'default', [
      'default',
      'float32',
    ]);
    const { kernelSize: kernel, stride, padding, dilation, outputPadding } = this;
    // The smallest input that the options leave an output for: the geometry then checks them against each other.
    const extents = {
      op,
      batch: 0,
      inChannels,
      outChannels,
      kernelSize: kernel,
      stride,
      padding,
      dilation,
      groups,
    };
    if (transposed) {
      const inputSize = padding.map((pad, axis) => Math.ceil((2 * pad) / stride[axis]) + 1);
      convTransposeGeometry({ ...extents, inputSize, outputPadding });
    } else {
      convGeometry({ ...extents, inputSize: kernel.map((size, axis) => dilation[axis] * (size - 1) + 1) });
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.groups = groups;
    this.transposed = transposed;
    const [rows, columns] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape =
      groups === 1 ? [rows, columns, ...kernel] : [groups, rows / groups, columns / groups, ...kernel];
    requireSharedWeight(op, weight, shape, options.dtype);
    const dtype = weight === undefined ? (options.dtype ?? 'float32') : (weight.dtype as FloatDType);
    this.weight = weight ?? new Parameter(zeros(shape, { dtype }));
    this.bias = bias ? new Parameter(zeros([1, outChannels, ...kernel.map(() => 1)], { dtype })) : null;
    if (weight === undefined) this.resetParameters({ generator: options.generator });
    else drawUniformly([this.bias], this.fans.fanIn, options);
  }

  /** Throws unless `x` is a batch of images, or one, with the layer's number of channels. */
  protected requireInput(x: Tensor): void {
    requireTensor(this.#op, 'x', x);
    const dims = this.kernelSize.length;
    const channels = x.shape[x.ndim - dims - 1];
    const fits = x.ndim === dims + 1 || x.ndim === dims + 2;
    if (fits && channels === this.inChannels) return;
    const axes = ['L', 'H, W', 'D, H, W'][dims - 1];
    const expected = `(N, ${this.inChannels}, ${axes}) or (${this.inChannels}, ${axes})`;
    const counted = fits ? `channels: ${channels}` : `axes: ${x.ndim}`;
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)} (${counted}), and inChannels is ${this.inChannels}; give ${expected}, or make the layer with other inChannels.`,
      { op: this.#op, operand: 'x', actual: x.shape, expected },
    );
  }

  /**
   * The fans that initialisers scale with, counted as PyTorch does on its four-dimensional weight `w`: `w.size(1)·kernel` in,
   * `w.size(0)·kernel` out. For a convolution that is (in/groups)·kernel and out·kernel; for a transposed convolution
   * (out/groups)·kernel and in·kernel, the fans of the convolution whose input gradient it is.
   */
  get fans(): Fans {
    const offset = this.groups === 1 ? 0 : 1;
    const [rows, columns] = this.weight.shape.slice(offset);
    const kernel = this.kernelSize.reduce((product, size) => product * size, 1);
    return { fanIn: columns * kernel, fanOut: rows * this.groups * kernel };
  }

  /** Draws weight and bias anew, uniformly from ±1/sqrt(fanIn), as PyTorch's layers do. */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    drawUniformly([this.weight, this.bias], this.fans.fanIn, options);
  }

  override torchShape(name: string): readonly number[] | null {
    if (name === 'bias') return [this.outChannels];
    if (name !== 'weight' || this.groups === 1) return null;
    const [groups, rows, ...rest] = this.weight.shape;
    return [groups * rows, ...rest];
  }

  override extraRepr(): string {
    const { inChannels, outChannels, groups, bias, computeMode } = this;
    const parts = [`${inChannels}, ${outChannels}, kernelSize=${perAxisText(this.kernelSize)}`];
    const axes = { stride: 1, padding: 0, outputPadding: 0, dilation: 1 } as const;
    const isSame = this.extraPadding.some((zeros) => zeros > 0);
    if (isSame) parts.push("padding='same'");
    for (const option of ['stride', 'padding', 'outputPadding', 'dilation'] as const)
      if (!(isSame && option === 'padding') && this[option].some((value) => value !== axes[option]))
        parts.push(`${option}=${perAxisText(this[option])}`);
    if (groups !== 1) parts.push(`groups=${groups}`);
    if (bias === null) parts.push('bias=false');
    if (computeMode !== 'default') parts.push(`computeMode='${computeMode}'`);
    return parts.join(', ');
  }
}

function requireUnitStride(op: string, stride: readonly number[]): void {
  if (stride.every((step) => step === 1)) return;
  throw new ArgumentError(
    `padding is 'same' and stride ${perAxisText(stride)}; an output of the input's size needs stride 1. Give the padding as numbers.`,
    { op, operand: 'padding', actual: 'same', expected: 'stride 1, or padding as numbers' },
  );
}

function perAxisText(values: readonly number[]): string {
  return values.every((value) => value === values[0]) ? String(values[0]) : `[${values.join(', ')}]`;
}
