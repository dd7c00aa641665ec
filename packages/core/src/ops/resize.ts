// Images at another resolution: interpolate.

import { requireOneOf } from '../arguments.ts';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { requireOptions } from '../options.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { fromArray, type Tensor } from '../tensor.ts';
import { requireFloat } from './infer.ts';
import { selectAlong } from './lookup.ts';
import { averageTo } from './pool-adaptive.ts';
import { type Resampling, resample, resampling } from './resample.ts';

/** How values between pixels are found. The linear modes and 'bicubic' want 1, 2, 3 and 2 spatial axes. */
export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'bicubic'
  | 'trilinear'
  | 'area';

/** Options of {@link interpolate}: either `size` or `scaleFactor` is given. */
export interface InterpolateOptions {
  /** Spatial size of the output: one number for all axes, or one per axis. */
  readonly size?: number | readonly number[] | undefined;
  /** Output size over input size: one number for all axes, or one per axis. The output size is rounded down. */
  readonly scaleFactor?: number | readonly number[] | undefined;
  /** Default 'nearest', where pixel i of the output is pixel floor(i · in / out) of the input. */
  readonly mode?: InterpolateMode | undefined;
  /**
   * Whether the centres of the corner pixels of input and output coincide, rather than their outer corners. For the linear
   * modes and 'bicubic' only. Default false.
   */
  readonly alignCorners?: boolean | undefined;
  /** Use the ratio of the rounded sizes in place of the given `scaleFactor`. Default false. */
  readonly recomputeScaleFactor?: boolean | undefined;
}

const spatialAxes: Readonly<Record<InterpolateMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
};

/** One axis to resize: its sizes, and the scale that was asked for, if it was. */
interface Step {
  readonly axis: number;
  readonly input: number;
  readonly output: number;
  readonly scale: number | undefined;
}

