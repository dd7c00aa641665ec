// Metrics: numbers about outputs and targets, gathered batch by batch over a whole data set.

import {
  ArgumentError,
  formatShape,
  requireOptions,
  requireTensor,
  ShapeError,
  type Tensor,
} from '@adjoint/core';
import { requireInteger, requireRoom } from '../layers/options.ts';
import { type LossInput, lossOf } from './objective.ts';

/** Something that is counted over batches. Write one of your own as a class with these three methods. */
export interface Metric<Value = number> {
  /** Takes a batch into account. */
  update(output: Tensor, target: Tensor): void;
  /** The value over all batches since the last reset; NaN if there were none. */
  compute(): Value;
  /** Forgets all batches. */
  reset(): void;
}

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric<unknown>>>;

/** Scores of classes and the class that is right, for each sample. */
interface ClassBatch {
  readonly samples: number;
  readonly classes: number;
  readonly scores: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

// Output (N, C, …) as for crossEntropy, moved to rows of scores; target (N, …) of class numbers.
function classBatch(op: string, output: Tensor, target: Tensor): ClassBatch {
  requireTensor(op, 'output', output);
  requireTensor(op, 'target', target);
  const [count, classes, ...rest] = output.shape;
  const expected = [count, ...rest];
  if (output.ndim < 2 || String(target.shape) !== String(expected)) {
    throw new ShapeError(
      `the output has shape ${formatShape(output.shape)} and the target ${formatShape(target.shape)}; give scores (N, C, …) and class numbers (N, …).`,
      { op, operand: 'target', actual: target.shape, expected: formatShape(expected) },
    );
  }
  const targets = target.toTypedArray();
  for (let i = 0; i < targets.length; i++) {
    if (Number.isInteger(targets[i]) && targets[i] >= 0 && targets[i] < classes) continue;
    throw new ArgumentError(`target ${i} is ${targets[i]}; there are the classes 0 to ${classes - 1}.`, {
      op,
      operand: 'target',
      actual: targets[i],
      expected: `an integer in [0, ${classes})`,
    });
  }
  const scores = (output.ndim === 2 ? output : output.detach().movedim(1, -1)).toTypedArray();
  return { samples: targets.length, classes, scores, targets };
}

/** The class of the highest score; the first of equals. A score that is no number is the highest, as in `argmax`. */
function bestClass(scores: ArrayLike<number>, start: number, classes: number): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    const score = scores[start + c];
    if (Number.isNaN(score)) return c;
    if (score > scores[start + best]) best = c;
  }
  return best;
}

/** Options of {@link Accuracy}. */
export interface AccuracyOptions {
  /** A sample counts if the right class is among this many with the highest scores. Default 1. */
  readonly topK?: number | undefined;
}

/**
 * The share of samples whose class is right, from 0 to 1. torcheval's `MulticlassAccuracy`.
 *
 * With topK above 1, a sample counts where fewer than topK classes score higher than the right one; equals do not push it out. A
 * score that is no number is never right.
 *
 * @example
 * const accuracy = new Accuracy();
 * accuracy.update(tensor([[0.9, 0.1], [0.2, 0.8]]), tensor([0, 0], { dtype: 'int32' }));
 * accuracy.compute(); // 0.5
 */
export class Accuracy implements Metric {
  /** Among how many of the highest scores the right class may be. */
  readonly topK: number;
  #right = 0;
  #samples = 0;

  constructor(options: AccuracyOptions = {}) {
    requireOptions('Accuracy', options, { topK: 'number' });
    const { topK = 1 } = options;
    this.topK = requireInteger('Accuracy', 'topK', topK, 1);
  }

  /** @param output scores of shape (N, C, …). @param target class numbers of shape (N, …). */
  update(output: Tensor, target: Tensor): void {
    const { samples, classes, scores, targets } = classBatch('Accuracy.update', output, target);
    for (let i = 0; i < samples; i++) {
      const start = i * classes;
      if (this.topK === 1) {
        const best = bestClass(scores, start, classes);
        if (best === targets[i] && !Number.isNaN(scores[start + best])) this.#right++;
        continue;
      }
      const own = scores[start + targets[i]];
      let higher = 0;
      for (let c = 0; c < classes; c++) if (!(scores[start + c] <= own)) higher++;
      if (higher < this.topK && !Number.isNaN(own)) this.#right++;
    }
    this.#samples += samples;
  }

  compute(): number {
    return this.#right / this.#samples;
  }

