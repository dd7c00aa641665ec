// The geometry of a pooling: windows that slide over each channel by itself.

import { GeometryError } from './errors.ts';
import { integer, type PerAxis, perAxis, requireAddressable, requireKnown, spatialAxes } from './options.ts';

/** A checked pooling geometry with 1 to 3 spatial axes. x is `[batch][channels][...inputSize]`, y `[…][...outputSize]`. */
export interface PoolGeometry {
  /** Batch size N; may be 0. */
  readonly batch: number;
  /** Channels of each image, pooled one by one. */
  readonly channels: number;
  readonly inputSize: readonly number[];
  readonly kernelSize: readonly number[];
  readonly outputSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  /** Whether padded positions count in the divisor of a mean. Those past the padding (see `ceilMode`) never do. */
  readonly countIncludePad: boolean;
  /** Divides every window's sum by this, whatever the window covers. */
  readonly divisorOverride: number | undefined;
}

/** Options of {@link poolGeometry}. */
export interface PoolGeometryOptions {
  /** The name that error messages use; default `'pool'`. */
  readonly op?: string | undefined;
  /** Images in the batch; may be 0. */
  readonly batch: number;
  /** Channels of each image, pooled one by one. */
  readonly channels: number;
  /** Spatial extents of the input; their number (1 to 3) sets the number of spatial axes. */
  readonly inputSize: readonly number[];
  /** Extent of the window along each spatial axis, in elements. */
  readonly kernelSize: PerAxis;
  /** Default: the kernel size. */
  readonly stride?: PerAxis | undefined;
  /** At most half of the kernel, rounded down. Default 0. */
  readonly padding?: PerAxis | undefined;
  /** Default 1. */
  readonly dilation?: PerAxis | undefined;
  /** Rounds the output size up: a last window may reach past the padding, but must start before it. Default false. */
  readonly ceilMode?: boolean | undefined;
  /** Default true. */
  readonly countIncludePad?: boolean | undefined;
  /** Default: none. */
  readonly divisorOverride?: number | undefined;
}

const known: readonly (keyof PoolGeometryOptions)[] = [
  'op',
  'batch',
  'channels',
  'inputSize',
  'kernelSize',
  'stride',
  'padding',
  'dilation',
  'ceilMode',
  'countIncludePad',
  'divisorOverride',
];

/**
 * The geometry of a pooling, with the rules of PyTorch's `max_pool2d` and `avg_pool2d`.
 *
 * Per axis, `output = floor((input + 2·padding − dilation·(kernel − 1) − 1) / stride) + 1`; with `ceilMode` it is rounded up,
 * less one if the last window would start past the input and its left padding. Every window holds at least one element
 * of the input; a dilation that steps over the whole input is an error.
 *
 * @throws {@link GeometryError}
 *
 * @example
 * ```ts
 * poolGeometry({ batch: 1, channels: 8, inputSize: [7, 7], kernelSize: 2, ceilMode: true }).outputSize; // [4, 4]
 * ```
 */
export function poolGeometry(options: PoolGeometryOptions): PoolGeometry {
  const op = options.op ?? 'pool';
  requireKnown(op, options, known);
  const dims = spatialAxes(op, options.inputSize);
  const batch = integer(options.batch, { op, option: 'batch', minimum: 0 });
  const channels = integer(options.channels, { op, option: 'channels', minimum: 1 });
  const inputSize = perAxis(options.inputSize, dims, { op, option: 'inputSize', minimum: 1 });
  const kernelSize = perAxis(options.kernelSize, dims, { op, option: 'kernelSize', minimum: 1 });
  const stride = perAxis(options.stride ?? kernelSize, dims, { op, option: 'stride', minimum: 1 });
  const padding = perAxis(options.padding ?? 0, dims, { op, option: 'padding', minimum: 0 });
  const dilation = perAxis(options.dilation ?? 1, dims, { op, option: 'dilation', minimum: 1 });
  const divisorOverride =
    options.divisorOverride === undefined
      ? undefined
      : integer(options.divisorOverride, { op, option: 'divisorOverride', minimum: 1 });
  const ceilMode = flag(op, 'ceilMode', options.ceilMode ?? false);
  const countIncludePad = flag(op, 'countIncludePad', options.countIncludePad ?? true);

  const round = ceilMode ? Math.ceil : Math.floor;
  const outputSize = inputSize.map((input, axis) => {
    const window = {
      input,
      kernel: kernelSize[axis],
      stride: stride[axis],
      padding: padding[axis],
      dilation: dilation[axis],
    };
    requireHalfPadding(op, axis, window);
    const reach = window.dilation * (window.kernel - 1) + 1;
    let output = round((input + 2 * window.padding - reach) / window.stride) + 1;
    if (ceilMode && (output - 1) * window.stride >= input + window.padding) output--;
    if (output < 1) throw emptyOutput(op, axis, window, output);
    requireElementPerWindow(op, axis, window);
    return output;
  });
  requireAddressable(op, 'input', [batch, channels, ...inputSize]);
  requireAddressable(op, 'output', [batch, channels, ...outputSize]);
  return {
    batch,
    channels,
    inputSize,
    kernelSize,
    outputSize,
    stride,
    padding,
    dilation,
    countIncludePad,
    divisorOverride,
  };
}

/** The five numbers that place the windows of one axis. */
interface AxisWindow {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

function flag(op: string, option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new GeometryError({
    op,
    parameter: option,
    actual: value,
    expected: 'true or false',
    remedy: `Pass a boolean as ${option}, or leave it out.`,
  });
}

function requireHalfPadding(op: string, axis: number, { kernel, padding }: AxisWindow): void {
  const half = Math.floor(kernel / 2);
  if (padding <= half) return;
  throw new GeometryError({
    op,
    parameter: 'padding',
    axis,
    actual: padding,
    expected: `at most half of the kernel: floor(${kernel} / 2) = ${half}`,
    remedy: `Lower padding[${axis}] to at most ${half}, or raise kernelSize[${axis}] to at least ${2 * padding}.`,
  });
}

function emptyOutput(
  op: string,
  axis: number,
  { input, kernel, stride, padding, dilation }: AxisWindow,
  output: number,
) {
  return new GeometryError({
    op,
    parameter: 'inputSize',
    axis,
    actual: input,
    expected: `at least ${dilation * (kernel - 1) + 1 - 2 * padding}, so that the output is not empty`,
    remedy:
      'The output size is (input + 2·padding − dilation·(kernel − 1) − 1) / stride + 1, rounded = ' +
      `(${input} + 2·${padding} − ${dilation}·(${kernel} − 1) − 1) / ${stride} + 1, rounded = ${output}. ` +
      'Use a larger input, or a smaller kernel or dilation.',
  });
}

/** A window that starts in the left padding may step over the whole input if the dilation exceeds the input. */
function requireElementPerWindow(
  op: string,
  axis: number,
  { input, stride, padding, dilation }: AxisWindow,
): void {
  if (dilation <= input) return;
  for (let start = -padding; start < 0; start += stride) {
    const firstInside = ((start % dilation) + dilation) % dilation;
    if (firstInside < input) continue;
    throw new GeometryError({
      op,
      parameter: 'dilation',
      axis,
      actual: dilation,
      expected: `a dilation for which every window holds an element of the input (${input} on this axis)`,
      remedy: `The window that starts at ${start} holds padding only. Lower dilation[${axis}] to at most ${input}, or padding[${axis}] to 0.`,
    });
  }
}
