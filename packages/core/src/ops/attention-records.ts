// The records of attention: the step itself, and its gradients in query, key and value, which one kernel computes together.
//
// Operands have axes (samples, length, heads, columns), the mask (samples, heads, queries, keys), of which any may be 1. Formulas are of
// matrices with the heads before the length: S = scale · Q Kᵀ + M, P = softmax(S), O = P V.

import { type AttentionRule, type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { type DType, promoteTypes, resultType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec, RuleContext, VjpRule } from '../record.ts';
import { defineOp } from '../registry.ts';
import { broadcastsTo, type Shape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { hold } from '../tape/recycling.ts';
import type { Tensor } from '../tensor.ts';
import { add, mul, sub } from './arithmetic.ts';
import { zeros } from './create.ts';
import { diagonalsMask } from './diagonal.ts';
import { sum, sumTo } from './expand-sum.ts';
import { requireExtents, requireFloat, requireOperand } from './infer.ts';
import { cat } from './join.ts';
import { permute, reshape, transpose } from './layout.ts';
import { maskedFill } from './masked.ts';
import { matmul } from './matmul.ts';
import { narrow } from './slice.ts';
import { softmax, softmaxGrad } from './softmax.ts';

/** Query, key, value and mask: shapes of the result, and the type of all together. @throws ShapeError, DTypeError */
function inferAttention(op: string, operands: readonly OperandSpec[]): { shape: Shape; dtype: DType } {
  const [query, key, value, mask] = operands;
  for (let i = 0; i < operands.length; i++) {
    requireFloat(op, operandNames[i], operands[i]);
    if (operands[i].shape.length !== 4) throw shapeError(op, operandNames[i], operands[i], 'four axes');
  }
  const [samples, queries, heads, features] = query.shape;
  const keys = key.shape[1];
  requireExtents(op, 'key', key, [samples, keys, heads, features]);
  requireExtents(op, 'value', value, [samples, keys, heads, value.shape[3]]);
  const scores = [samples, heads, queries, keys];
  if (!broadcastsTo(mask.shape, scores))
    throw shapeError(op, 'mask', mask, `one that broadcasts to ${formatShape(scores)}`);
  let { dtype } = query;
  // All have as many axes: none is weaker than another.
  for (let i = 1; i < operands.length; i++) dtype = promoteTypes(dtype, operands[i].dtype);
  return { shape: [samples, queries, heads, value.shape[3]], dtype };
}

function shapeError(op: string, operand: string, { shape }: OperandSpec, expected: string): ShapeError {
  return new ShapeError(`${operand} has shape ${formatShape(shape)}; it takes ${expected}.`, {
    op,
    operand,
    actual: shape,
    expected,
  });
}

/** Multiply-adds per query and key, counted twice: so many rows of features, and of outputs. */
const flopsOf = (
  [query, key, value]: readonly OperandSpec[],
  ofFeatures: number,
  ofOutputs: number,
): number =>
  2 *
  (sizeOf(query.shape) * ofFeatures +
    query.shape[1] * query.shape[2] * query.shape[0] * value.shape[3] * ofOutputs) *
  key.shape[1];

/** From (samples, length, heads, columns) to (samples, heads, length, columns), and back. */
const turned = (x: Tensor): Tensor => permute(x, [0, 2, 1, 3]);
const along = (x: Tensor): Tensor => sum(x, { axes: 3, keepdim: true });
const lastAxis = { axis: 3 };

/** The weights P of turned queries and keys. */
function weightsOf(query: Tensor, key: Tensor, mask: Tensor, { scale, causal }: AttentionRule): Tensor {
  const scores = add(mul(matmul(query, transpose(key)), scale), mask);
  if (!causal) return softmax(scores, { axis: 3 });
  const later = diagonalsMask('causalMask', [query.shape[2], key.shape[2]], (offset) => offset > 0);
  return softmax(maskedFill(scores, later, Number.NEGATIVE_INFINITY), lastAxis);
}

const operandNames = ['query', 'key', 'value', 'mask'] as const;

/** A rule that reads all operands, as a list. */
function readsAll<Attrs>(
  names: readonly string[],
  rule: (g: Tensor, operands: readonly Tensor[], context: RuleContext<Attrs>) => Tensor,
): VjpRule<Attrs> {
  return { saves: names, rule };
}

/** The gradient of operand `index`, a part of those of all three. */
const gradientRule = (index: number) =>
  readsAll(operandNames, (g, operands, context: RuleContext<AttentionRule>) => {
    const parts = operands.slice(0, 3);
    // One kernel computes the gradients of all three.
    const [all] = together(context, () => [apply(attentionGradOp, [g, ...operands], context.attrs)]);
    return partOf(all, parts, index);
  });

/** What rules have in common: computed for the first one that asks, and for those after it. */
function together<Attrs>(context: RuleContext<Attrs>, compute: () => readonly Tensor[]): readonly Tensor[] {
  const { byproducts } = context;
  if (byproducts) return byproducts;
  const all = compute();
  // Outside of a pass nobody would let go of it.
  if (byproducts === null) {
    all.forEach(hold);
    context.byproducts = all;
  }
  return all;
}

/** One of several tensors that lie one after the other. */
function partOf(all: Tensor, like: readonly Tensor[], index: number): Tensor {
  const start = like.slice(0, index).reduce((total, { size }) => total + size, 0);
  return reshape(narrow(all, 0, start, like[index].size), like[index].shape);
}

/** `softmax(scale · query · keyᵀ + mask) · value`, head by head; causal, query i sees keys 0 to i alone. Nothing is kept but the operands. */
export const attentionOp = defineOp<typeof operandNames, AttentionRule>({
  name: 'attention',
  operands: operandNames,
  infer: (operands) => {
    const { shape, dtype } = inferAttention('attention', operands);
    return { shape, dtype, compute: dtype };
  },
  forward: ([query, key, value, mask], out, rule) =>
    kernels.attention(rule, { query, key, value, mask }, out as FloatArray),
  layout: 'strided',
  recycles: true,
  flops: (operands) => flopsOf(operands, 1, 1),
  vjps: [
    gradientRule(0),
    gradientRule(1),
    gradientRule(2),
    readsAll(operandNames, (g, [query, key, value, mask], { attrs }: RuleContext<AttentionRule>) => {
      const weights = weightsOf(turned(query), turned(key), mask, attrs);
      const slopes = matmul(turned(g), transpose(turned(value)));
      return sumTo(softmaxGrad(slopes, weights, lastAxis), mask.shape);
    }),
  ],
  forwardMode: (tangents, operands, _, { attrs }) => {
    const [query, key, value] = operands.slice(0, 3).map(turned);
    const [dQuery, dKey, dValue, dMask] = tangentsOf(tangents, operands);
    const weights = weightsOf(query, key, operands[3], attrs);
    const dWeights = softmaxGrad(
      scoresAlong({ query, key }, { dQuery, dKey }, dMask, attrs),
      weights,
      lastAxis,
    );
    return turned(add(matmul(dWeights, value), matmul(weights, dValue)));
  },
});

/** Tangents of query, key and value, turned, and of the mask; zeros where there are none. */
function tangentsOf(tangents: readonly (Tensor | null)[], operands: readonly Tensor[]): Tensor[] {
  return operands.map((operand, i) => {
    const tangent = tangents[i] ?? zeros(operand.shape, { dtype: operand.dtype });
    return i < 3 ? turned(tangent) : tangent;
  });
}

/** The scores' tangent: `scale · (dQ Kᵀ + Q dKᵀ) + dM`. */
function scoresAlong(
  { query, key }: { readonly query: Tensor; readonly key: Tensor },
  { dQuery, dKey }: { readonly dQuery: Tensor; readonly dKey: Tensor },
  dMask: Tensor | null,
  { scale }: AttentionRule,
): Tensor {
  const products = mul(add(matmul(dQuery, transpose(key)), matmul(query, transpose(dKey))), scale);
  return dMask === null ? products : add(products, dMask);
}

/** What the derivatives of the gradients are made of: turned operands, and of all scores weights, their cotangents, and those of the scores. */
function gradientParts([g, query, key, value, mask]: readonly Tensor[], attrs: AttentionRule) {
  const [cotangent, q, k, v] = [g, query, key, value].map(turned);
  const weights = weightsOf(q, k, mask, attrs);
  const slopes = matmul(cotangent, transpose(v));
  const mean = along(mul(slopes, weights));
  return { cotangent, q, k, v, weights, slopes, mean, ofScores: mul(weights, sub(slopes, mean)) };
}

const gradientNames = ['g', ...operandNames] as const;

/**
 * The gradients of attention in query, key and value from the cotangent of its result, one after the other:
 * dV = Pᵀ G, dS = P ∘ (G Vᵀ − Σ P ∘ G Vᵀ), dQ = scale · dS K, dK = scale · dSᵀ Q.
 */
export const attentionGradOp = defineOp<typeof gradientNames, AttentionRule>({
  name: 'attentionGrad',
  operands: gradientNames,
  infer: (operands) => {
    const [g, query, key, value] = operands;
    const { shape, dtype } = inferAttention('attentionGrad', operands.slice(1));
    requireOperand('attentionGrad', 'g', g, shape);
    const type = resultType(g, { dtype, shape, isNumber: false });
    return {
      shape: [sizeOf(query.shape) + sizeOf(key.shape) + sizeOf(value.shape)],
      dtype: type,
      compute: type,
    };
  },
  forward: ([g, query, key, value, mask], out, rule) =>
    kernels.attentionGrad(rule, { query, key, value, mask }, g, out as FloatArray),
  layout: 'strided',
  recycles: true,
  flops: ([, ...operands]) => flopsOf(operands, 3, 2),
  vjps: [
    readsAll(gradientNames, (h, operands, context: RuleContext<AttentionRule>) => {
      const { ofValue, v, weights, dWeights } = secondParts(h, operands, context);
      return turned(add(matmul(dWeights, v), matmul(weights, ofValue)));
    }),
    readsAll(gradientNames, (h, operands, context: RuleContext<AttentionRule>) => {
      const { ofKey, k, ofScores, second } = secondParts(h, operands, context);
      return turned(mul(add(matmul(ofScores, ofKey), matmul(second, k)), context.attrs.scale));
    }),
    readsAll(gradientNames, (h, operands, context: RuleContext<AttentionRule>) => {
      const { ofQuery, q, ofScores, second } = secondParts(h, operands, context);
      return turned(
        mul(add(matmul(transpose(ofScores), ofQuery), matmul(transpose(second), q)), context.attrs.scale),
      );
    }),
    readsAll(gradientNames, (h, operands, context: RuleContext<AttentionRule>) => {
      const { cotangent, dWeights } = secondParts(h, operands, context);
      return turned(matmul(transpose(dWeights), cotangent));
    }),
    readsAll(gradientNames, (h, operands, context: RuleContext<AttentionRule>) =>
      sumTo(secondParts(h, operands, context).second, operands[4].shape),
    ),
  ],
  forwardMode: ([tangent, ...tangents], operands, _, { attrs }) => {
    const { cotangent, q, k, v, weights, slopes, mean, ofScores } = gradientParts(operands, attrs);
    const [dQuery, dKey, dValue, dMask] = tangentsOf(tangents, operands.slice(1));
    const [dCotangent] = tangentsOf([tangent], operands.slice(0, 1));
    const dWeights = softmaxGrad(
      scoresAlong({ query: q, key: k }, { dQuery, dKey }, dMask, attrs),
      weights,
      lastAxis,
    );
    const dSlopes = add(matmul(dCotangent, transpose(v)), matmul(cotangent, transpose(dValue)));
    const dMean = along(add(mul(dSlopes, weights), mul(slopes, dWeights)));
    const dScores = add(mul(dWeights, sub(slopes, mean)), mul(weights, sub(dSlopes, dMean)));
    const parts = [
      mul(add(matmul(dScores, k), matmul(ofScores, dKey)), attrs.scale),
      mul(add(matmul(transpose(dScores), q), matmul(transpose(ofScores), dQuery)), attrs.scale),
      add(matmul(transpose(dWeights), cotangent), matmul(transpose(weights), dCotangent)),
    ];
    return cat(parts.map((part) => reshape(turned(part), [part.size])));
  },
});

/**
 * Of cotangents A, B and W of the three gradients: ⟨A, dQ⟩ + ⟨B, dK⟩ + ⟨W, dV⟩ is ⟨G, dO⟩, where dO is the tangent of the result along A, B and W.
 * So U = scale · (A Kᵀ + Q Bᵀ) is the tangent of the scores, and what is differentiated is ⟨dS, U⟩ + ⟨P, G Wᵀ⟩; `second` is its gradient in S.
 */
function secondParts(h: Tensor, operands: readonly Tensor[], context: RuleContext<AttentionRule>) {
  const [cotangent, q, k, v] = operands.slice(0, 4).map(turned);
  const like = operands.slice(1, 4);
  const [ofQuery, ofKey, ofValue] = like.map((_, i) => turned(partOf(h, like, i)));
  const [weights, ofScores, dWeights, second] = together(context, () => {
    const { attrs } = context;
    const parts = gradientParts(operands, attrs);
    const tangent = scoresAlong({ query: q, key: k }, { dQuery: ofQuery, dKey: ofKey }, null, attrs);
    const ofWeights = add(
      sub(mul(parts.slopes, sub(tangent, along(mul(tangent, parts.weights)))), mul(parts.mean, tangent)),
      matmul(cotangent, transpose(ofValue)),
    );
    return [
      parts.weights,
      parts.ofScores,
      softmaxGrad(tangent, parts.weights, lastAxis),
      softmaxGrad(ofWeights, parts.weights, lastAxis),
    ];
  });
  return { cotangent, q, k, v, ofQuery, ofKey, ofValue, weights, ofScores, dWeights, second };
}
