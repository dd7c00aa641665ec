// Checks of geometries, and of the lengths of arrays that follow from them: norms, classes, windows. A geometry is an object like any
// other: it may have been put together by hand.

import { GeometryError } from '../errors.ts';
import type { ConvGeometry } from '../geometry.ts';
import type { ClassGeometry, NormGeometry, NormStatistics, WindowGeometry } from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import { elementCount } from '../reference/strided.ts';
import { fail, lengthIs, lengthsAre, resultOf, type Sized } from './checks-views.ts';

/** Lengths of arrays of all elements, of parameters, and of statistics if there are any. */
export function normalises(
  op: string,
  g: NormGeometry,
  elements: Readonly<Record<string, Sized>>,
  parameters: Readonly<Record<string, Sized>>,
  statistics: NormStatistics | null,
): void {
  const { batch, groups, channels, places, over } = g;
  for (const name of ['batch', 'groups', 'channels', 'places'] as const) {
    if (g[name] >>> 0 !== g[name]) fail(op, 'g', name, g[name], 'a whole number of at least 0');
  }
  if (over !== 'sample' && over !== 'batch') fail(op, 'g', 'over', over, "'sample' or 'batch'");
  const size = batch * groups * channels * places;
  const sets = over === 'sample' ? batch * groups : groups;
  lengthsAre(op, elements, size, 'batch · groups · channels · places');
  lengthsAre(op, parameters, groups * channels, 'groups · channels');
  if (statistics === null) return;
  lengthIs(op, 'mean', statistics.mean, sets, 'the sets that are normalised');
  lengthIs(op, 'rstd', statistics.rstd, sets, 'the sets that are normalised');
}

/** Lengths of arrays of logits, and of what there is one of at each place; targets are classes, or none. */
export function classifies(
  op: string,
  g: ClassGeometry,
  elements: Readonly<Record<string, Sized>>,
  perPlace: Readonly<Record<string, Sized>>,
  target: Int32Array,
): void {
  const { batch, classes, places, smoothing } = g;
  for (const name of ['batch', 'classes', 'places'] as const) {
    if (g[name] >>> 0 !== g[name]) fail(op, 'g', name, g[name], 'a whole number of at least 0');
  }
  if (!(smoothing >= 0 && smoothing <= 1)) fail(op, 'g', 'smoothing', smoothing, 'a number from 0 to 1');
  lengthsAre(op, elements, batch * classes * places, 'batch · classes · places');
  lengthsAre(op, perPlace, batch * places, 'batch · places');
  lengthIs(op, 'target', target, batch * places, 'batch · places');
  for (let i = 0; i < target.length; i++)
    if (target[i] >= classes) fail(op, `target[${i}]`, 'value', target[i], `less than ${classes}`);
}

function illegal(op: string, parameter: string, actual: unknown, expected: string): never {
  // Nothing makes the geometry of windows: it is written by hand.
  const remedy =
    op === 'overlap'
      ? 'Take the extents of what the windows were read from: outputSize = floor((inputSize − dilation·(kernelSize − 1) − 1) / stride) + 1.'
      : 'Make geometries with convGeometry, convTransposeGeometry or poolGeometry, and leave them as they are.';
  throw new GeometryError({ op, parameter, actual, expected, remedy });
}

function whole(op: string, parameter: string, value: number, minimum: number): void {
  if (value >>> 0 !== value || value < minimum)
    illegal(op, parameter, value, `a whole number of at least ${minimum}`);
}

function wholes(
  op: string,
  parameter: string,
  values: readonly number[],
  minimum: number,
  dims: number,
): void {
  if (values?.length !== dims) illegal(op, parameter, values, `one number for each of ${dims} spatial axes`);
  for (let axis = 0; axis < dims; axis++) whole(op, parameter, values[axis], minimum);
}

/** What everything that slides has in common; returns how many spatial axes there are. */
function spatial(op: string, g: Omit<WindowGeometry, 'planes'>): number {
  const dims = g?.inputSize?.length ?? 0;
  if (dims < 1 || dims > 3) illegal(op, 'inputSize', g?.inputSize, '1 to 3 spatial extents');
  wholes(op, 'inputSize', g.inputSize, 1, dims);
  wholes(op, 'kernelSize', g.kernelSize, 1, dims);
  wholes(op, 'outputSize', g.outputSize, 1, dims);
  wholes(op, 'stride', g.stride, 1, dims);
  wholes(op, 'dilation', g.dilation, 1, dims);
  return dims;
}

