// A call of attention: what it takes beside query, key and value, what it gives, and whether the three fit.

import { formatShape, requireTensor, ShapeError, type Tensor } from '@adjoint/core';

/** Options of a call. A bool mask is true where a query may **not** look, as in PyTorch's layer; a floating-point one is added to the scores. */
export interface AttentionCallOptions {
  /** Per sequence, which keys are padding: (N, S), or (S) for a single sequence. Default: none. */
  readonly keyPaddingMask?: Tensor | undefined;
  /** Which keys a query may not look at: (L, S) for all, or (N·heads, L, S). Default: none. */
  readonly attnMask?: Tensor | undefined;
  /** Lets query i look at keys 0 to i only. Default false. */
  readonly isCausal?: boolean | undefined;
  /** Whether to give the attention weights beside the output. Default true. */
  readonly needWeights?: boolean | undefined;
  /** Whether the weights given are means over the heads. Default true. */
  readonly averageAttnWeights?: boolean | undefined;
}

/** What attention gives: the output, and the weights where they are wanted. */
export interface AttentionResult {
  /** Shape (L, N, embedDim), or in the layout of the query. */
  readonly output: Tensor;
  /** Shape (N, L, S), or (N, heads, L, S) if not averaged, without N for a single sequence; null if not wanted. */
  readonly weights: Tensor | null;
}

/** How sequences are laid out, and how many features each of them has. */
interface SequenceLayout {
  readonly batchFirst: boolean;
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
}

/** Throws a ShapeError unless query, key and value are laid out alike, with features as said, and as many values as keys. */
export function requireSequences(
  { batchFirst, embedDim, kdim, vdim }: SequenceLayout,
  query: Tensor,
  key: Tensor,
  value: Tensor,
): void {
  const layout = batchFirst ? '(N, length, features)' : '(length, N, features)';
  const batchAxis = batchFirst ? 0 : 1;
  for (const [operand, x, features] of [
    ['query', query, embedDim],
    ['key', key, kdim],
    ['value', value, vdim],
  ] as const) {
    requireTensor('MultiheadAttention', operand, x);
    const fits = x.ndim === query.ndim && (x.ndim === 2 || x.ndim === 3) && x.shape[x.ndim - 1] === features;
    if (!fits || (x.ndim === 3 && x.shape[batchAxis] !== query.shape[batchAxis]))
      throw misfit(
        operand,
        x,
        `${layout} or (length, features) with ${features} features, batched as the query is`,
      );
  }
  const lengthAxis = value.ndim === 3 && batchFirst ? 1 : 0;
  if (key.shape[lengthAxis] !== value.shape[lengthAxis])
    throw misfit('value', value, `as many elements as the key has, ${key.shape[lengthAxis]}`);
}

function misfit(operand: string, x: Tensor, expected: string): ShapeError {
  return new ShapeError(`${operand} has shape ${formatShape(x.shape)}; it takes ${expected}.`, {
    op: 'MultiheadAttention',
    operand,
    actual: x.shape,
    expected,
  });
}
