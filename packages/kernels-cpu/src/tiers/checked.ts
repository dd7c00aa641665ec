// What every public kernel checks before it starts: that its views lie within their arrays and that lengths and shapes fit. Fast
// tiers read and write memory where these numbers say, so a wrong one must end here. The table has a rule for every
// kernel; one without does not compile.

import type { RandomSource } from '../kernels/random.ts';
import type { Kernels, ReduceName, Strided } from '../kernels.ts';
import { attention, attentionGrad } from './checks-attention.ts';
import { classifies, convolution, normalises, overlaps, pooling, sharesOut } from './checks-geometry.ts';
import {
  axisIn,
  broadcasts,
  fail,
  inside,
  isView,
  leads,
  lengthIs,
  lengthsAre,
  resized,
  resultOf,
  type Sized,
  sameShape,
  withinShape,
} from './checks-views.ts';
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

const moved: Rules['assign' | 'addTo'] = (op, a, target) => {
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

const rules: Rules = {
  ...named(unary, [...UNARY_OPS, ...UNARY_PREDICATES]),
  ...named(binary, [...BINARY_OPS, ...BINARY_PREDICATES]),
  ...named(derivative, DERIVATIVE_OPS),
  ...named(ternary, TERNARY_OPS),
  ...named(reduce, ['sum', 'sumOfSquares', 'prod', 'max', 'min', 'any', 'all', 'logsumexp']),
  ...named(scan, ['cumsum', 'cumprod', 'softmax', 'logSoftmax']),
  ...named(alongAxis, ['argmax', 'argmin']),
  ...named(moved, ['assign', 'addTo']),
  ...named(scattered, ['scatter', 'scatterAdd']),
  variance: (op, a, axes, _, out) => reduced(op, a, axes, out),
  softmaxGrad: lineGradient,
  logSoftmaxGrad: lineGradient,
  normalise: (op, g, x, { weight, bias }, y, moments) => {
    normalises(op, g, { x, y }, { weight, bias }, moments);
    if (moments !== null) lengthIs(op, 'variance', moments.variance, moments.mean.length, 'that of mean');
  },
  normaliseBy: (op, g, x, { weight, bias }, statistics, y) =>
    normalises(op, g, { x, y }, { weight, bias }, statistics),
  normaliseGrad: (op, g, cotangent, x, weight, statistics, { x: ofX, weight: ofWeight }) => {
    normalises(op, g, { cotangent, x, 'gradients.x': ofX }, { weight }, statistics);
    if (ofWeight !== null) lengthIs(op, 'gradients.weight', ofWeight, weight.length, 'that of weight');
  },
  normaliseWeightGrad: (op, g, cotangent, x, statistics, out) =>
    normalises(op, g, { cotangent, x }, { out }, statistics),
  crossEntropy: (op, g, logits, target, losses, logs) =>
    classifies(op, g, { logits }, { losses, logs }, target),
  crossEntropyGrad: (op, g, cotangent, logits, target, logs, out) =>
    classifies(op, g, { logits, out }, { cotangent, logs }, target),
  argsort: (op, a, axis, _, out) => scan(op, a, axis, out),
  argtopk: (op, a, axis, k, _, out) => {
    inside(op, 'a', a);
    axisIn(op, axis, a.shape.length);
    if (!(Number.isInteger(k) && k >= 0 && k <= a.shape[axis]))
      fail(op, 'k', 'number', k, `a whole number from 0 to ${a.shape[axis]}`);
    resultOf(op, out, resized(a.shape, axis, k));
  },
  recurrence: (op, a, b, axis, out) => {
    scan(op, a, axis, out);
    inside(op, 'b', b);
    sameShape(op, 'b', b, a.shape);
  },
  matmul: (op, a, b, out, shape, bias = null) => {
    resultOf(op, out, shape);
    const rank = shape.length;
    isView(op, 'a', a);
    isView(op, 'b', b);
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
    const columns = shape[rank - 1];
    if (b.shape[bRank - 1] !== columns) fail(op, 'b', 'shape', b.shape, `${columns} columns`);
    if (bias === null) return;
    inside(op, 'bias', bias);
    sameShape(op, 'bias', bias, [columns]);
  },
  attention,
  attentionGrad,
  convForward: (op, g, x, w, y) => convolution(op, g, x, w, y),
  convInputGrad: (op, g, w, y, x) => convolution(op, g, x, w, y),
  convWeightGrad: (op, g, x, y, w) => convolution(op, g, x, w, y),
  maxPool: (op, g, x, y, indices) => pooling(op, g, x, y, indices ?? y),
  maxPoolInputGrad: (op, g, y, indices, x) => pooling(op, g, x, y, indices),
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
  adaptiveMaxPool: sharesOut,
  overlap: overlaps,
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
