// The geometry of a convolution: one trilinear form, every extent explicit, every option checked before any work.
//
// T(x, w, y) = Σ x[n, c, o·stride − padding + q·dilation] · w[k, c, q] · y[n, k, o], with x read as 0 outside its extent.
// Convolution, its input gradient (which is the transposed convolution) and its weight gradient are the three partial
// derivatives of T, so one geometry serves all three. No kernel derives one extent from the others: what a stride leaves
// over, an outputPadding, even an outputPadding >= stride, are nothing but numbers in these fields.
//
// Memory. x is [batch][inChannels][...inputSize], y is [batch][outChannels][...outputSize], and w is
// [groups][outChannels / groups][inChannels / groups][...kernelSize], each contiguous. A weight of conv, (out, in/g, ...)
// or (g, out/g, in/g, ...), is that memory. So is a weight of convTranspose, (in, out/g, ...) or (g, in/g, out/g, ...): what
// enters a transposed convolution is y and what leaves it is x, hence its `in` is `outChannels` here, its `out` is `inChannels`.

import { GeometryError } from './errors.ts';
import { integer, type PerAxis, perAxis, requireAddressable, requireKnown, spatialAxes } from './options.ts';
import { convolutionSize, type TransposeSizeOptions, transposeSize } from './output-size.ts';

