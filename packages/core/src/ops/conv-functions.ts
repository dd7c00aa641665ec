// Convolution and transposed convolution in 1 to 3 dimensions, under PyTorch's names with MegEngine's options.
//
// These read shapes and options, make the one geometry that ./conv.ts needs, and add the bias. What they share stands in
// `convolve` and `convolveTransposed`; 1d, 2d and 3d differ by a number only.

import { convGeometry, convTransposeGeometry, type PerAxis, perAxis } from '@adjoint/kernels-cpu';
import { type FloatDType, isHalf } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { addOver } from './arithmetic.ts';
import { cast } from './cast.ts';
import { conv, convInputGrad } from './conv.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { pad } from './pad.ts';

/** How the kernel is laid over the input. Only cross-correlation, as everywhere in deep learning. */
export type ConvMode = 'crossCorrelation';

/**
 * Precision of what lies between float16 (or bfloat16) operands and a result of their type; of no effect on float32 and
 * float64. `'default'`: the convolution is rounded to the operands' type, then the bias is added and rounded again.
 * `'float32'`: the sum before the bias stays float32 and the result is rounded once.
 */
export type ComputeMode = 'default' | 'float32';

/** Options of `conv1d`, `conv2d` and `conv3d`. Per-axis options take one number for all axes, or one per axis. */
export interface ConvOptions {
  /** Added to each output channel: shape (out), or (1, out, 1, …) with a 1 per spatial axis. Default none. */
  readonly bias?: Tensor | null | undefined;
  /** Step of the kernel. Default 1. */
  readonly stride?: PerAxis | undefined;
  /**
   * Zeros added on both sides of the input; 'valid' for none, or 'same' for as many as give an output of the input's size
   * (stride 1 only; of an odd number the last goes to the end). Default 0.
   */
  readonly padding?: PerAxis | 'same' | 'valid' | undefined;
  /** Distance between kernel elements. Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Independent groups of channels. Default 1, or what a grouped weight says. */
  readonly groups?: number | undefined;
  /** Default 'crossCorrelation', the only one. */
  readonly convMode?: ConvMode | undefined;
  /** Default 'default'. */
  readonly computeMode?: ComputeMode | undefined;
}

/** Options of `convTranspose1d`, `convTranspose2d` and `convTranspose3d`. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Rows of the output that are cut on both sides. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Rows added on the far side of the output; less than max(stride, dilation). Default 0. Not beside `outputSize`. */
  readonly outputPadding?: PerAxis | undefined;
  /** The spatial size of the output, in place of `outputPadding`. */
  readonly outputSize?: PerAxis | undefined;
}

/**
 * Convolution over one spatial axis. PyTorch's `conv1d`; shapes, options and errors as {@link conv2d} with one spatial axis.
 *
 * @example
 * conv1d(zeros([8, 3, 10]), zeros([16, 3, 5]), { padding: 2 }).shape; // [8, 16, 10]
 */
export function conv1d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv1d', 1, input, weight, options);
}

/**
 * Convolution over two spatial axes. PyTorch's `conv2d`.
 *
 * The output size is, per axis, `floor((in + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * @param input shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param weight shape (out, C/groups, kh, kw), or grouped (groups, out/groups, C/groups, kh, kw); of the input's dtype.
 * @returns shape (N, out, H', W'), or (out, H', W') for one image; of the input's dtype.
 * @throws ShapeError, DTypeError, ArgumentError or GeometryError, before any work, naming the operand or option.
 * @example
 * conv2d(zeros([16, 3, 32, 32]), zeros([64, 3, 3, 3]), { stride: 2, padding: 1 }).shape; // [16, 64, 16, 16]
 */
export function conv2d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv2d', 2, input, weight, options);
}

/**
 * Convolution over three spatial axes. PyTorch's `conv3d`; shapes, options and errors as {@link conv2d} with three.
 *
 * @example
 * conv3d(zeros([1, 2, 8, 8, 8]), zeros([4, 2, 3, 3, 3])).shape; // [1, 4, 6, 6, 6]
 */
export function conv3d(input: Tensor, weight: Tensor, options: ConvOptions = noOptions): Tensor {
  return convolve('conv3d', 3, input, weight, options);
}

/**
 * Transposed convolution over one spatial axis. PyTorch's `conv_transpose1d`; as {@link convTranspose2d} with one.
 *
 * @example
 * convTranspose1d(zeros([8, 16, 5]), zeros([16, 3, 4]), { stride: 2 }).shape; // [8, 3, 12]
 */
export function convTranspose1d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose1d', 1, input, weight, options);
}