/**
 * Resizes the spatial axes. PyTorch's `torch.nn.functional.interpolate`, without antialiasing.
 *
 * @param x shape (N, C, …) with 1 to 3 spatial axes. Floating-point.
 * @returns shape (N, C, …) with the new spatial sizes.
 * @throws ArgumentError unless exactly one of `size` and `scaleFactor` is given and gives sizes of at least 1, for an unknown mode,
 *   or an `alignCorners` that the mode does not know; ShapeError if the mode does not take as many axes; DTypeError for integers.
 * @example
 * interpolate(tensor([[[1, 3]]]), { size: 3, mode: 'linear', alignCorners: true }).toArray(); // [[[1, 2, 3]]]
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  requireOptions('interpolate', options, {
    size: 'own',
    scaleFactor: 'own',
    mode: 'string',
    alignCorners: 'boolean',
    recomputeScaleFactor: 'boolean',
  });
  const op = 'interpolate';
  const { mode = 'nearest', alignCorners } = options;
  requireFloat(op, 'x', x);
  requireMode(x, mode, alignCorners);
  const steps = readSteps(x.shape, options);
  if (mode === 'area')
    return averageTo(
      x,
      steps.map(({ output }) => output),
    );
  const align = alignCorners ?? false;
  return steps.reduce((resized, step) => {
    if (mode === 'nearest' || mode === 'nearest-exact') return pickNearest(resized, step, mode);
    const { input, output, scale } = step;
    // The same size and places: every pixel is its own value. The linear modes copy whatever the scale, as in PyTorch.
    const copies = align || scale === undefined || scale === 1 || mode !== 'bicubic';
    if (input === output && copies) return resized;
    return resample(resized, mode === 'bicubic' ? cubic(step, align) : linear(step, align));
  }, x);
}

function requireMode(x: Tensor, mode: InterpolateMode, alignCorners: boolean | undefined): void {
  const op = 'interpolate';
  requireOneOf(op, 'mode', mode, Object.keys(spatialAxes));
  const legal = spatialAxes[mode];
  if (!legal.includes(x.ndim - 2)) {
    throw new ShapeError(
      `x has shape ${formatShape(x.shape)}; mode '${mode}' takes (N, C, …) with ${legal.join(', ')} spatial axes.`,
      { op, operand: 'x', actual: x.shape, expected: `${legal.join(', ')} spatial axes` },
    );
  }
  if (alignCorners !== undefined && (mode === 'area' || mode.startsWith('nearest'))) {
    throw new ArgumentError(
      `alignCorners has no meaning in mode '${mode}'; leave it out, or use a linear mode.`,
      {
        op,
        operand: 'alignCorners',
        actual: alignCorners,
        expected: 'no alignCorners',
      },
    );
  }
}

function readSteps(shape: Shape, { size, scaleFactor, recomputeScaleFactor }: InterpolateOptions): Step[] {
  const op = 'interpolate';
  if ((size === undefined) === (scaleFactor === undefined)) {
    const given = size === undefined ? 'neither' : 'both';
    throw new ArgumentError(`${given} of size and scaleFactor is given; give one of them.`, {
      op,
      operand: 'size',
      actual: given,
      expected: 'either size or scaleFactor',
    });
  }
  const option = size === undefined ? 'scaleFactor' : 'size';
  if (recomputeScaleFactor === true && option === 'size') {
    throw new ArgumentError('recomputeScaleFactor is about scaleFactor, and size is given; leave it out.', {
      op,
      operand: 'recomputeScaleFactor',
      actual: true,
      expected: 'no recomputeScaleFactor beside size',
    });
  }
  const spatial = shape.slice(2);
  const given = size ?? scaleFactor!;
  const list = typeof given === 'number' ? spatial.map(() => given) : given;
  const outputs = spatial.map((input, i) => (option === 'size' ? list[i] : Math.floor(input * list[i])));
  if (
    list.length !== spatial.length ||
    !outputs.every((n) => Number.isInteger(n) && n >= 1) ||
    sizeOf(spatial) === 0
  ) {
    throw new ArgumentError(
      `${option} is ${JSON.stringify(given)} for spatial sizes [${spatial.join(', ')}]; give one number or ${spatial.length}, from which sizes of at least 1 follow.`,
      { op, operand: option, actual: given, expected: 'output sizes of at least 1' },
    );
  }
  return spatial.map((input, i) => ({
    axis: i + 2,
    input,
    output: outputs[i],
    scale: option === 'scaleFactor' && recomputeScaleFactor !== true ? list[i] : undefined,
  }));
}

// PyTorch finds the nearest pixel in single precision, and with shifts where the size stays or doubles.
function pickNearest(x: Tensor, { axis, input, output, scale }: Step, mode: InterpolateMode): Tensor {
  if (input === output && mode === 'nearest') return x;
  const { fround } = Math;
  const ratio = scale === undefined ? fround(fround(input) / fround(output)) : fround(1 / scale);
  const index = Int32Array.from({ length: output }, (_, i) => {
    if (mode === 'nearest' && output === 2 * input) return i >> 1;
    const place = mode === 'nearest' ? fround(i * ratio) : fround((i + 0.5) * ratio);
    return Math.min(Math.floor(place), input - 1);
  });
  return selectAlong(x, fromArray(index, [output], 'int32'), { axis, op: 'interpolate' });
}

// Where each pixel of the output lies on the axis of the input, in pixels from its first centre.
function places({ input, output, scale }: Step, align: boolean): number[] {
  const ratio = align
    ? output > 1
      ? (input - 1) / (output - 1)
      : 0
    : scale === undefined
      ? input / output
      : 1 / scale;
  return Array.from({ length: output }, (_, i) => (align ? ratio * i : ratio * (i + 0.5) - 0.5));
}

function linear(step: Step, align: boolean): Resampling {
  const { axis, input } = step;
  const rows = places(step, align).map((place) => {
    const inside = Math.max(place, 0);
    const before = Math.min(Math.floor(inside), input - 1);
    const after = Math.min(before + 1, input - 1);
    const share = Math.min(inside - before, 1);
    return [
      [before, 1 - share],
      [after, share],
    ] as const;
  });
  return resampling(axis, input, rows);
}

// Cubic convolution with a = -0.75; beyond the edges the edge pixel goes on (Keys 1981).
function cubic(step: Step, align: boolean): Resampling {
  const { axis, input } = step;
  const a = -0.75;
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  const rows = places(step, align).map((place) => {
    const before = Math.floor(place);
    const t = place - before;
    const values = [far(t + 1), near(t), near(1 - t), far(2 - t)];
    return values.map((value, i) => [Math.min(Math.max(before - 1 + i, 0), input - 1), value] as const);
  });
  return resampling(axis, input, rows);
}
