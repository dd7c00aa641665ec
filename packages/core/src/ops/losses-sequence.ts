// The loss of sequences without alignment: connectionist temporal classification (Graves et al. 2006).
//
// The sum over all alignments is a recursion over time, written in ops: so it has derivatives of any order. It runs in
// logarithms, where -Infinity stands for what is impossible and must get a derivative of 0, not NaN.

import { ArgumentError, formatShape, quote, ShapeError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { noGrad } from '../tape/mode.ts';
import { fromArray, Tensor } from '../tensor.ts';
import { add, div, neg, sub } from './arithmetic.ts';
import { inFloat32 } from './cast.ts';
import { eq, isinf } from './compare.ts';
import { mean, sum } from './expand-sum.ts';
import { exp, log } from './exponential.ts';
import { gatherAlong } from './gather.ts';
import { requireIndex } from './index-values.ts';
import { requireFloat } from './infer.ts';
import { reshape } from './layout.ts';
import { type LossOptions, requireReduction } from './loss-reduction.ts';
import { pad } from './pad.ts';
import { maximum, where } from './select.ts';
import { narrow, select } from './slice.ts';

/** Options of {@link ctcLoss}. */
export interface CtcLossOptions extends LossOptions {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number | undefined;
  /** Count targets that do not fit into their input as 0, rather than as Infinity. Default false. */
  readonly zeroInfinity?: boolean | undefined;
}

/** Numbers of a batch: an int32 tensor, or an array. */
export type Lengths = Tensor | readonly number[];

/**
 * Minus the logarithm of the probability that a sequence of class distributions spells a target: summed over all ways to
 * repeat its labels and to put blanks between them. PyTorch's `torch.nn.functional.ctc_loss`; unlike there its derivatives exist to
 * any order, and are those of the formula also where `logProbs` is no output of a softmax.
 *
 * @param logProbs logarithms of probabilities, shape (T, N, C) or (T, C).
 * @param targets int32 labels, none of them `blank`: shape (N, S), padded with anything; or (S,) for one sequence.
 * @param inputLengths how much of each input counts, at most T.
 * @param targetLengths how much of each target counts, at most S.
 * @returns a 0-d tensor, or shape (N,) or () for reduction 'none'. For 'mean' each loss is divided by its target's length first.
 * @throws ShapeError if shapes do not fit; DTypeError for targets that are not int32; ArgumentError for a label or length out of
 *   range or an unknown reduction.
 * @example
 * const certain = log(tensor([[[0, 1]], [[0, 1]]])); // class 1 at both times
 * ctcLoss(certain, tensor([[1]], { dtype: 'int32' }), [2], [1]).item(); // 0
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CtcLossOptions = noOptions,
): Tensor {
  requireOptions('ctcLoss', options, { blank: 'number', zeroInfinity: 'boolean', reduction: 'string' });
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options;
  requireReduction('ctcLoss', reduction);
  const task = readTask(logProbs, targets, inputLengths, targetLengths, blank);
  return inFloat32(task.logProbs, (wide) => {
    const losses = neg(logLikelihoods({ ...task, logProbs: wide }));
    const finite = zeroInfinity ? where(isinf(losses), 0, losses) : losses;
    if (reduction === 'none') return task.batched ? finite : reshape(finite, []);
    if (reduction === 'sum') return sum(finite);
    const counts = Float64Array.from(task.targetLengths, (length) => Math.max(length, 1));
    return mean(div(finite, fromArray(counts, [counts.length], 'float64').to(wide.dtype)));
  });
}

/** A checked call with a batch axis. */
interface Task {
  /** Shape (T, N, C). */
  readonly logProbs: Tensor;
  /** Each target with blanks around its labels, int32 (N, 2·S + 1). */
  readonly labels: Tensor;
  /** Whether the blank before a position may be left out: where the labels around it differ. Bool (N, 2·S + 1). */
  readonly skips: Tensor;
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
  readonly batched: boolean;
}

function logLikelihoods({ logProbs, labels, skips, inputLengths, targetLengths }: Task): Tensor {
  const [batch, places] = labels.shape;
  const emission = (t: number): Tensor =>
    gatherAlong(select(logProbs, 0, t), labels, { axis: 1, op: 'ctcLoss' });
  const placesWhere = (holds: (n: number, place: number) => boolean): Tensor => {
    const mask = Uint8Array.from({ length: batch * places }, (_, i) =>
      holds(Math.floor(i / places), i % places) ? 1 : 0,
    );
    return fromArray(mask, [batch, places], 'bool');
  };
  // The probability of all ways to be at each place after time t.
  let ways = where(
    placesWhere((n, place) => place === 0 || (place === 1 && targetLengths[n] > 0)),
    emission(0),
    impossible,
  );
  for (let t = 1; t < Math.max(...inputLengths, 1); t++) {
    const skipped = where(skips, moved(ways, 2), impossible);
    const next = add(logOfSum([ways, moved(ways, 1), skipped]), emission(t));
    ways = inputLengths.every((length) => t < length)
      ? next
      : where(
          placesWhere((n) => t < inputLengths[n]),
          next,
          ways,
        );
  }
  // A target is spelled by those that end in its last label or in the blank after it.
  const ends = [0, 1].map((back) => {
    const index = Int32Array.from(targetLengths, (length) => Math.max(2 * length - back, 0));
    const end = gatherAlong(ways, fromArray(index, [batch, 1], 'int32'), { axis: 1, op: 'ctcLoss' });
    const exists = Uint8Array.from(targetLengths, (length) => (back === 0 || length > 0 ? 1 : 0));
    return where(fromArray(exists, [batch, 1], 'bool'), end, impossible);
  });
  return reshape(logOfSum(ends), [batch]);
}

const impossible = Number.NEGATIVE_INFINITY;

// Each row moved by some places towards its end.
function moved(ways: Tensor, by: number): Tensor {
  const places = ways.shape[1];
  const step = Math.min(by, places);
  return pad(narrow(ways, 1, 0, places - step), [step, 0], { value: impossible });
}

// log(Σ e^x), -Infinity without a derivative where all are -Infinity. The result does not depend on what is taken off the
// exponents, so that has no graph.
function logOfSum(terms: readonly Tensor[]): Tensor {
  const shift = noGrad(() => {
    const largest = terms.reduce((a, b) => maximum(a, b));
    return where(eq(largest, impossible), 0, largest);
  });
  const total = terms.map((term) => exp(sub(term, shift))).reduce((a, b) => add(a, b));
  const none = eq(total, 0);
  return where(none, impossible, add(log(where(none, 1, total)), shift));
}

function readTask(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  blank: number,
): Task {
  const op = 'ctcLoss';
  requireFloat(op, 'logProbs', logProbs);
  requireIndex(op, 'targets', targets);
  const batched = logProbs.ndim === 3;
  const target = batched ? targets : reshape(targets, [1, ...targets.shape]);
  if (
    (!batched && logProbs.ndim !== 2) ||
    target.ndim !== 2 ||
    (batched && logProbs.shape[1] !== target.shape[0])
  ) {
    throw new ShapeError(
      `logProbs has shape ${formatShape(logProbs.shape)} and targets ${formatShape(targets.shape)}; they take (T, N, C) and (N, S), or (T, C) and (S,).`,
      {
        op,
        operand: 'targets',
        actual: targets.shape,
        expected: '(N, S) beside (T, N, C), or (S,) beside (T, C)',
      },
    );
  }
  const [time, classes] = [logProbs.shape[0], logProbs.shape[logProbs.ndim - 1]];
  requireClass(op, 'blank', blank, classes);
  const [batch, longest] = target.shape;
  const inputs = readLengths(op, 'inputLengths', inputLengths, batch, 1, time);
  const lengths = readLengths(op, 'targetLengths', targetLengths, batch, 0, longest);
  const spelled = target.toTypedArray();
  const places = 2 * longest + 1;
  const labels = new Int32Array(batch * places).fill(blank);
  const skips = new Uint8Array(batch * places);
  for (let n = 0; n < batch; n++) {
    for (let s = 0; s < lengths[n]; s++) {
      const label = spelled[n * longest + s];
      requireClass(op, `targets[${n}, ${s}]`, label, classes);
      if (label === blank) throw blankError(op, n, s, blank);
      const place = n * places + 2 * s + 1;
      labels[place] = label;
      if (s > 0 && label !== spelled[n * longest + s - 1]) skips[place] = 1;
    }
  }
  return {
    logProbs: batched ? logProbs : reshape(logProbs, [time, 1, classes]),
    labels: fromArray(labels, [batch, places], 'int32'),
    skips: fromArray(skips, [batch, places], 'bool'),
    inputLengths: inputs,
    targetLengths: lengths,
    batched,
  };
}

function requireClass(op: string, name: string, value: number, classes: number): void {
  if (Number.isInteger(value) && value >= 0 && value < classes) return;
  throw new ArgumentError(`${name} is ${value}; classes are 0 to ${classes - 1}.`, {
    op,
    operand: name,
    actual: value,
    expected: `integer in [0, ${classes - 1}]`,
  });
}

function blankError(op: string, n: number, s: number, blank: number): ArgumentError {
  return new ArgumentError(
    `targets[${n}, ${s}] is ${blank}, the blank, which a target cannot contain; give another blank or another label.`,
    { op, operand: `targets[${n}, ${s}]`, actual: blank, expected: 'a label that is not the blank' },
  );
}

function readLengths(
  op: string,
  name: string,
  lengths: Lengths,
  count: number,
  least: number,
  most: number,
): number[] {
  if (!(lengths instanceof Tensor) && !Array.isArray(lengths)) {
    throw new ArgumentError(
      `${name} is ${quote(lengths)}; give a list of ${count} integers, or an int32 tensor of them.`,
      {
        op,
        operand: name,
        actual: lengths,
        expected: `${count} integers`,
      },
    );
  }
  const list = lengths instanceof Tensor ? [...lengths.toTypedArray()] : [...lengths];
  const wrong = list.findIndex((length) => !Number.isInteger(length) || length < least || length > most);
  if (list.length === count && wrong < 0) return list;
  const what =
    list.length === count ? `${name}[${wrong}] is ${list[wrong]}` : `${name} has ${list.length} elements`;
  throw new ArgumentError(
    `${what}; it takes one integer from ${least} to ${most} for each of the ${count} sequences.`,
    { op, operand: name, actual: list, expected: `${count} integers in [${least}, ${most}]` },
  );
}
