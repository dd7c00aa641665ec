// Kernels of attention: how much each query takes of the values of all keys, and the gradients.

import type { FloatArray, Strided } from '../arrays.ts';

/** What attention reads: views of four axes, of one floating-point type. */
export interface AttentionOperands {
  /** (samples, queries, heads, features). */
  readonly query: Strided;
  /** (samples, keys, heads, features). */
  readonly key: Strided;
  /** (samples, keys, heads, outputs). */
  readonly value: Strided;
  /** Added to the scores, and broadcast to them: (samples, heads, queries, keys). */
  readonly mask: Strided;
}

/** How scores are made. */
export interface AttentionRule {
  /** What the inner products of queries and keys are multiplied by. */
  readonly scale: number;
  /** Whether query i takes of keys 0 to i alone. */
  readonly causal: boolean;
}

/** Kernels of attention. */
export interface AttentionKernels {
  /**
   * `softmax(scale · query · keyᵀ + mask) · value`, head by head; `out` is (samples, queries, heads, outputs). NaN for a query whose scores
   * are -Infinity throughout, and 0 where there are no keys.
   */
  readonly attention: (rule: AttentionRule, operands: AttentionOperands, out: FloatArray) => void;
  /**
   * The gradients of `attention` in query, key and value from the cotangent of its result, which has that one's shape: one after the other in
   * `out`, each in the shape of its operand.
   */
  readonly attentionGrad: (
    rule: AttentionRule,
    operands: AttentionOperands,
    cotangent: Strided,
    out: FloatArray,
  ) => void;
}
