// Attention and its gradients, one query at a time. Sums run in double precision.

import type {
  AttentionKernels,
  AttentionOperands,
  AttentionRule,
  NumericArray,
  Strided,
} from '../kernels.ts';

/** The inner product of two runs of `n` elements. */
function inner(n: number, a: Strided, i: number, b: Strided, j: number): number {
  const [da, db] = [a.strides[3], b.strides[3]];
  let total = 0;
  for (let k = 0; k < n; k++) total += a.data[i + k * da] * b.data[j + k * db];
  return total;
}

const start = ({ offset, strides }: Strided, sample: number, row: number, head: number): number =>
  offset + sample * strides[0] + row * strides[1] + head * strides[2];

/** Sizes, where rows of operands start, and the weights of one query. */
class Reading {
  readonly samples: number;
  readonly queries: number;
  readonly heads: number;
  readonly features: number;
  readonly keys: number;
  readonly outputs: number;
  /** What the current query takes of each key. */
  readonly weights: Float64Array;
  readonly #rule: AttentionRule;
  readonly #operands: AttentionOperands;
  readonly #maskSteps: readonly number[];

  constructor(rule: AttentionRule, operands: AttentionOperands) {
    [this.samples, this.queries, this.heads, this.features] = operands.query.shape;
    this.keys = operands.key.shape[1];
    this.outputs = operands.value.shape[3];
    this.weights = new Float64Array(this.keys);
    this.#rule = rule;
    this.#operands = operands;
    // An extent of 1 is broadcast.
    const { shape, strides } = operands.mask;
    this.#maskSteps = strides.map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  }

  /** Calls `visit` with each head of each sample and each of its queries, whose weights are then known. */
  eachQuery(visit: (sample: number, head: number, query: number) => void): void {
    for (let sample = 0; sample < this.samples; sample++)
      for (let head = 0; head < this.heads; head++)
        for (let query = 0; query < this.queries; query++) {
          this.#weigh(sample, head, query);
          visit(sample, head, query);
        }
  }

  #weigh(sample: number, head: number, row: number): void {
    const { query, key, mask } = this.#operands;
    const { scale, causal } = this.#rule;
    const { weights, keys, features } = this;
    const from = start(query, sample, row, head);
    const steps = this.#maskSteps;
    const masks = mask.offset + sample * steps[0] + head * steps[1] + row * steps[2];
    let largest = -Infinity;
    for (let j = 0; j < keys; j++) {
      const score = scale * inner(features, query, from, key, start(key, sample, j, head));
      weights[j] = causal && j > row ? -Infinity : score + mask.data[masks + j * steps[3]];
      largest = Math.max(largest, weights[j]);
    }
    let total = 0;
    for (let j = 0; j < keys; j++) {
      weights[j] = Math.exp(weights[j] - largest);
      total += weights[j];
    }
    for (let j = 0; j < keys; j++) weights[j] /= total;
  }
}

export const attention: AttentionKernels['attention'] = (rule, operands, out) => {
  const { value } = operands;
  const reading = new Reading(rule, operands);
  const { weights, queries, heads, keys, outputs } = reading;
  const sums = new Float64Array(outputs);
  reading.eachQuery((sample, head, query) => {
    const to = ((sample * queries + query) * heads + head) * outputs;
    for (let d = 0; d < outputs; d++) sums[d] = 0;
    for (let j = 0; j < keys; j++)
      addTimes(sums, 0, outputs, weights[j], value.data, start(value, sample, j, head), value.strides[3]);
    for (let d = 0; d < outputs; d++) out[to + d] = sums[d];
  });
};

export const attentionGrad: AttentionKernels['attentionGrad'] = (rule, operands, cotangent, out) => {
  const { query, key, value } = operands;
  const reading = new Reading(rule, operands);
  const { weights, samples, queries, heads, keys, features, outputs } = reading;
  const sums = new Float64Array(out.length);
  const ofKeys = samples * queries * heads * features;
  const ofValues = ofKeys + samples * keys * heads * features;
  const slopes = new Float64Array(keys);
  reading.eachQuery((sample, head, row) => {
    const g = start(cotangent, sample, row, head);
    let along = 0;
    for (let j = 0; j < keys; j++) {
      slopes[j] = inner(outputs, cotangent, g, value, start(value, sample, j, head));
      along += weights[j] * slopes[j];
    }
    const toQuery = ((sample * queries + row) * heads + head) * features;
    const from = start(query, sample, row, head);
    for (let j = 0; j < keys; j++) {
      const slope = weights[j] * (slopes[j] - along) * rule.scale;
      const place = (sample * keys + j) * heads + head;
      addTimes(sums, toQuery, features, slope, key.data, start(key, sample, j, head), key.strides[3]);
      addTimes(sums, ofKeys + place * features, features, slope, query.data, from, query.strides[3]);
      addTimes(
        sums,
        ofValues + place * outputs,
        outputs,
        weights[j],
        cotangent.data,
        g,
        cotangent.strides[3],
      );
    }
  });
  out.set(sums);
};

function addTimes(
  to: Float64Array,
  at: number,
  n: number,
  factor: number,
  from: NumericArray,
  i: number,
  di: number,
): void {
  for (let k = 0; k < n; k++) to[at + k] += factor * from[i + k * di];
}
