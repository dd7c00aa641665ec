// Checks of attention: four axes each, and sizes that fit each other.

import type { AttentionOperands, AttentionRule, Strided } from '../kernels.ts';
import { fail, inside, isView, lengthIs, resultOf, type Sized, sameShape } from './checks-views.ts';

function fourAxes(op: string, operand: string, a: Strided): void {
  isView(op, operand, a);
  if (a.shape.length !== 4) fail(op, operand, 'rank', a.shape.length, '4 axes');
  inside(op, operand, a);
}

/** Throws unless the operands fit; returns the shape of the result. */
function attends(op: string, rule: AttentionRule, { query, key, value, mask }: AttentionOperands): number[] {
  if (typeof rule.scale !== 'number') fail(op, 'rule.scale', 'kind', rule.scale, 'a number');
  fourAxes(op, 'query', query);
  fourAxes(op, 'key', key);
  fourAxes(op, 'value', value);
  fourAxes(op, 'mask', mask);
  const [samples, queries, heads, features] = query.shape;
  const keys = key.shape[1];
  sameShape(op, 'key', key, [samples, keys, heads, features]);
  sameShape(op, 'value', value, [samples, keys, heads, value.shape[3]]);
  const scores = [samples, heads, queries, keys];
  if (mask.shape.some((extent, axis) => extent !== 1 && extent !== scores[axis]))
    fail(op, 'mask', 'shape', mask.shape, `one that broadcasts to [${scores.join(', ')}]`);
  return [samples, queries, heads, value.shape[3]];
}

export function attention(op: string, rule: AttentionRule, operands: AttentionOperands, out: Sized): void {
  resultOf(op, out, attends(op, rule, operands));
}

export function attentionGrad(
  op: string,
  rule: AttentionRule,
  operands: AttentionOperands,
  cotangent: Strided,
  out: Sized,
): void {
  const shape = attends(op, rule, operands);
  fourAxes(op, 'cotangent', cotangent);
  sameShape(op, 'cotangent', cotangent, shape);
  const count = [operands.query, operands.key, operands.value].reduce(
    (sum, { shape: [samples, length, heads, columns] }) => sum + samples * length * heads * columns,
    0,
  );
  lengthIs(op, 'out', out, count, 'the elements of query, key and value');
}
