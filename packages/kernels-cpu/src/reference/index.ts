import { convForward, convInputGrad, convWeightGrad } from './conv.ts';
export const reference = { convForward, convInputGrad, convWeightGrad };
