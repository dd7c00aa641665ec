// The reference tier: the definition of right, in plain TypeScript. It implements every kernel.

import type { Kernels } from '../kernels.ts';
import { attention, attentionGrad } from './attention.ts';
import { binaryKernels, ternaryKernels } from './binary.ts';
import { crossEntropy, crossEntropyGrad } from './classes.ts';
import { convForward, convInputGrad, convWeightGrad } from './conv.ts';
import { addTo, assign, copy } from './copy.ts';
import { derivativeKernels } from './derivatives.ts';
import { descentKernels } from './descent.ts';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half.ts';
import { gather, indexAdd, indexSelect, scatter, scatterAdd } from './indexing.ts';
import { matmul } from './matmul.ts';
import { logsumexp, variance } from './moments.ts';
import { normalise, normaliseBy, normaliseGrad, normaliseWeightGrad } from './norms.ts';
import { avgPool, avgPoolInputGrad, maxPool, maxPoolInputGrad } from './pool.ts';
import { randomKernels } from './random.ts';
import { recurrence } from './recurrence.ts';
import { argmax, argmin, reduceKernels } from './reduce.ts';
import { adaptiveMaxPool, sparseAlong } from './resample.ts';
import { cumprod, cumsum } from './scan.ts';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax.ts';
import { argsort, argtopk } from './sort.ts';
import { unaryKernels } from './unary.ts';
import { overlap } from './windows.ts';

export const reference: Kernels = {
  ...unaryKernels,
  ...binaryKernels,
  ...ternaryKernels,
  ...derivativeKernels,
  ...reduceKernels,
  ...descentKernels,
  ...randomKernels,
  argmax,
  argmin,
  cumsum,
  cumprod,
  recurrence,
  softmax,
  logSoftmax,
  softmaxGrad,
  logSoftmaxGrad,
  logsumexp,
  crossEntropy,
  crossEntropyGrad,
  variance,
  normalise,
  normaliseBy,
  normaliseGrad,
  normaliseWeightGrad,
  argsort,
  argtopk,
  matmul,
  attention,
  attentionGrad,
  convForward,
  convInputGrad,
  convWeightGrad,
  maxPool,
  maxPoolInputGrad,
  avgPool,
  avgPoolInputGrad,
  sparseAlong,
  adaptiveMaxPool,
  overlap,
  copy,
  addTo,
  assign,
  gather,
  scatter,
  scatterAdd,
  indexSelect,
  indexAdd,
  decodeFloat16,
  encodeFloat16,
  decodeBfloat16,
  encodeBfloat16,
};