  reset(): void {
    [this.#right, this.#samples] = [0, 0];
  }
}

/**
 * The mean of a loss over samples: each batch's loss counts as many times as the batch has samples, which makes it the loss of all
 * samples together where the loss is a mean.
 *
 * @example
 * const loss = new MeanLoss(mseLoss);
 * loss.update(tensor([[1], [1]]), tensor([[0], [0]]));
 * loss.update(tensor([[4]]), tensor([[0]]));
 * loss.compute(); // 6: (1 + 1 + 16) / 3
 */
export class MeanLoss implements Metric {
  readonly #loss: (output: Tensor, target: Tensor) => Tensor;
  #sum = 0;
  #samples = 0;

  constructor(loss: LossInput) {
    this.#loss = lossOf('MeanLoss', loss);
  }

  update(output: Tensor, target: Tensor): void {
    requireTensor('MeanLoss.update', 'output', output);
    requireTensor('MeanLoss.update', 'target', target);
    const samples = target.shape[0] ?? 1;
    this.#sum += this.#loss(output, target).item() * samples;
    this.#samples += samples;
  }

  compute(): number {
    return this.#sum / this.#samples;
  }

  reset(): void {
    [this.#sum, this.#samples] = [0, 0];
  }
}

/**
 * How often samples of each class (rows) were taken for each (columns). scikit-learn's `confusion_matrix`.
 *
 * @example
 * const matrix = new ConfusionMatrix(2);
 * matrix.update(tensor([[0.9, 0.1], [0.2, 0.8]]), tensor([0, 0], { dtype: 'int32' }));
 * matrix.compute(); // [[1, 1], [0, 0]]
 */
export class ConfusionMatrix implements Metric<number[][]> {
  /** Number of classes. */
  readonly classes: number;
  readonly #counts: Float64Array;

  constructor(classes: number) {
    this.classes = requireInteger('ConfusionMatrix', 'classes', classes, 1);
    requireRoom('ConfusionMatrix', 'the matrix', [classes, classes]);
    this.#counts = new Float64Array(classes * classes);
  }

  /** @param output scores of shape (N, C, …). @param target class numbers of shape (N, …). */
  update(output: Tensor, target: Tensor): void {
    const op = 'ConfusionMatrix.update';
    const { samples, classes, scores, targets } = classBatch(op, output, target);
    if (classes !== this.classes) {
      throw new ShapeError(`the output has ${classes} classes, and the matrix ${this.classes}.`, {
        op,
        operand: 'output',
        actual: output.shape,
        expected: `(N, ${this.classes}, …)`,
      });
    }
    for (let i = 0; i < samples; i++)
      this.#counts[targets[i] * classes + bestClass(scores, i * classes, classes)]++;
  }

  compute(): number[][] {
    return Array.from({ length: this.classes }, (_, row) =>
      Array.from(this.#counts.subarray(row * this.classes, (row + 1) * this.classes)),
    );
  }

  reset(): void {
    this.#counts.fill(0);
  }
}

/** Of one class, or averaged over classes. */
export interface PrecisionRecallScores {
  /** Of the samples taken for the class, the share that is of it; 0 where there are none. */
  readonly precision: number;
  /** Of the samples of the class, the share that was taken for it; 0 where there are none. */
  readonly recall: number;
  /** The harmonic mean of both. */
  readonly f1: number;
}

/**
 * Precision, recall and F1 per class, and their means over classes ('macro'). scikit-learn's `precision_recall_fscore_support` with
 * `zero_division=0`.
 *
 * @example
 * const scores = new PrecisionRecall(2);
 * scores.update(tensor([[0.9, 0.1], [0.2, 0.8]]), tensor([0, 0], { dtype: 'int32' }));
 * scores.compute().classes[0].recall; // 0.5
 */
export class PrecisionRecall
  implements
    Metric<{ readonly macro: PrecisionRecallScores; readonly classes: readonly PrecisionRecallScores[] }>
{
  readonly #matrix: ConfusionMatrix;

  constructor(classes: number) {
    this.#matrix = new ConfusionMatrix(classes);
  }

  update(output: Tensor, target: Tensor): void {
    this.#matrix.update(output, target);
  }

  compute(): { readonly macro: PrecisionRecallScores; readonly classes: readonly PrecisionRecallScores[] } {
    const counts = this.#matrix.compute();
    const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
    const classes = counts.map((row, c) => {
      const right = row[c];
      const precision = share(
        right,
        counts.reduce((total, other) => total + other[c], 0),
      );
      const recall = share(
        right,
        row.reduce((total, n) => total + n, 0),
      );
      return { precision, recall, f1: share(2 * precision * recall, precision + recall) };
    });
    const mean = (key: keyof PrecisionRecallScores): number =>
      classes.reduce((total, scores) => total + scores[key], 0) / classes.length;
    return { macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') }, classes };
  }

  reset(): void {
    this.#matrix.reset();
  }
}
