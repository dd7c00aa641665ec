// Sequences of different lengths in one batch: which places of it are part of a sequence.

import { ArgumentError, type Lengths, quote, Tensor, tensor } from '@adjoint/core';

/** Options of a run of a recurrent network over sequences. */
export interface SequenceOptions {
  /**
   * How many places of each sequence of a padded batch count, from its first on: an integer from 1 to L for each of the N. What stands
   * behind them is not read, outputs there are 0, and states are those after each sequence's own last place. Default: all of L.
   */
  readonly lengths?: Lengths | undefined;
}

/** A batch of sequences, as lengths are checked against it. */
interface Batch {
  readonly op: string;
  readonly batched: boolean;
  readonly length: number;
  readonly batch: number;
}

/**
 * For each place, which sequences reach as far, bool (N, 1), or null where all do.
 *
 * @throws ArgumentError for lengths that are none of this batch.
 */
export function liveMasks(
  lengths: Lengths | undefined,
  { op, batched, length, batch }: Batch,
): readonly (Tensor | null)[] {
  if (lengths === undefined) return new Array<null>(length).fill(null);
  const operand = 'lengths';
  const expected = `${batch} integers from 1 to ${length}`;
  if (!batched) {
    throw new ArgumentError('the sequence is a single one, whose length is its own; leave lengths out.', {
      op,
      operand,
      actual: lengths,
      expected: 'no lengths',
    });
  }
  if (!(lengths instanceof Tensor) && !Array.isArray(lengths)) {
    throw new ArgumentError(`lengths is ${quote(lengths)}; give a list of ${expected}, or an int32 tensor.`, {
      op,
      operand,
      actual: lengths,
      expected,
    });
  }
  const list: readonly number[] = lengths instanceof Tensor ? [...lengths.toTypedArray()] : [...lengths];
  const wrong = list.findIndex((size) => !Number.isInteger(size) || size < 1 || size > length);
  if (list.length !== batch || wrong >= 0) {
    const what =
      list.length === batch
        ? `lengths[${wrong}] is ${quote(list[wrong])}`
        : `there are ${list.length} lengths`;
    throw new ArgumentError(
      `${what}; give one integer from 1 to ${length} for each of the ${batch} sequences.`,
      {
        op,
        operand,
        actual: list,
        expected,
      },
    );
  }
  const least = Math.min(...list);
  return Array.from({ length }, (_, t) =>
    t < least
      ? null
      : tensor(
          list.map((size) => [t < size]),
          { dtype: 'bool' },
        ),
  );
}
