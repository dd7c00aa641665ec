// A call of a convolution or a transposed one: its operands and options, read and checked before anything is done.

import { type PerAxis, perAxis } from '@adjoint/kernels-cpu';
import { requireOneOf } from '../arguments.ts';
import { ArgumentError, DTypeError, formatShape, ShapeError } from '../errors.ts';
import { sameShape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';

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

/** A call whose operands have the ranks of one batch: input (N, C, …) and weight with its groups along the first axis. */
export interface ConvCall {
  readonly op: string;
  readonly dims: number;
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly groups: number;
  readonly batched: boolean;
}

/** Names of the options of convolutions, and of transposed ones. */
export const convOptions = {
  bias: 'own',
  stride: 'own',
  padding: 'own',
  dilation: 'own',
  groups: 'number',
  convMode: 'string',
  computeMode: 'string',
} as const;
export const convTransposeOptions = { ...convOptions, outputPadding: 'own', outputSize: 'own' } as const;

/** Reads operands, modes and groups. */
export function readCall(
  op: string,
  dims: number,
  input: Tensor,
  weight: Tensor,
  options: ConvOptions,
): ConvCall {
  const { convMode = 'crossCorrelation', computeMode = 'default' } = options;
  requireOneOf(op, 'convMode', convMode, ['crossCorrelation']);
  requireOneOf(op, 'computeMode', computeMode, ['default', 'float32']);
  requireFloat(op, 'input', input);
  requireTensor(op, 'weight', weight);
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

/** Turns the names of paddings into numbers: zeros on both sides, and the odd one of 'same', which goes after the input's end. */
export function resolvePadding(
  { op, dims, weight }: ConvCall,
  { padding, stride, dilation }: ConvOptions,
): { readonly padding: PerAxis | undefined; readonly after: readonly number[] } {
  const none = new Array<number>(dims).fill(0);
  if (typeof padding !== 'string') return { padding, after: none };
  requireOneOf(op, 'padding', padding, ['same', 'valid']);
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

/** What convolutions and transposed ones tell of their geometry. */
export function geometryOptions(
  { op, input, weight, groups }: ConvCall,
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

/** The bias as it is added: (1, out, 1, …). */
export function readBias({ op, dims, input }: ConvCall, bias: Tensor, outChannels: number): Tensor {
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

function requireRank(op: string, operand: string, tensor: Tensor, least: number, what: string): void {
  if (tensor.ndim === least || tensor.ndim === least + 1) return;
  throw new ShapeError(
    `${operand} has ${tensor.ndim} axes (shape ${formatShape(tensor.shape)}); it takes ${least} or ${least + 1}: ${what}.`,
    { op, operand, actual: tensor.shape, expected: `${least} or ${least + 1} axes` },
  );
}

/** The weight takes so many channels, by a formula that the error shows. */
export function requireChannels(
  { op, input, weight }: ConvCall,
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