/**
 * Transposed convolution over two spatial axes: the adjoint of {@link conv2d} in its input, with the same weight and
 * options. PyTorch's `conv_transpose2d`, MegEngine's `conv_transpose2d`.
 *
 * The output size is, per axis, `(in − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1`.
 *
 * @param input shape (N, C, H, W), or (C, H, W) for one image; N may be 0. Floating-point.
 * @param weight shape (C, out/groups, kh, kw), or grouped (groups, C/groups, out/groups, kh, kw); of the input's dtype.
 * @returns shape (N, out, H', W'), or (out, H', W') for one image; of the input's dtype.
 * @throws ShapeError, DTypeError, ArgumentError or GeometryError, before any work, naming the operand or option.
 * @example
 * convTranspose2d(zeros([16, 3, 32, 32]), zeros([3, 64, 3, 3]), { stride: 2, padding: 1 }).shape; // [16, 64, 63, 63]
 */
export function convTranspose2d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose2d', 2, input, weight, options);
}

/**
 * Transposed convolution over three spatial axes. PyTorch's `conv_transpose3d`; as {@link convTranspose2d} with three.
 *
 * @example
 * convTranspose3d(zeros([1, 4, 2, 2, 2]), zeros([4, 2, 2, 2, 2]), { stride: 2 }).shape; // [1, 2, 4, 4, 4]
 */
export function convTranspose3d(
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = noOptions,
): Tensor {
  return convolveTransposed('convTranspose3d', 3, input, weight, options);
}

function convolve(op: string, dims: number, input: Tensor, weight: Tensor, options: ConvOptions): Tensor {
  requireOptions(op, options, convOptions);
  const call = readCall(op, dims, input, weight, options);
  const outChannels = call.weight.shape[0];
  requireChannels(call, 'weight', call.weight.shape[1] * call.groups, 'in/groups · groups');
  const { padding, after } = resolvePadding(call, options);
  const common = geometryOptions(call, { ...options, padding });
  const inputSize = common.inputSize.map((size, axis) => size + after[axis]);
  const geometry = convGeometry({ ...common, inputSize, outChannels });
  return finish(call, options, outChannels, (x, w) => conv(padAfter(x, after), w, geometry));
}

function convolveTransposed(
  op: string,
  dims: number,
  input: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions,
): Tensor {
  requireOptions(op, options, convTransposeOptions);
  const call = readCall(op, dims, input, weight, options);
  const outChannels = call.weight.shape[1] * call.groups;
  requireChannels(call, 'weight', call.weight.shape[0], 'in');
  const { outputPadding, outputSize } = options;
  const geometry = convTransposeGeometry({
    ...geometryOptions(call, options),
    outChannels,
    outputPadding,
    outputSize,
  });
  return finish(call, options, outChannels, (x, w) => convInputGrad(w, x, geometry));
}

/** A call whose operands have the ranks of one batch: input (N, C, …) and weight with its groups along the first axis. */
interface Call {
  readonly op: string;
  readonly dims: number;
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly groups: number;
  readonly batched: boolean;
}

const convOptions = ['bias', 'stride', 'padding', 'dilation', 'groups', 'convMode', 'computeMode'];
const convTransposeOptions = [...convOptions, 'outputPadding', 'outputSize'];

function readCall(op: string, dims: number, input: Tensor, weight: Tensor, options: ConvOptions): Call {
  requireMode(op, 'convMode', options.convMode, ['crossCorrelation']);
  requireMode(op, 'computeMode', options.computeMode, ['default', 'float32']);
  requireFloat(op, 'input', input);
  if (weight.dtype !== input.dtype) throw dtypeError(op, 'weight', weight, input);
  requireRank(op, 'input', input, dims + 1, `(C, …) or (N, C, …) with ${dims} spatial`);
  requireRank(
    op,
    'weight',
    weight,
    dims + 2,
    `two channel axes, or three where they are grouped, and ${dims} spatial`,
  );
  const grouped = weight.ndim === dims + 3;
  const implied = grouped ? weight.shape[0] : 1;
  const [groups] = perAxis(options.groups ?? implied, 1, { op, option: 'groups', minimum: 1 });
  if (grouped && groups !== weight.shape[0]) {
    throw new ArgumentError(
      `groups is ${groups}, and the grouped weight of shape ${formatShape(weight.shape)} has ${weight.shape[0]} groups on axis 0; make them equal, or leave groups out.`,
      { op, operand: 'groups', actual: groups, expected: String(weight.shape[0]) },
    );
  }
  const batched = input.ndim === dims + 2;
  const [g, perGroup, ...rest] = weight.shape;
  return {
    op,
    dims,
    input: batched ? input : reshape(input, [1, ...input.shape]),
    weight: grouped ? reshape(weight, [g * perGroup, ...rest]) : weight,
    groups,
    batched,
  };
}

