// Sequences of different lengths in one tensor.

import { type DType, promoteTypes } from '../dtype.ts';
import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sameShape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { cast } from './cast.ts';
import { stack } from './join.ts';
import { requireRepresentable } from './masked.ts';
import { pad } from './pad.ts';

/** Options of {@link padSequence}. */
export interface PadSequenceOptions {
  /** Shape (N, longest, …) in place of (longest, N, …). Default false. */
  readonly batchFirst?: boolean | undefined;
  /** What stands behind the end of the shorter ones. Default 0. */
  readonly paddingValue?: number | undefined;
}

/**
 * Stacks sequences of different lengths, the shorter ones filled up at their end. PyTorch's
 * `torch.nn.utils.rnn.pad_sequence`.
 *
 * @param sequences of shape (length, …) each, with the same further axes.
 * @returns shape (longest, N, …), or (N, longest, …) with batchFirst, of the type that holds all of them.
 * @throws ArgumentError for an empty list, or a paddingValue that this type does not hold; ShapeError for a sequence without axes, or if further axes differ.
 * @example
 * const sentences = [tensor([1, 2, 3]), tensor([4])];
 * padSequence(sentences, { batchFirst: true, paddingValue: -1 }).toArray(); // [[1, 2, 3], [4, -1, -1]]
 */
export function padSequence(sequences: readonly Tensor[], options: PadSequenceOptions = noOptions): Tensor {
  const op = 'padSequence';
  requireOptions(op, options, { batchFirst: 'boolean', paddingValue: 'number' });
  const { batchFirst = false, paddingValue = 0 } = options;
  if (!Array.isArray(sequences) || sequences.length === 0) {
    throw new ArgumentError('there are no sequences; give a list of at least one tensor.', {
      op,
      operand: 'sequences',
      actual: sequences,
      expected: 'a list of tensors',
    });
  }
  for (const [i, sequence] of sequences.entries()) requireSequence(op, sequences[0], sequence, i);
  // Filled up in the type that all have in the end: what stands there need not be one of a shorter sequence's.
  const dtype = sequences.reduce<DType>((common, sequence) => promoteTypes(common, sequence.dtype), 'bool');
  requireRepresentable(op, 'paddingValue', paddingValue, dtype);
  const longest = sequences.reduce((most, { shape }) => Math.max(most, shape[0]), 0);
  const filled = sequences.map((sequence) => {
    const missing = longest - sequence.shape[0];
    const others = new Array<number>(2 * (sequence.ndim - 1)).fill(0);
    return missing === 0
      ? sequence
      : pad(cast(sequence, dtype), [...others, 0, missing], { value: paddingValue });
  });
  return stack(filled, { axis: batchFirst ? 0 : 1 });
}

function requireSequence(op: string, first: Tensor, sequence: Tensor, i: number): void {
  const operand = `sequences[${i}]`;
  requireTensor(op, operand, sequence);
  const further = first.shape.slice(1);
  const fits = sequence.ndim > 0 && sameShape(sequence.shape.slice(1), further);
  if (fits) return;
  throw new ShapeError(
    `${operand} has shape ${formatShape(sequence.shape)}${i === 0 ? '' : ` and sequences[0] ${formatShape(first.shape)}`}; sequences have a length first, and all sizes behind it must be equal.`,
    {
      op,
      operand,
      actual: sequence.shape,
      expected: `(length${further.map((size) => `, ${size}`).join('')})`,
    },
  );
}
