// What every public kernel checks before it starts: that its views lie within their arrays and that lengths and shapes fit. Fast
// tiers read and write memory where these numbers say, so a wrong one must end here. The table has a rule for every
// kernel; one without does not compile.

import { GeometryError, OperandError } from '../errors.ts';
import type { ConvGeometry } from '../geometry.ts';
import type {
  ClassGeometry,
  Kernels,
  NormGeometry,
  NormStatistics,
  ReduceName,
  Strided,
} from '../kernels.ts';
import type { PoolGeometry } from '../pool-geometry.ts';
import type { RandomSource } from '../random.ts';
import {
  BINARY_OPS,
  BINARY_PREDICATES,
  DERIVATIVE_OPS,
  TERNARY_OPS,
  UNARY_OPS,
  UNARY_PREDICATES,
} from './machine.ts';

type Rules = {
  readonly [K in keyof Kernels]: (op: string, ...operands: Parameters<Kernels[K]>) => void;
};
type Sized = { readonly length: number };

function fail(op: string, operand: string, property: string, actual: unknown, expected: string): never {
  throw new OperandError({ op, operand, property, actual, expected });
}

/** Elements of a shape whose extents are checked here. */
function countOf(op: string, operand: string, shape: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis];
    // Not the cheaper `>>> 0`: beside an extent of 0 any other is legal.
    if (!(Number.isInteger(extent) && extent >= 0))
      fail(op, operand, 'shape', shape, 'whole numbers of at least 0');
    count *= extent;
  }
  return count;
}

/** Throws unless every element of the view is in its array; returns how many there are. */
function inside(op: string, operand: string, a: Strided): number {
  const count = countOf(op, operand, a.shape);
  if (!isAll(a, a.shape, count)) reaches(op, operand, a, count);
  return count;
}

/** Throws unless the elements, of which there are `count` if not 0, are in the array. Extents are whole numbers. */
function reaches(op: string, operand: string, a: Strided, count: number): void {
  const { shape, strides, offset } = a;
  const rank = shape.length;
  if (strides.length !== rank) fail(op, operand, 'strides', strides, `${rank} of them, one per axis`);
  let low = offset;
  let high = offset;
  for (let axis = 0; axis < rank; axis++) {
    const stride = strides[axis];
    if (!Number.isInteger(stride)) fail(op, operand, 'strides', strides, 'whole numbers');
    const reach = (shape[axis] - 1) * stride;
    if (reach < 0) low += reach;
    else high += reach;
  }
  if (!Number.isInteger(offset)) fail(op, operand, 'offset', offset, 'a whole number');
  if (count > 0 && (low < 0 || high >= a.data.length)) {
    const elements = low === high ? `element ${high}` : `elements ${low} to ${high}`;
    const layout = `shape [${shape.join(', ')}], strides [${strides.join(', ')}] and offset ${offset}`;
    fail(op, operand, 'length', a.data.length, `one that holds ${elements}, as ${layout} say`);
  }
}

function lengthIs(op: string, operand: string, array: Sized, count: number, why: string): void {
  if (array.length !== count) fail(op, operand, 'length', array.length, `${count}, ${why}`);
}

/** Arrays by the names of the operands; null is none. */
function lengthsAre(
  op: string,
  arrays: Readonly<Record<string, Sized | null>>,
  count: number,
  why: string,
): void {
  for (const operand in arrays) {
    const array = arrays[operand];
    if (array !== null) lengthIs(op, operand, array, count, why);
  }
}

function resultOf(op: string, out: Sized, shape: readonly number[], operand = 'out'): number {
  const count = countOf(op, 'shape', shape);
  if (out.length !== count) lengthIs(op, operand, out, count, `the elements of shape [${shape.join(', ')}]`);
  return count;
}

/** Whether the view is just its array, row by row, in this shape, which has `count` elements: most are, and need no further check. */
function isAll({ shape, strides, offset, data }: Strided, wanted: readonly number[], count: number): boolean {
  const rank = wanted.length;
  if (offset !== 0 || data.length !== count || shape.length !== rank || strides.length !== rank) return false;
  let stride = 1;
  for (let axis = rank - 1; axis >= 0; axis--) {
    if (shape[axis] !== wanted[axis] || strides[axis] !== stride) return false;
    stride *= wanted[axis];
  }
  return true;
}

