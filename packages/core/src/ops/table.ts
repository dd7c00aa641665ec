// Every built-in op in one table, for the tools that read records: checks, docs, tests. No op imports it.

import type { AnyOp } from '../registry.ts';
import { addOp, divOp, mulOp, negOp, subOp } from './arithmetic.ts';
import { attentionGradOp, attentionOp } from './attention-records.ts';
import { clampGradOp, clampOp, hardtanhGradOp, hardtanhOp } from './bounds.ts';
import { castOp } from './cast.ts';
import { crossEntropyGradOp, crossEntropyOp } from './class-records.ts';
import { eqOp, geOp, gtOp, isfiniteOp, isinfOp, isnanOp, leOp, ltOp, neOp } from './compare.ts';
import { convInputGradOp, convOp, convWeightGradOp } from './conv.ts';
import { diagonalOp, undiagonalOp } from './diagonal.ts';
import { floorDivideOp, remainderOp } from './division.ts';
import { expandOp, sumOp } from './expand-sum.ts';
import { exp2Op, expm1Op, expOp, log1pOp, log2Op, log10Op, logOp } from './exponential.ts';
import { amaxOp, aminOp, argmaxOp, argminOp } from './extremes.ts';
import { gatherOp, scatterOp, scatterSumOp } from './gather.ts';
import { acoshOp, asinhOp, atanhOp, coshOp, hypotOp, sinhOp, tanhGradOp, tanhOp } from './hyperbolic.ts';
import { catOp } from './join.ts';
import { cloneOp, permuteOp, reshapeOp, sliceOp, unsliceOp } from './layout.ts';
import { lerpOp } from './lerp.ts';
import { logicalAndOp, logicalNotOp, logicalOrOp, logicalXorOp } from './logic.ts';
import { indexSelectOp, indexSumOp, oneHotOp, wrapIndexOp } from './lookup.ts';
import { binaryCrossEntropyOp, logisticLossOp } from './losses-binary.ts';
import { classIndexOp } from './losses-classes.ts';
import { matmulOp } from './matmul.ts';
import { medianOp } from './median.ts';
import { normaliseGradOp, normaliseWeightGradOp } from './norm-gradients.ts';
import { normaliseByOp, normaliseOp, normMomentsOp } from './norm-records.ts';
import { padOp } from './pad.ts';
import { adaptiveMaxPoolPlacesOp } from './pool-adaptive.ts';
import {
  avgPoolInputGradOp,
  avgPoolOp,
  maxPoolInputGradOp,
  maxPoolOp,
  maxPoolPlacesOp,
} from './pool-records.ts';
import { powNumberOp, powOp, reciprocalOp, rsqrtOp, sqrtOp, squareOp } from './powers.ts';
import { affineOp, linearOp } from './products.ts';
import { allOp, anyOp } from './quantifiers.ts';
import {
  celuGradOp,
  celuOp,
  eluGradOp,
  eluOp,
  hardsigmoidGradOp,
  hardsigmoidOp,
  hardswishGradOp,
  hardswishOp,
  leakyReluGradOp,
  leakyReluOp,
  reluGradOp,
  reluOp,
} from './rectifiers.ts';
import { resampleOp } from './resample.ts';
import { cumprodOp, cumsumOp, prodOp, recurrenceOp } from './scan.ts';
import { searchsortedOp } from './search.ts';
import { absOp, maximumOp, minimumOp, whereOp } from './select.ts';
import {
  erfcOp,
  erfOp,
  geluGradOp,
  geluOp,
  geluTanhGradOp,
  geluTanhOp,
  logSigmoidGradOp,
  logSigmoidOp,
  mishGradOp,
  mishOp,
  sigmoidGradOp,
  sigmoidOp,
  siluGradOp,
  siluOp,
  softplusGradOp,
  softplusOp,
} from './sigmoids.ts';
import { logSoftmaxGradOp, logSoftmaxOp, logsumexpOp, softmaxGradOp, softmaxOp } from './softmax.ts';
import { argsortOp, argtopkOp } from './sort.ts';
import { sumOfSquaresOp, varOp } from './statistics.ts';
import { ceilOp, floorOp, roundOp, signOp, truncOp } from './steps.ts';
import { acosOp, asinOp, atan2Op, atanOp, cosOp, sinOp, tanOp } from './trigonometry.ts';
import { overlapOp, windowsOp } from './windows.ts';