// Turns the names of paddings into numbers: zeros on both sides, and the odd one of 'same', which goes after the input's end.
function resolvePadding(
  { op, dims, weight }: Call,
  { padding, stride, dilation }: ConvOptions,
): { readonly padding: PerAxis | undefined; readonly after: readonly number[] } {
  const none = new Array<number>(dims).fill(0);
  if (typeof padding !== 'string') return { padding, after: none };
  requireMode(op, 'padding', padding, ['same', 'valid']);
  if (padding === 'valid') return { padding: 0, after: none };
  if (perAxis(stride ?? 1, dims, { op, option: 'stride', minimum: 1 }).some((step) => step !== 1)) {
    throw new ArgumentError(
      `padding is 'same' and stride ${JSON.stringify(stride)}; an output of the input's size needs stride 1. Give the padding as numbers.`,
      { op, operand: 'padding', actual: 'same', expected: 'stride 1, or padding as numbers' },
    );
  }
  const spacing = perAxis(dilation ?? 1, dims, { op, option: 'dilation', minimum: 1 });
  const zeros = weight.shape.slice(2).map((size, axis) => spacing[axis] * (size - 1));
  return {
    padding: zeros.map((total) => Math.floor(total / 2)),
    after: zeros.map((total) => total % 2),
  };
}

function padAfter(x: Tensor, after: readonly number[]): Tensor {
  return after.includes(1)
    ? pad(
        x,
        [...after].reverse().flatMap((extra) => [0, extra]),
      )
    : x;
}

function geometryOptions(
  { op, input, weight, groups }: Call,
  { stride, padding, dilation }: Pick<ConvTransposeOptions, 'stride' | 'padding' | 'dilation'>,
) {
  const [batch, inChannels, ...inputSize] = input.shape;
  return {
    op,
    batch,
    inChannels,
    inputSize,
    kernelSize: weight.shape.slice(2),
    stride,
    padding,
    dilation,
    groups,
  };
}

function finish(
  { op, dims, input, weight, batched }: Call,
  options: ConvOptions,
  outChannels: number,
  run: (input: Tensor, weight: Tensor) => Tensor,
): Tensor {
  const bias = options.bias ? readBias(op, dims, options.bias, input, outChannels) : null;
  const { dtype } = input;
  const wide = options.computeMode === 'float32' && isHalf(dtype);
  const inner: FloatDType = wide ? 'float32' : (dtype as FloatDType);
  let output = run(cast(input, inner), cast(weight, inner));
  if (bias !== null) output = addOver(output, cast(bias, inner));
  output = cast(output, dtype);
  return batched ? output : reshape(output, output.shape.slice(1));
}

function readBias(op: string, dims: number, bias: Tensor, input: Tensor, outChannels: number): Tensor {
  if (bias.dtype !== input.dtype) throw dtypeError(op, 'bias', bias, input);
  const full = [1, outChannels, ...new Array<number>(dims).fill(1)];
  if (!sameShape(bias.shape, [outChannels]) && !sameShape(bias.shape, full)) {
    throw new ShapeError(
      `bias has shape ${formatShape(bias.shape)}; there are ${outChannels} output channels, so give ${formatShape([outChannels])} or ${formatShape(full)}.`,
      {
        op,
        operand: 'bias',
        actual: bias.shape,
        expected: `${formatShape([outChannels])} or ${formatShape(full)}`,
      },
    );
  }
  return reshape(bias, full);
}

function requireMode(op: string, option: string, value: unknown, legal: readonly string[]): void {
  if (value === undefined || legal.includes(value as string)) return;
  const list = legal.map((mode) => `'${mode}'`).join(' or ');
  throw new ArgumentError(`${option} is ${JSON.stringify(value)}; it takes ${list}.`, {
    op,
    operand: option,
    actual: value,
    expected: list,
  });
}

function requireRank(op: string, operand: string, tensor: Tensor, least: number, what: string): void {
  if (tensor.ndim === least || tensor.ndim === least + 1) return;
  throw new ShapeError(
    `${operand} has ${tensor.ndim} axes (shape ${formatShape(tensor.shape)}); it takes ${least} or ${least + 1}: ${what}.`,
    { op, operand, actual: tensor.shape, expected: `${least} or ${least + 1} axes` },
  );
}

function requireChannels(
  { op, input, weight }: Call,
  operand: string,
  channels: number,
  formula: string,
): void {
  if (input.shape[1] === channels) return;
  throw new ShapeError(
    `input has ${input.shape[1]} channels, and the weight of shape ${formatShape(weight.shape)} takes ${channels} (${formula}); change the input, the weight or groups.`,
    { op, operand, actual: weight.shape, expected: `a weight for ${input.shape[1]} input channels` },
  );
}

function dtypeError(op: string, operand: string, tensor: Tensor, input: Tensor): DTypeError {
  return new DTypeError(
    `${operand} is ${tensor.dtype} and the input ${input.dtype}; convert it with to('${input.dtype}').`,
    { op, operand, actual: tensor.dtype, expected: input.dtype },
  );
}