/** The view is inside its array and broadcasts to `shape`, which has `count` elements. */
function broadcasts(op: string, operand: string, a: Strided, shape: readonly number[], count: number): void {
  const own = a.shape;
  if (isAll(a, shape, count)) return;
  const missing = shape.length - own.length;
  let fits = missing >= 0;
  if (own !== shape)
    for (let axis = 0; axis < own.length; axis++)
      if (own[axis] !== shape[axis + missing] && own[axis] !== 1) fits = false;
  if (!fits) fail(op, operand, 'shape', own, `one that broadcasts to [${shape.join(', ')}]`);
  reaches(op, operand, a, count);
}

/** The axes before the last two broadcast to those of `shape`. */
function leads(op: string, operand: string, own: readonly number[], shape: readonly number[]): void {
  const missing = shape.length - own.length;
  let fits = missing >= 0;
  for (let axis = 0; axis < own.length - 2; axis++)
    if (own[axis] !== shape[axis + missing] && own[axis] !== 1) fits = false;
  if (!fits) fail(op, operand, 'shape', own, `matrices that broadcast to those of [${shape.join(', ')}]`);
}

function axisIn(op: string, axis: number, rank: number): void {
  if (axis >>> 0 !== axis || axis >= rank)
    fail(op, 'axis', 'number', axis, `a whole number from 0 to ${rank - 1}`);
}

/** The sizes of `a` with another extent on one axis. */
function resized(shape: readonly number[], axis: number, extent: number): number[] {
  const sizes = shape.slice();
  sizes[axis] = extent;
  return sizes;
}

function sameShape(op: string, operand: string, a: Strided, shape: readonly number[]): void {
  const same = a.shape.length === shape.length && a.shape.every((extent, axis) => extent === shape[axis]);
  if (!same) fail(op, operand, 'shape', a.shape, `[${shape.join(', ')}]`);
}

/** The extents of `a` are at most those of `shape`, but for one axis (gather and scatter read parts of what they are given). */
function withinShape(
  op: string,
  operand: string,
  a: readonly number[],
  shape: readonly number[],
  but: number,
): void {
  const fits = a.length === shape.length && a.every((extent, axis) => axis === but || extent <= shape[axis]);
  if (!fits)
    fail(
      op,
      operand,
      'shape',
      a,
      `at most [${shape.join(', ')}]${but < 0 ? '' : ` on axes other than ${but}`}`,
    );
}

const unary: Rules['copy'] = (op, a, out) => {
  const count = inside(op, 'a', a);
  if (out.length !== count) lengthIs(op, 'out', out, count, `the elements of shape [${a.shape.join(', ')}]`);
};

/** Two operands, by these names in errors. */
const pairOf =
  (first: string, second: string) =>
  (op: string, a: Strided, b: Strided, out: Sized, shape: readonly number[]): void => {
    const count = resultOf(op, out, shape);
    broadcasts(op, first, a, shape, count);
    broadcasts(op, second, b, shape, count);
  };
const binary = pairOf('a', 'b');
const derivative = pairOf('g', 'a');

const ternary: Rules['where' | 'lerp'] = (op, a, b, c, out, shape) => {
  const count = resultOf(op, out, shape);
  broadcasts(op, op === 'where' ? 'condition' : 'a', a, shape, count);
  broadcasts(op, op === 'where' ? 'a' : 'b', b, shape, count);
  broadcasts(op, op === 'where' ? 'b' : 'c', c, shape, count);
};

function reduced(op: string, a: Strided, axes: readonly number[], out: Sized): void {
  inside(op, 'a', a);
  let kept = 1;
  let next = 0;
  for (let axis = 0; axis < a.shape.length; axis++) {
    if (axes[next] === axis) next++;
    else kept *= a.shape[axis];
  }
  if (next !== axes.length)
    fail(op, 'axes', 'order', axes, `distinct axes from 0 to ${a.shape.length - 1}, ascending`);
  if (out.length !== kept) lengthIs(op, 'out', out, kept, 'the elements of the axes that stay');
}

const reduce: Rules[ReduceName | 'logsumexp'] = (op, a, axes, out) => reduced(op, a, axes, out);

const scan: Rules['cumsum'] = (op, a, axis, out) => {
  unary(op, a, out);
  axisIn(op, axis, a.shape.length);
};

const alongAxis: Rules['argmax' | 'argmin'] = (op, a, axis, out) => {
  axisIn(op, axis, a.shape.length);
  reduced(op, a, [axis], out);
};

const moved: Rules['assign' | 'accumulate'] = (op, a, target) => {
  inside(op, 'a', a);
  inside(op, 'target', target);
  sameShape(op, 'target', target, a.shape);
};

