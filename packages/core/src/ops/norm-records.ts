// The records of normalisations: the step itself, its statistics, and the step by statistics that are given. Public functions are in
// ./norms.ts and ./norms-batch.ts.
//
// Shapes are those of ./norm-shapes.ts; mean and rstd = 1 / √(variance + eps) have size 1 on the axes that are normalised over.

import { type FloatArray, kernels, type NormMoments, type NumericArray } from '@adjoint/kernels-cpu';
import { allocate, computeDType } from '../dtype.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import { isFollowed } from '../tape/followed.ts';
import type { Tensor } from '../tensor.ts';
import { allocateUnfilled } from '../unfilled.ts';
import { add, mul, sub } from './arithmetic.ts';
import { zeros } from './create.ts';
import { sumTo } from './expand-sum.ts';
import { requireOperand } from './infer.ts';
import { cat } from './join.ts';
import { reshape } from './layout.ts';
import { normaliseGrad, normaliseGradKeeping, normaliseWeightGradOp } from './norm-gradients.ts';
import {
  average,
  deviation,
  floats,
  flops,
  geometryOf,
  type NormAttrs,
  type NormaliseAttrs,
  parameterShape,
  requireRank,
  statisticsShape,
  unit,
} from './norm-shapes.ts';
import { rsqrt, square } from './powers.ts';
import { narrow } from './slice.ts';

/** What `normalise` keeps, as its kernel gives it. */
function momentsIn(kept: readonly NumericArray[]): NormMoments {
  const [mean, rstd, variance] = kept as readonly FloatArray[];
  return { mean, rstd, variance };
}

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
    vjpRule('x', 'weight', 'mean', 'rstd', (g, x, weight, centre, rstd, context) => {
      const { attrs } = context;
      if (attrs.over === 'sample' || isFollowed())
        return normaliseGrad(g, x, weight, ...statistics(x, centre, rstd, attrs), attrs);
      const { output, kept } = normaliseGradKeeping([g, x, weight, centre, rstd], attrs);
      context.byproducts = kept;
      return output;
    }),
    vjpRule(
      'x',
      'mean',
      'rstd',
      (g, x, centre, rstd, { attrs, byproducts }) =>
        byproducts?.[0] ?? apply(normaliseWeightGradOp, [g, x, ...statistics(x, centre, rstd, attrs)], attrs),
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
