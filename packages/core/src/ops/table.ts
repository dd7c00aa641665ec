// Every built-in op in one table, for the tools that read records: checks, docs, tests. No op imports it.

import type { AnyOp } from '../registry.ts';
import { addOp, divOp, mulOp, negOp, subOp } from './arithmetic.ts';
import { castOp } from './cast.ts';
import { convInputGradOp, convOp, convWeightGradOp } from './conv.ts';
import { expandOp, sumOp } from './expand-sum.ts';
import { gatherOp, scatterOp, scatterSumOp } from './gather.ts';
import { catOp } from './join.ts';
import { cloneOp, permuteOp, reshapeOp, sliceOp, unsliceOp } from './layout.ts';
import { indexSelectOp, indexSumOp, oneHotOp, wrapIndexOp } from './lookup.ts';
import { matmulOp } from './matmul.ts';
import { padOp } from './pad.ts';

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
  // expansion and sum
  expandOp,
  sumOp,
  // products
  matmulOp,
  // convolution
  convOp,
  convInputGradOp,
  convWeightGradOp,
];