const scattered: Rules['scatter' | 'scatterAdd'] = (op, a, axis, index, target, targetShape) => {
  inside(op, 'a', a);
  inside(op, 'index', index);
  resultOf(op, target, targetShape, 'target');
  axisIn(op, axis, targetShape.length);
  withinShape(op, 'index', index.shape, a.shape, -1);
  withinShape(op, 'index', index.shape, targetShape, axis);
};

/** All arrays of an optimiser's step have one length; those that it does without are null. */
function descends(op: string, values: Sized, arrays: Readonly<Record<string, Sized | null>>): void {
  lengthsAre(op, arrays, values.length, 'that of values');
}

/** A source of random words: whole numbers of 32 bits, and a place that a double holds. */
function drawsFrom(op: string, { key, stream, position }: RandomSource): void {
  for (const [name, pair] of Object.entries({ key, stream }))
    if (pair.length !== 2 || pair.some((word) => word >>> 0 !== word))
      fail(op, `source.${name}`, 'value', pair, 'two whole numbers from 0 to 4294967295');
  if (!Number.isSafeInteger(position) || position < 0)
    fail(op, 'source.position', 'value', position, 'a whole number from 0 to 9007199254740991');
}

const halves: Rules['decodeFloat16'] = (op, from, to) =>
  lengthIs(op, 'the result', to, from.length, 'that of the operand');

function lineGradient(
  op: string,
  g: Sized,
  y: Sized,
  shape: readonly number[],
  axis: number,
  out: Sized,
): void {
  const count = resultOf(op, out, shape);
  axisIn(op, axis, shape.length);
  lengthIs(op, 'g', g, count, 'that of out');
  lengthIs(op, 'y', y, count, 'that of out');
}

/** Lengths of arrays of all elements, of parameters, and of statistics. */
function normalises(
  op: string,
  g: NormGeometry,
  elements: Readonly<Record<string, Sized>>,
  parameters: Readonly<Record<string, Sized>>,
  { mean, rstd }: NormStatistics,
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
  lengthIs(op, 'mean', mean, sets, 'the sets that are normalised');
  lengthIs(op, 'rstd', rstd, sets, 'the sets that are normalised');
}

