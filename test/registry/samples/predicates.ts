// Samples of comparisons, logic and predicates, whose results are bool.

import {
  eq,
  ge,
  gt,
  isfinite,
  isinf,
  isnan,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  ne,
} from '@adjoint/core';
import {
  eqOp,
  geOp,
  gtOp,
  isfiniteOp,
  isinfOp,
  isnanOp,
  leOp,
  ltOp,
  neOp,
} from '../../../packages/core/src/ops/compare.ts';
import {
  logicalAndOp,
  logicalNotOp,
  logicalOrOp,
  logicalXorOp,
} from '../../../packages/core/src/ops/logic.ts';
import { type Domain, type OpSamples, pointwise } from '../sample.ts';

// Whole numbers, so that some are equal and some are 0.
const few: Domain = (random, size) => Array.from({ length: size }, () => Math.floor(3 * random()));
const special: Domain = (random, size) => {
  const values = [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return Array.from({ length: size }, () => values[Math.floor(values.length * random())]);
};

export const predicateSamples: readonly OpSamples[] = [
  pointwise(eqOp, eq, [few, few]),
  pointwise(neOp, ne, [few, few]),
  pointwise(ltOp, lt, [few, few]),
  pointwise(leOp, le, [few, few]),
  pointwise(gtOp, gt, [few, few]),
  pointwise(geOp, ge, [few, few]),
  pointwise(logicalAndOp, logicalAnd, [few, few]),
  pointwise(logicalOrOp, logicalOr, [few, few]),
  pointwise(logicalXorOp, logicalXor, [few, few]),
  pointwise(logicalNotOp, logicalNot, [few]),
  pointwise(isnanOp, isnan, [special]),
  pointwise(isinfOp, isinf, [special]),
  pointwise(isfiniteOp, isfinite, [special]),
];
