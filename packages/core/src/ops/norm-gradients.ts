// The records of the gradients of a normalisation, in its operand and in its weight, to any order.

import { type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { computeDType } from '../dtype.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { apply, applyKeeping } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { add, mul, sub } from './arithmetic.ts';
import { zeros } from './create.ts';
import { sumTo } from './expand-sum.ts';
import { requireOperand } from './infer.ts';
import {
  average,
  deviation,
  floats,
  flops,
  geometryOf,
  type NormAttrs,
  parameterShape,
  requireRank,
  statisticsShape,
  unit,
} from './norm-shapes.ts';

/** Runs `normaliseGrad`, whose attributes are those of a normalisation but for eps. */
export function normaliseGrad(
  g: Tensor,
  x: Tensor,
  weight: Tensor,
  centre: Tensor,
  rstd: Tensor,
  { over, centred }: NormAttrs,
): Tensor {
  return apply(normaliseGradOp, [g, x, weight, centre, rstd], { over, centred });
}

/** As {@link normaliseGrad}, with what the op kept: the gradient in the weight. */
export function normaliseGradKeeping(operands: readonly Tensor[], { over, centred }: NormAttrs) {
  return applyKeeping(normaliseGradOp, operands, { over, centred });
}

/** What the derivatives of the gradient are made of. */
function partsOf(operands: readonly Tensor[], attrs: NormAttrs) {
  const [g, x, weight, centre, rstd] = operands;
  const far = sub(x, centre);
  const hat = mul(far, rstd);
  const scaled = mul(g, weight);
  const slope = average(mul(scaled, hat), attrs);
  return { far, hat, scaled, slope };
}

/**
 * The gradient in x: `rstd · (c - mean(c) - x̂ · mean(c x̂))` with `c = g · weight`; without `mean(c)` unless centred. It keeps what
 * `normaliseWeightGrad` gives: the rules of a normalisation over a batch need both, and one look at the elements gives the sums of both.
 */
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
    const weightGrad = { shape: parameterShape(x.shape), dtype: computeDType(x.dtype) };
    return { shape: x.shape, dtype: x.dtype, compute: x.dtype, kept: [weightGrad] };
  },
  forward: ([g, x, weight, centre, rstd], out, attrs, _, kept) => {
    const given = { mean: floats(centre), rstd: floats(rstd) };
    const gradients = { x: out as FloatArray, weight: kept === null ? null : (kept[0] as FloatArray) };
    kernels.normaliseGrad(geometryOf(x, attrs), floats(g), floats(x), floats(weight), given, gradients);
  },
  keeps: ['weightGrad'],
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
      const { far, hat, scaled, slope } = partsOf(operands, attrs);
      const inner = sub(deviation(scaled, attrs), mul(hat, slope));
      return sumTo(add(mul(hatRule(h, operands, attrs), far), mul(h, inner)), operands[4].shape);
    }),
  ],
  forwardMode: ([tg, tx, tWeight, tMean, tRstd], operands, _, { attrs }) => {
    const [g, , weight, , rstd] = operands;
    const { far, hat, scaled, slope } = partsOf(operands, attrs);
    const parts: Tensor[] = [];
    const along = (t: Tensor): void => {
      parts.push(mul(rstd, sub(deviation(t, attrs), mul(hat, average(mul(t, hat), attrs)))));
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
      parts.push(mul(tRstd, sub(deviation(scaled, attrs), mul(hat, slope))));
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