/** Lengths of arrays of logits, and of what there is one of at each place; targets are classes, or none. */
function classifies(
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

function product(extents: readonly number[]): number {
  let count = 1;
  for (let axis = 0; axis < extents.length; axis++) count *= extents[axis];
  return count;
}

function illegal(op: string, parameter: string, actual: unknown, expected: string): never {
  const remedy =
    'Make geometries with convGeometry, convTransposeGeometry or poolGeometry, and leave them as they are.';
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
  if (values.length !== dims) illegal(op, parameter, values, `one number for each of ${dims} spatial axes`);
  for (let axis = 0; axis < dims; axis++) whole(op, parameter, values[axis], minimum);
}

/** What convolutions and poolings have in common. A geometry is an object like any other: it may have been put together by hand. */
function slides(op: string, g: Omit<PoolGeometry, 'channels' | 'countIncludePad' | 'divisorOverride'>): void {
  const dims = g.inputSize.length;
  if (dims < 1 || dims > 3) illegal(op, 'inputSize', g.inputSize, '1 to 3 spatial extents');
  whole(op, 'batch', g.batch, 0);
  wholes(op, 'inputSize', g.inputSize, 1, dims);
  wholes(op, 'kernelSize', g.kernelSize, 1, dims);
  wholes(op, 'outputSize', g.outputSize, 1, dims);
  wholes(op, 'stride', g.stride, 1, dims);
  wholes(op, 'padding', g.padding, 0, dims);
  wholes(op, 'dilation', g.dilation, 1, dims);
}

function convolution(op: string, g: ConvGeometry, x: Sized, w: Sized, y: Sized): void {
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
  const weights = (outChannels * inChannels * product(g.kernelSize)) / groups;
  lengthIs(op, 'x', x, g.batch * inChannels * product(g.inputSize), 'batch · inChannels · inputSize');
  lengthIs(op, 'w', w, weights, 'outChannels · inChannels / groups · kernelSize');
  lengthIs(op, 'y', y, g.batch * outChannels * product(g.outputSize), 'batch · outChannels · outputSize');
}

function pooling(op: string, g: PoolGeometry, x: Sized, y: Sized, indices: Sized = y): void {
  slides(op, g);
  whole(op, 'channels', g.channels, 1);
  for (let axis = 0; axis < g.inputSize.length; axis++) {
    if ((g.outputSize[axis] - 1) * g.stride[axis] >= g.inputSize[axis] + g.padding[axis])
      illegal(op, 'outputSize', g.outputSize, 'windows that start before the end of the input');
  }
  const planes = g.batch * g.channels;
  lengthIs(op, 'x', x, planes * product(g.inputSize), 'batch · channels · inputSize');
  lengthIs(op, 'y', y, planes * product(g.outputSize), 'batch · channels · outputSize');
  lengthIs(op, 'indices', indices, y.length, 'that of y');
}

const rules: Rules = {
  ...named(unary, [...UNARY_OPS, ...UNARY_PREDICATES]),
  ...named(binary, [...BINARY_OPS, ...BINARY_PREDICATES]),
  ...named(derivative, DERIVATIVE_OPS),
  ...named(ternary, TERNARY_OPS),
  ...named(reduce, ['sum', 'sumOfSquares', 'prod', 'max', 'min', 'any', 'all', 'logsumexp']),
  ...named(scan, ['cumsum', 'cumprod', 'softmax', 'logSoftmax']),
  ...named(alongAxis, ['argmax', 'argmin']),
  ...named(moved, ['assign', 'accumulate']),
  ...named(scattered, ['scatter', 'scatterAdd']),
  variance: (op, a, axes, _, out) => reduced(op, a, axes, out),
  softmaxGrad: lineGradient,
  logSoftmaxGrad: lineGradient,
  normalise: (op, g, x, { weight, bias }, y, moments) => {
    normalises(op, g, { x, y }, { weight, bias }, moments);
    lengthIs(op, 'variance', moments.variance, moments.mean.length, 'that of mean');
  },
  normaliseBy: (op, g, x, { weight, bias }, statistics, y) =>
    normalises(op, g, { x, y }, { weight, bias }, statistics),
  normaliseGrad: (op, g, cotangent, x, weight, statistics, out) =>
    normalises(op, g, { cotangent, x, out }, { weight }, statistics),
  normaliseWeightGrad: (op, g, cotangent, x, statistics, out) =>
    normalises(op, g, { cotangent, x }, { out }, statistics),
  crossEntropy: (op, g, logits, target, losses, logs) =>
    classifies(op, g, { logits }, { losses, logs }, target),
  crossEntropyGrad: (op, g, cotangent, logits, target, logs, out) =>
    classifies(op, g, { logits, out }, { cotangent, logs }, target),
  argsort: (op, a, axis, _, out) => scan(op, a, axis, out),
  recurrence: (op, a, b, axis, out) => {
    scan(op, a, axis, out);
    inside(op, 'b', b);
    sameShape(op, 'b', b, a.shape);
  },
  matmul: (op, a, b, out, shape) => {
    resultOf(op, out, shape);
    const rank = shape.length;
    const aRank = a.shape.length;
    const bRank = b.shape.length;
    if (rank < 2) fail(op, 'shape', 'length', rank, 'at least 2 axes');
    if (aRank < 2 || bRank < 2)
      fail(op, aRank < 2 ? 'a' : 'b', 'rank', Math.min(aRank, bRank), 'at least 2 axes');
    const depth = a.shape[aRank - 1];
    inside(op, 'a', a);
    inside(op, 'b', b);
    leads(op, 'a', a.shape, shape);
    leads(op, 'b', b.shape, shape);
    // Not to be broadcast: the rows of a, the columns of b, and the depth of both.
    if (a.shape[aRank - 2] !== shape[rank - 2]) fail(op, 'a', 'shape', a.shape, `${shape[rank - 2]} rows`);
    if (b.shape[bRank - 2] !== depth) fail(op, 'b', 'shape', b.shape, `${depth} rows, the columns of a`);
    if (b.shape[bRank - 1] !== shape[rank - 1]) fail(op, 'b', 'shape', b.shape, `${shape[rank - 1]} columns`);
  },
  convForward: (op, g, x, w, y) => convolution(op, g, x, w, y),
  convInputGrad: (op, g, w, y, x) => convolution(op, g, x, w, y),
  convWeightGrad: (op, g, x, y, w) => convolution(op, g, x, w, y),
  maxPool: (op, g, x, y, indices) => pooling(op, g, x, y, indices),
  avgPool: (op, g, x, y) => pooling(op, g, x, y),
  avgPoolInputGrad: (op, g, y, x) => pooling(op, g, x, y),
  sparseAlong: (op, { starts, columns, values }, a, axis, out) => {
    inside(op, 'a', a);
    axisIn(op, axis, a.shape.length);
    if (starts.length < 1) fail(op, 'matrix.starts', 'length', 0, 'one more than the matrix has rows');
    const entries = starts[starts.length - 1];
    for (let row = 0, last = 0; row < starts.length; last = starts[row++])
      if (!(starts[row] >= last)) fail(op, `matrix.starts[${row}]`, 'value', starts[row], `at least ${last}`);
    if (columns.length < entries) lengthIs(op, 'matrix.columns', columns, entries, 'the last of its starts');
    if (values.length < entries) lengthIs(op, 'matrix.values', values, entries, 'the last of its starts');
    const extent = a.shape[axis];
    for (let k = 0; k < entries; k++)
      if (!(columns[k] >= 0 && columns[k] < extent))
        fail(op, `matrix.columns[${k}]`, 'value', columns[k], `at least 0 and less than ${extent}`);
    resultOf(op, out, resized(a.shape, axis, starts.length - 1));
  },
  adaptiveMaxPool: (op, planes, inputSize, outputSize, x, indices) => {
    resultOf(op, x, [planes, ...inputSize], 'x');
    resultOf(op, indices, [planes, ...outputSize], 'indices');
  },
  gather: (op, a, axis, index, out) => {
    inside(op, 'a', a);
    inside(op, 'index', index);
    axisIn(op, axis, a.shape.length);
    withinShape(op, 'index', index.shape, a.shape, axis);
    resultOf(op, out, index.shape);
  },
  indexSelect: (op, a, axis, index, out) => {
    inside(op, 'a', a);
    axisIn(op, axis, a.shape.length);
    resultOf(op, out, resized(a.shape, axis, index.length));
  },
  indexAdd: (op, a, axis, index, target, targetShape) => {
    inside(op, 'a', a);
    axisIn(op, axis, targetShape.length);
    resultOf(op, target, targetShape, 'target');
    sameShape(op, 'a', a, resized(targetShape, axis, index.length));
  },
  sgdStep: (op, values, gradient, velocity) => descends(op, values, { gradient, velocity }),
  adamStep: (op, values, gradient, mean, square, largest) =>
    descends(op, values, { gradient, mean, square, largest }),
  rmspropStep: (op, values, gradient, square, mean, velocity) =>
    descends(op, values, { gradient, square, mean, velocity }),
  randomWords: (op, source) => drawsFrom(op, source),
  randomUniform: (op, source, bits, out) => {
    drawsFrom(op, source);
    const most = out instanceof Float64Array ? 32 : 24;
    const fits = Number.isInteger(bits) && bits >= 1 && bits <= most;
    if (!fits && !(bits === 53 && most === 32))
      fail(op, 'bits', 'number', bits, most === 32 ? '1 to 32, or 53' : '1 to 24, which float32 holds');
  },
  randomNormal: (op, source) => drawsFrom(op, source),
  randomBelow: (op, source, limit, low) => {
    drawsFrom(op, source);
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 32))
      fail(op, 'limit', 'number', limit, 'a whole number from 1 to 4294967296');
    if (!Number.isSafeInteger(low)) fail(op, 'low', 'number', low, 'a whole number that a double holds');
  },
  decodeFloat16: halves,
  encodeFloat16: (op, a, bits) => lengthIs(op, 'bits', bits, a.length, 'that of a'),
  decodeBfloat16: halves,
  encodeBfloat16: (op, a, bits) => lengthIs(op, 'bits', bits, a.length, 'that of a'),
};

/** One rule for many kernels. */
function named<N extends keyof Kernels>(rule: Rules[N], names: readonly N[]): Pick<Rules, N> {
  return Object.fromEntries(names.map((name) => [name, rule])) as unknown as Pick<Rules, N>;
}

/** No kernel has more operands. Called with all of them, so that no array of arguments is made per call. */
type Six = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown) => unknown;
type Rule = (op: string, ...operands: Parameters<Six>) => void;

/** The kernels of a tier as anyone may call them: each checks its operands, then runs. */
export function checked(kernels: Kernels): Kernels {
  const table: Record<string, Six> = {};
  for (const [op, rule] of Object.entries(rules as unknown as Record<string, Rule>)) {
    const run = kernels[op as keyof Kernels] as unknown as Six;
    table[op] = (a, b, c, d, e, f) => {
      rule(op, a, b, c, d, e, f);
      return run(a, b, c, d, e, f);
    };
  }
  return table as unknown as Kernels;
}