/** The records of all built-in ops. */
export const builtinOps: readonly AnyOp[] = [
  // arithmetic
  addOp,
  subOp,
  mulOp,
  divOp,
  negOp,
  // conversion and layout
  castOp,
  cloneOp,
  reshapeOp,
  permuteOp,
  sliceOp,
  unsliceOp,
  catOp,
  padOp,
  // indexing
  gatherOp,
  scatterSumOp,
  scatterOp,
  indexSelectOp,
  indexSumOp,
  wrapIndexOp,
  oneHotOp,
  // losses
  binaryCrossEntropyOp,
  logisticLossOp,
  classIndexOp,
  crossEntropyGradOp,
  crossEntropyOp,
  // expansion and sum
  expandOp,
  sumOp,
  // products
  matmulOp,
  linearOp,
  affineOp,
  // convolution
  convOp,
  convInputGradOp,
  convWeightGradOp,
  // compare
  eqOp,
  neOp,
  ltOp,
  leOp,
  gtOp,
  geOp,
  logicalAndOp,
  logicalOrOp,
  logicalXorOp,
  logicalNotOp,
  isnanOp,
  isinfOp,
  isfiniteOp,
  // exponential
  expOp,
  exp2Op,
  expm1Op,
  logOp,
  log2Op,
  log10Op,
  log1pOp,
  // steps
  signOp,
  floorOp,
  ceilOp,
  roundOp,
  truncOp,
  // select
  whereOp,
  maximumOp,
  minimumOp,
  absOp,
  // powers
  sqrtOp,
  rsqrtOp,
  reciprocalOp,
  squareOp,
  powNumberOp,
  powOp,
  // trigonometry
  sinOp,
  cosOp,
  tanOp,
  asinOp,
  acosOp,
  atanOp,
  atan2Op,
  // hyperbolic
  sinhOp,
  coshOp,
  tanhOp,
  tanhGradOp,
  asinhOp,
  acoshOp,
  atanhOp,
  hypotOp,
  // sigmoids
  sigmoidOp,
  sigmoidGradOp,
  logSigmoidOp,
  logSigmoidGradOp,
  softplusOp,
  softplusGradOp,
  siluOp,
  siluGradOp,
  mishOp,
  mishGradOp,
  erfOp,
  erfcOp,
  geluOp,
  geluGradOp,
  geluTanhOp,
  geluTanhGradOp,
  // rectifiers
  reluOp,
  reluGradOp,
  leakyReluOp,
  leakyReluGradOp,
  eluOp,
  eluGradOp,
  celuOp,
  celuGradOp,
  hardsigmoidOp,
  hardsigmoidGradOp,
  hardswishOp,
  hardswishGradOp,
  // bounds
  clampOp,
  clampGradOp,
  hardtanhOp,
  hardtanhGradOp,
  // softmax
  softmaxOp,
  softmaxGradOp,
  logSoftmaxOp,
  logSoftmaxGradOp,
  logsumexpOp,
  // attention
  attentionOp,
  attentionGradOp,
  // normalisation
  normaliseOp,
  normaliseGradOp,
  normaliseWeightGradOp,
  normaliseByOp,
  normMomentsOp,
  // extremes
  amaxOp,
  aminOp,
  argmaxOp,
  argminOp,
  // statistics
  varOp,
  sumOfSquaresOp,
  // quantifiers
  anyOp,
  allOp,
  // scan
  cumsumOp,
  recurrenceOp,
  cumprodOp,
  prodOp,
  // division
  floorDivideOp,
  remainderOp,
  // lerp
  lerpOp,
  // diagonal
  diagonalOp,
  undiagonalOp,
  // pooling
  maxPoolOp,
  maxPoolInputGradOp,
  maxPoolPlacesOp,
  avgPoolOp,
  avgPoolInputGradOp,
  adaptiveMaxPoolPlacesOp,
  resampleOp,
  argsortOp,
  argtopkOp,
  searchsortedOp,
  windowsOp,
  overlapOp,
  // median
  medianOp,
];