/** What convolutions and poolings have in common. */
function slides(op: string, g: Omit<PoolGeometry, 'channels' | 'countIncludePad' | 'divisorOverride'>): void {
  const dims = spatial(op, g);
  whole(op, 'batch', g.batch, 0);
  wholes(op, 'padding', g.padding, 0, dims);
}

export function convolution(op: string, g: ConvGeometry, x: Sized, w: Sized, y: Sized): void {
  slides(op, g);
  const { groups, inChannels, outChannels } = g;
  whole(op, 'groups', groups, 1);
  whole(op, 'inChannels', inChannels, 1);
  whole(op, 'outChannels', outChannels, 1);
  if (inChannels % groups !== 0 || outChannels % groups !== 0)
    illegal(op, 'groups', groups, `a divisor of ${inChannels} and ${outChannels} channels`);
  for (let axis = 0; axis < g.inputSize.length; axis++) {
    const [stride, dilation, output] = [g.stride[axis], g.dilation[axis], g.outputSize[axis]];
    // What the last window leaves over on the right is an outputPadding, or less than a stride.
    const rest =
      g.inputSize[axis] -
      ((output - 1) * stride - 2 * g.padding[axis] + dilation * (g.kernelSize[axis] - 1) + 1);
    if (rest < 0 || rest >= Math.max(stride, dilation))
      illegal(op, 'outputSize', g.outputSize, 'the extents that follow from the other fields');
  }
  const weights = (outChannels * inChannels * elementCount(g.kernelSize)) / groups;
  lengthIs(op, 'x', x, g.batch * inChannels * elementCount(g.inputSize), 'batch · inChannels · inputSize');
  lengthIs(op, 'w', w, weights, 'outChannels · inChannels / groups · kernelSize');
  lengthIs(
    op,
    'y',
    y,
    g.batch * outChannels * elementCount(g.outputSize),
    'batch · outChannels · outputSize',
  );
}

export function pooling(op: string, g: PoolGeometry, x: Sized, y: Sized, indices: Sized = y): void {
  slides(op, g);
  whole(op, 'channels', g.channels, 1);
  for (let axis = 0; axis < g.inputSize.length; axis++) {
    if ((g.outputSize[axis] - 1) * g.stride[axis] >= g.inputSize[axis] + g.padding[axis])
      illegal(op, 'outputSize', g.outputSize, 'windows that start before the end of the input');
  }
  const planes = g.batch * g.channels;
  lengthIs(op, 'x', x, planes * elementCount(g.inputSize), 'batch · channels · inputSize');
  lengthIs(op, 'y', y, planes * elementCount(g.outputSize), 'batch · channels · outputSize');
  lengthIs(op, 'indices', indices, y.length, 'that of y');
}

/** Windows that lie within their planes. */
export function overlaps(op: string, g: WindowGeometry, windows: Sized, out: Sized): void {
  const dims = spatial(op, g);
  whole(op, 'planes', g.planes, 0);
  for (let axis = 0; axis < dims; axis++) {
    const last = (g.outputSize[axis] - 1) * g.stride[axis] + (g.kernelSize[axis] - 1) * g.dilation[axis];
    if (last >= g.inputSize[axis])
      illegal(op, 'inputSize', g.inputSize, `extents of which windows need ${last + 1} on axis ${axis}`);
  }
  const perPlane = elementCount(g.kernelSize) * elementCount(g.outputSize);
  lengthIs(op, 'windows', windows, g.planes * perPlane, 'planes · kernelSize · outputSize');
  lengthIs(op, 'out', out, g.planes * elementCount(g.inputSize), 'planes · inputSize');
}

/** Windows that share out planes: of as many axes as these, each with something in it. */
export function sharesOut(
  op: string,
  planes: number,
  inputSize: readonly number[],
  outputSize: readonly number[],
  x: Sized,
  indices: Sized,
): void {
  const dims = inputSize.length;
  if (dims < 1 || dims > 3) fail(op, 'inputSize', 'length', dims, '1 to 3 spatial extents');
  lengthIs(op, 'outputSize', outputSize, dims, 'that of inputSize');
  resultOf(op, x, [planes, ...inputSize], 'x');
  resultOf(op, indices, [planes, ...outputSize], 'indices');
  if (x.length === 0 && indices.length > 0)
    fail(op, 'inputSize', 'shape', inputSize, 'at least one element, where there are windows');
}