/** A checked convolution geometry with 1 to 3 spatial axes. `x`, `w` and `y` are named as in the trilinear form above. */
export interface ConvGeometry {
  /** Batch size N; may be 0. */
  readonly batch: number;
  readonly groups: number;
  /** Channels of x, over all groups. */
  readonly inChannels: number;
  /** Channels of y, over all groups. */
  readonly outChannels: number;
  /** Spatial extents of x. */
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  /** Spatial extents of y. */
  readonly outputSize: readonly number[];
  readonly stride: readonly number[];
  /** Zeros read on either side of x. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** What {@link convGeometry} and {@link convTransposeGeometry} both take. */
interface CommonOptions {
  /** The name that error messages use; default `'convolution'` or `'convTranspose'`. */
  readonly op?: string | undefined;
  /** Batch size; 0 is legal. */
  readonly batch: number;
  /** Channels that enter the operation. */
  readonly inChannels: number;
  /** Channels that leave the operation. */
  readonly outChannels: number;
  /** Spatial extents of what enters the operation; their number (1 to 3) sets the number of spatial axes. */
  readonly inputSize: readonly number[];
  /** Spatial extents of the kernel. */
  readonly kernelSize: PerAxis;
  /** Default 1. */
  readonly stride?: PerAxis | undefined;
  /** Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Default 1; divides both numbers of channels. */
  readonly groups?: number | undefined;
}

/** Options of {@link convGeometry}. */
export type ConvGeometryOptions = CommonOptions;

/** Options of {@link convTransposeGeometry}. At most one of `outputPadding` and `outputSize` may be given. */
export interface ConvTransposeGeometryOptions extends CommonOptions, TransposeSizeOptions {}

const known: readonly (keyof ConvGeometryOptions)[] = [
  'op',
  'batch',
  'inChannels',
  'outChannels',
  'inputSize',
  'kernelSize',
  'stride',
  'padding',
  'dilation',
  'groups',
];
const knownTransposed: readonly (keyof ConvTransposeGeometryOptions)[] = [
  ...known,
  'outputPadding',
  'outputSize',
];

/**
 * The geometry of a convolution.
 *
 * Per axis, `output = floor((input + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`.
 *
 * @throws {@link GeometryError} if an option is no legal integer, channels do not divide by groups, the output would be
 * empty, an option is not known, or an array would exceed 2^31 − 1 elements
 *
 * @example
 * ```ts
 * const g = convGeometry({ batch: 16, inChannels: 3, outChannels: 64, inputSize: [32, 32], kernelSize: 3, stride: 2, padding: 1 });
 * g.outputSize; // [16, 16]
 * ```
 */
export function convGeometry(options: ConvGeometryOptions): ConvGeometry {
  const op = options.op ?? 'convolution';
  requireKnown(op, options, known);
  const c = readCommon(op, options);
  return checked(op, c, c.inputSize, convolutionSize(op, c), 'convolution');
}

/**
 * The geometry of the convolution whose input gradient is the wanted transposed convolution.
 *
 * What enters the transposed convolution is y, what leaves it is x: the result's `outputSize` and `outChannels` are the
 * option's `inputSize` and `inChannels`, and its `inputSize` and `inChannels` are the extents and channels of the
 * transposed convolution's output. Run it with `kernels.convInputGrad(geometry, w, y, x)`.
 *
 * Per axis, `output = (input − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1` with
 * `0 <= outputPadding < max(stride, dilation)`.
 *
 * @throws {@link GeometryError} as {@link convGeometry} does, and if outputPadding or outputSize lies outside its legal
 * interval, or both are given
 *
 * @example
 * ```ts
 * const g = convTransposeGeometry({ batch: 16, inChannels: 3, outChannels: 64, inputSize: [32, 32], kernelSize: 3, stride: 2, padding: 1 });
 * g.inputSize; // [63, 63]: the extents of the transposed convolution's output
 * ```
 */
export function convTransposeGeometry(options: ConvTransposeGeometryOptions): ConvGeometry {
  const op = options.op ?? 'convTranspose';
  requireKnown(op, options, knownTransposed);
  const c = readCommon(op, options);
  return checked(op, c, transposeSize(op, c, options), c.inputSize, 'transpose');
}

/** The options, checked one by one; channels and sizes are still those of what enters and leaves the operation. */
type Common = Omit<ConvGeometry, 'outputSize'>;

function readCommon(op: string, options: CommonOptions): Common {
  const dims = spatialAxes(op, options.inputSize);
  const groups = integer(options.groups ?? 1, { op, option: 'groups', minimum: 1 });
  return {
    batch: integer(options.batch, { op, option: 'batch', minimum: 0 }),
    groups,
    inChannels: channels(op, 'inChannels', options.inChannels, groups),
    outChannels: channels(op, 'outChannels', options.outChannels, groups),
    inputSize: perAxis(options.inputSize, dims, { op, option: 'inputSize', minimum: 1 }),
    kernelSize: perAxis(options.kernelSize, dims, { op, option: 'kernelSize', minimum: 1 }),
    stride: perAxis(options.stride ?? 1, dims, { op, option: 'stride', minimum: 1 }),
    padding: perAxis(options.padding ?? 0, dims, { op, option: 'padding', minimum: 0 }),
    dilation: perAxis(options.dilation ?? 1, dims, { op, option: 'dilation', minimum: 1 }),
  };
}

function channels(op: string, option: string, value: unknown, groups: number): number {
  const count = integer(value, { op, option, minimum: 1 });
  if (count % groups === 0) return count;
  throw new GeometryError({
    op,
    parameter: option,
    actual: count,
    expected: `a multiple of groups = ${groups}`,
    remedy: `Choose groups among the divisors of ${count}, or ${option} among the multiples of ${groups}.`,
  });
}

/** Puts x and y where they belong, in one object shape whichever constructor asks, and checks that all arrays can be addressed. */
function checked(
  op: string,
  c: Common,
  xSize: readonly number[],
  ySize: readonly number[],
  role: 'convolution' | 'transpose',
): ConvGeometry {
  const isTranspose = role === 'transpose';
  const g: ConvGeometry = {
    batch: c.batch,
    groups: c.groups,
    inChannels: isTranspose ? c.outChannels : c.inChannels,
    outChannels: isTranspose ? c.inChannels : c.outChannels,
    inputSize: xSize,
    kernelSize: c.kernelSize,
    outputSize: ySize,
    stride: c.stride,
    padding: c.padding,
    dilation: c.dilation,
  };
  requireAddressable(op, isTranspose ? 'output' : 'input', [g.batch, g.inChannels, ...xSize]);
  requireAddressable(op, isTranspose ? 'input' : 'output', [g.batch, g.outChannels, ...ySize]);
  requireAddressable(op, 'weight', [g.outChannels, g.inChannels / g.groups, ...g.kernelSize]);
  return g;
}
