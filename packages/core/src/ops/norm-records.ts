// The records of normalisations: the step itself, its gradients in the operand and in the weight, and the step by statistics that
// are given. Public functions are in ./norms.ts and ./norms-batch.ts.
//
// All see their operand as (batch, groups, channels, places); weight and bias have shape (1, groups, channels, 1), and mean and
// rstd = 1 / √(variance + eps) have size 1 on the axes that are normalised over.

import {
  type FloatArray,
  kernels,
  type NormGeometry,
  type NormMoments,
  type NumericArray,
  type Strided,
} from '@adjoint/kernels-cpu';
import { allocate, computeDType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import { defineOp, type OperandSpec, vjpRule } from '../registry.ts';
import type { Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { isFollowed } from '../tape/followed.ts';
import type { Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { add, mul, sub } from './arithmetic.ts';
import { ones, zeros } from './create.ts';
import { mean, sumTo } from './expand-sum.ts';
import { requireFloat, requireOperand } from './infer.ts';
import { cat } from './join.ts';
import { reshape } from './layout.ts';
import { rsqrt, square } from './powers.ts';
import { narrow } from './slice.ts';

/** What is normalised together, and how. */
export interface NormAttrs {
  /** `'sample'`: each group of each sample; `'batch'`: each group of all samples. */
  readonly over: 'sample' | 'batch';
  /** Whether the mean is taken off. */
  readonly centred: boolean;
}

interface NormaliseAttrs extends NormAttrs {
  readonly eps: number;
}

const axesOf = ({ over }: NormAttrs): number[] => (over === 'sample' ? [2, 3] : [0, 2, 3]);

const statisticsShape = ([batch, groups]: Shape, { over }: NormAttrs): Shape => [
  over === 'sample' ? batch : 1,
  groups,
  1,
  1,
];

const parameterShape = ([, groups, channels]: Shape): Shape => [1, groups, channels, 1];

function geometryOf(x: Strided, { over, centred }: NormAttrs, eps = 0): NormGeometry {
  const [batch, groups, channels, places] = x.shape;
  return { batch, groups, channels, places, over, centred, eps };
}

/** @throws DTypeError unless it is floating-point; ShapeError unless it has the four axes. */
function requireRank(op: string, x: OperandSpec): void {
  requireFloat(op, 'x', x);
  if (x.shape.length === 4) return;
  throw new ShapeError(
    `x has shape ${formatShape(x.shape)}; it takes four axes, (batch, groups, channels, places).`,
    { op, operand: 'x', actual: x.shape, expected: '(batch, groups, channels, places)' },
  );
}

const floats = ({ data }: Strided): FloatArray => data as FloatArray;

/** What `normalise` keeps, as its kernel gives it. */
function momentsIn(kept: readonly NumericArray[]): NormMoments {
  const [mean, rstd, variance] = kept as readonly FloatArray[];
  return { mean, rstd, variance };
}

/** Ten or so operations an element, of which a result has one for each of the first operand. */
const flops = ([x]: readonly OperandSpec[]): number =>
  10 * x.shape.reduce((product, size) => product * size, 1);

/** The mean over some axes, kept with size 1. */
const average = (x: Tensor, attrs: NormAttrs): Tensor => mean(x, { axes: axesOf(attrs), keepdim: true });

/** Mean (zeros unless centred) and rstd as ops give them, so that derivatives go through them. */
function statisticsOf(x: Tensor, attrs: NormaliseAttrs): [mean: Tensor, rstd: Tensor] {
  const centre = attrs.centred
    ? average(x, attrs)
    : zeros(statisticsShape(x.shape, attrs), { dtype: x.dtype });
  const spread = average(square(attrs.centred ? sub(x, centre) : x), attrs);
  return [centre, rsqrt(add(spread, attrs.eps))];
}

/** The statistics that were kept; where someone follows, with the derivatives of those that ops give, and still of the same bits. */
function statistics(x: Tensor, centre: Tensor, rstd: Tensor, attrs: NormaliseAttrs): [Tensor, Tensor] {
  if (!isFollowed()) return [centre, rstd];
  const [ownCentre, ownRstd] = statisticsOf(x, attrs);
  return [add(centre, sub(ownCentre, ownCentre.detach())), add(rstd, sub(ownRstd, ownRstd.detach()))];
}

/** `x̂ · weight + bias` with `x̂ = (x - mean) · rstd`. */
export const normaliseOp = defineOp<readonly ['x', 'weight', 'bias'], NormaliseAttrs>({
  name: 'normalise',
  operands: ['x', 'weight', 'bias'],
  infer: ([x, weight, bias], attrs) => {
    requireRank('normalise', x);
    requireOperand('normalise', 'weight', weight, parameterShape(x.shape));
    requireOperand('normalise', 'bias', bias, parameterShape(x.shape));
    const kept = { shape: statisticsShape(x.shape, attrs), dtype: computeDType(x.dtype) };
    return { shape: x.shape, dtype: x.dtype, compute: x.dtype, kept: [kept, kept, kept] };
  },
  forward: ([x, weight, bias], out, attrs, _, kept) => {
    const g = geometryOf(x, attrs, attrs.eps);
    const affine = { weight: floats(weight), bias: floats(bias) };
    kernels.normalise(g, floats(x), affine, out as FloatArray, kept === null ? null : momentsIn(kept));
  },
  keeps: ['mean', 'rstd', 'variance'],
  recycles: true,
  flops,
  vjps: [
    vjpRule('x', 'weight', 'mean', 'rstd', (g, x, weight, centre, rstd, { attrs }) =>
      normaliseGrad(g, x, weight, ...statistics(x, centre, rstd, attrs), attrs),
    ),
    vjpRule('x', 'mean', 'rstd', (g, x, centre, rstd, { attrs }) =>
      apply(normaliseWeightGradOp, [g, x, ...statistics(x, centre, rstd, attrs)], attrs),
    ),
    vjpRule((g) => sumTo(g, parameterShape(g.shape))),
  ],
  forwardMode: ([tx, tWeight, tBias], [x, weight], output, { attrs }) => {
    const [centre, rstd] = statisticsOf(x, attrs);
    const parts: Tensor[] = [];
    // The Jacobian of x̂ is symmetric.
    if (tx) parts.push(mul(normaliseGrad(tx, x, unit(weight), centre, rstd, attrs), weight));
    if (tWeight) parts.push(mul(mul(sub(x, centre), rstd), tWeight));
    if (tBias) parts.push(add(zeros(output.shape, { dtype: output.dtype }), tBias));
    return parts.reduce(add);
  },
});

/**
 * The mean and the variance that `normalise` finds, of the same bits, one after the other on a new first axis: for graphs, in which what an op
 * kept has no place.
 */
export const normMomentsOp = defineOp<readonly ['x'], NormaliseAttrs>({
  name: 'normMoments',
  operands: ['x'],
  infer: ([x], attrs) => {
    requireRank('normMoments', x);
    const dtype = computeDType(x.dtype);
    return { shape: [2, ...statisticsShape(x.shape, attrs)], dtype, compute: dtype };
  },
  forward: ([x], out, attrs) => {
    const dtype = out instanceof Float64Array ? 'float64' : 'float32';
    const sets = out.length / 2;
    const array = (length: number): FloatArray => allocate(dtype, length) as FloatArray;
    const [, groups, channels] = x.shape;
    const affine = { weight: array(groups * channels), bias: array(groups * channels) };
    const [centre, variance] = [out.subarray(0, sets), out.subarray(sets)] as FloatArray[];
    const moments = { mean: centre, rstd: array(sets), variance };
    const result = allocateUnfilled(dtype, x.data.length) as FloatArray;
    kernels.normalise(geometryOf(x, attrs, attrs.eps), floats(x), affine, result, moments);
  },
  recycles: true,
  flops,
  vjps: [
    vjpRule('x', (h, x, { attrs }) => {
      const [ofMean, ofVariance] = [0, 1].map((i) =>
        reshape(narrow(h, 0, i, 1), statisticsShape(x.shape, attrs)),
      );
      const count = x.size / Math.max(1, ofMean.size);
      const slope = mul(deviation(x, attrs), mul(ofVariance, 2 / count));
      return attrs.centred ? add(slope, mul(ofMean, 1 / count)) : slope;
    }),
  ],
  forwardMode: ([tangent], [x], output, { attrs }) => {
    const ofMean = average(tangent!, attrs);
    const ofVariance = average(mul(mul(tangent!, deviation(x, attrs)), 2), attrs);
    return reshape(cat([attrs.centred ? ofMean : mul(ofMean, 0), ofVariance]), output.shape);
  },
});

const deviation = (x: Tensor, attrs: NormAttrs): Tensor => (attrs.centred ? sub(x, average(x, attrs)) : x);

const unit = (weight: Tensor): Tensor => ones(weight.shape, { dtype: weight.dtype });

function normaliseGrad(
  g: Tensor,
  x: Tensor,
  weight: Tensor,
  centre: Tensor,
  rstd: Tensor,
  { over, centred }: NormAttrs,
): Tensor {
  return apply(normaliseGradOp, [g, x, weight, centre, rstd], { over, centred });
}

/** What the derivatives of the gradient are made of. */
function partsOf(operands: readonly Tensor[], attrs: NormAttrs) {
  const [g, x, weight, centre, rstd] = operands;
  const far = sub(x, centre);
  const hat = mul(far, rstd);
  const scaled = mul(g, weight);
  /** Takes the mean off, if the op does. */
  const centredOf = (t: Tensor): Tensor => (attrs.centred ? sub(t, average(t, attrs)) : t);
  const slope = average(mul(scaled, hat), attrs);
  return { far, hat, scaled, slope, centredOf };
}

/** The gradient in x: `rstd · (c - mean(c) - x̂ · mean(c x̂))` with `c = g · weight`; without `mean(c)` unless centred. */
export const normaliseGradOp = defineOp<readonly ['g', 'x', 'weight', 'mean', 'rstd'], NormAttrs>({
  name: 'normaliseGrad',
  operands: ['g', 'x', 'weight', 'mean', 'rstd'],
  infer: ([g, x, weight, centre, rstd], attrs) => {
    const op = 'normaliseGrad';
    requireRank(op, x);
    requireOperand(op, 'g', g, x.shape);
    requireOperand(op, 'weight', weight, parameterShape(x.shape));
    requireOperand(op, 'mean', centre, statisticsShape(x.shape, attrs));
    requireOperand(op, 'rstd', rstd, statisticsShape(x.shape, attrs));
    return { shape: x.shape, dtype: x.dtype, compute: x.dtype };
  },
  forward: ([g, x, weight, centre, rstd], out, attrs) => {
    const given = { mean: floats(centre), rstd: floats(rstd) };
    kernels.normaliseGrad(
      geometryOf(x, attrs),
      floats(g),
      floats(x),
      floats(weight),
      given,
      out as FloatArray,
    );
  },
  recycles: true,
  flops,
  vjps: [
    normaliseGradRule((h, operands, attrs) => mul(selfAdjoint(h, operands, attrs), operands[2])),
    normaliseGradRule((h, operands, attrs) => mul(hatRule(h, operands, attrs), operands[4])),
    normaliseGradRule((h, operands, attrs) =>
      sumTo(mul(selfAdjoint(h, operands, attrs), operands[0]), operands[2].shape),
    ),
    normaliseGradRule((h, operands, attrs) =>
      sumTo(mul(hatRule(h, operands, attrs), mul(operands[4], -1)), operands[3].shape),
    ),
    normaliseGradRule((h, operands, attrs) => {
      const { far, hat, scaled, slope, centredOf } = partsOf(operands, attrs);
      const inner = sub(centredOf(scaled), mul(hat, slope));
      return sumTo(add(mul(hatRule(h, operands, attrs), far), mul(h, inner)), operands[4].shape);
    }),
  ],
  forwardMode: ([tg, tx, tWeight, tMean, tRstd], operands, _, { attrs }) => {
    const [g, , weight, , rstd] = operands;
    const { far, hat, scaled, slope, centredOf } = partsOf(operands, attrs);
    const parts: Tensor[] = [];
    const along = (t: Tensor): void => {
      parts.push(mul(rstd, sub(centredOf(t), mul(hat, average(mul(t, hat), attrs)))));
    };
    const alongHat = (t: Tensor): void => {
      parts.push(mul(mul(rstd, -1), add(mul(t, slope), mul(hat, average(mul(scaled, t), attrs)))));
    };
    if (tg) along(mul(tg, weight));
    if (tWeight) along(mul(g, tWeight));
    if (tx) alongHat(mul(tx, rstd));
    if (tMean) alongHat(mul(add(zeros(far.shape, { dtype: far.dtype }), tMean), mul(rstd, -1)));
    if (tRstd) {
      alongHat(mul(far, tRstd));
      parts.push(mul(tRstd, sub(centredOf(scaled), mul(hat, slope))));
    }
    return parts.reduce(add);
  },
});

/** A rule that reads all operands. */
function normaliseGradRule(rule: (h: Tensor, operands: readonly Tensor[], attrs: NormAttrs) => Tensor) {
  return {
    saves: ['g', 'x', 'weight', 'mean', 'rstd'],
    rule: (h: Tensor, operands: readonly Tensor[], { attrs }: { readonly attrs: NormAttrs }): Tensor =>
      rule(h, operands, attrs),
  };
}

/** From `c` to the gradient the map is its own adjoint. */
function selfAdjoint(h: Tensor, [, x, weight, centre, rstd]: readonly Tensor[], attrs: NormAttrs): Tensor {
  return normaliseGrad(h, x, unit(weight), centre, rstd, attrs);
}

/** The cotangent of x̂. */
function hatRule(h: Tensor, operands: readonly Tensor[], attrs: NormAttrs): Tensor {
  const { hat, scaled, slope } = partsOf(operands, attrs);
  const other = average(mul(h, hat), attrs);
  return mul(mul(operands[4], -1), add(mul(h, slope), mul(scaled, other)));
}

/** The gradient in the weight: `Σ g · (x - mean) · rstd` over samples and places. */
export const normaliseWeightGradOp = defineOp<readonly ['g', 'x', 'mean', 'rstd'], NormAttrs>({
  name: 'normaliseWeightGrad',
  operands: ['g', 'x', 'mean', 'rstd'],
  infer: ([g, x, centre, rstd], attrs) => {
    const op = 'normaliseWeightGrad';
    requireRank(op, x);
    requireOperand(op, 'g', g, x.shape);
    requireOperand(op, 'mean', centre, statisticsShape(x.shape, attrs));
    requireOperand(op, 'rstd', rstd, statisticsShape(x.shape, attrs));
    return { shape: parameterShape(x.shape), dtype: x.dtype, compute: x.dtype };
  },
  forward: ([g, x, centre, rstd], out, attrs) => {
    const given = { mean: floats(centre), rstd: floats(rstd) };
    kernels.normaliseWeightGrad(geometryOf(x, attrs), floats(g), floats(x), given, out as FloatArray);
  },
  recycles: true,
  flops,
  vjps: [
    vjpRule('x', 'mean', 'rstd', (h, x, centre, rstd) => mul(h, mul(sub(x, centre), rstd))),
    vjpRule('g', 'rstd', (h, g, rstd) => mul(mul(h, g), rstd)),
    vjpRule('g', 'rstd', (h, g, rstd) => sumTo(mul(mul(h, g), mul(rstd, -1)), rstd.shape)),
    vjpRule('g', 'x', 'mean', 'rstd', (h, g, x, centre, rstd) =>
      sumTo(mul(mul(h, g), sub(x, centre)), rstd.shape),
    ),
  ],
  forwardMode: ([tg, tx, tMean, tRstd], [g, x, centre, rstd]) => {
    const parts: Tensor[] = [];
    if (tg) parts.push(mul(tg, mul(sub(x, centre), rstd)));
    if (tx) parts.push(mul(g, mul(tx, rstd)));
    if (tMean) parts.push(mul(g, mul(tMean, mul(rstd, -1))));
    if (tRstd) parts.push(mul(g, mul(sub(x, centre), tRstd)));
    return sumTo(parts.reduce(add), parameterShape(x.shape));
  },
});

/** As `normalise`, by statistics of each group that are given. */
export const normaliseByOp = defineOp<readonly ['x', 'weight', 'bias', 'mean', 'rstd'], undefined>({
  name: 'normaliseBy',
  operands: ['x', 'weight', 'bias', 'mean', 'rstd'],
  infer: ([x, weight, bias, centre, rstd]) => {
    const op = 'normaliseBy';
    requireRank(op, x);
    requireOperand(op, 'weight', weight, parameterShape(x.shape));
    requireOperand(op, 'bias', bias, parameterShape(x.shape));
    requireOperand(op, 'mean', centre, statisticsShape(x.shape, byBatch));
    requireOperand(op, 'rstd', rstd, statisticsShape(x.shape, byBatch));
    return { shape: x.shape, dtype: x.dtype, compute: x.dtype };
  },
  forward: ([x, weight, bias, centre, rstd], out) => {
    const affine = { weight: floats(weight), bias: floats(bias) };
    const given = { mean: floats(centre), rstd: floats(rstd) };
    kernels.normaliseBy(geometryOf(x, byBatch), floats(x), affine, given, out as FloatArray);
  },
  recycles: true,
  flops,
  vjps: [
    vjpRule('weight', 'rstd', (g, weight, rstd) => mul(g, mul(weight, rstd))),
    vjpRule('x', 'mean', 'rstd', (g, x, centre, rstd) =>
      apply(normaliseWeightGradOp, [g, x, centre, rstd], byBatch),
    ),
    vjpRule((g) => sumTo(g, parameterShape(g.shape))),
    vjpRule('weight', 'rstd', (g, weight, rstd) => sumTo(mul(g, mul(weight, mul(rstd, -1))), rstd.shape)),
    vjpRule('x', 'weight', 'mean', 'rstd', (g, x, weight, centre, rstd) =>
      sumTo(mul(mul(g, weight), sub(x, centre)), rstd.shape),
    ),
  ],
  forwardMode: ([tx, tWeight, tBias, tMean, tRstd], [x, weight, , centre, rstd], output) => {
    const far = sub(x, centre);
    const parts: Tensor[] = [];
    if (tx) parts.push(mul(tx, mul(weight, rstd)));
    if (tWeight) parts.push(mul(mul(far, rstd), tWeight));
    if (tMean) parts.push(mul(tMean, mul(weight, mul(rstd, -1))));
    if (tRstd) parts.push(mul(mul(far, weight), tRstd));
    if (tBias) parts.push(tBias);
    return parts.reduce(add, zeros(output.shape, { dtype: output.dtype }));
  },
});

const byBatch: NormAttrs = { over: 'batch', centred: true };
