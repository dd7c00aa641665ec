// Cross entropy between softmax of logits and class numbers, and its gradient, in double precision.

import type { Kernels } from '../kernels.ts';

export const crossEntropy: Kernels['crossEntropy'] = (g, logits, target, losses, logs) => {
  const { batch, classes, places, smoothing } = g;
  for (let at = 0; at < batch * places; at++) {
    const place = at % places;
    const start = ((at - place) / places) * classes * places + place;
    const end = start + classes * places;
    // From the largest logit on, so that nothing overflows or is lost far from 0.
    let [largest, depth, total] = [-Infinity, 0, 0];
    for (let i = start; i < end; i += places) largest = Math.max(largest, logits[i]);
    for (let i = start; i < end; i += places) {
      depth += largest - logits[i];
      total += Math.exp(logits[i] - largest);
    }
    const log = Math.log(total);
    logs[at] = log + largest;
    const loss = log + (largest - logits[start + target[at] * places]);
    const spread = log + depth / classes;
    if (target[at] < 0) losses[at] = 0;
    else losses[at] = smoothing === 0 ? loss : (1 - smoothing) * loss + smoothing * spread;
  }
};

export const crossEntropyGrad: Kernels['crossEntropyGrad'] = (g, cotangent, logits, target, logs, out) => {
  const { batch, classes, places, smoothing } = g;
  for (let at = 0; at < batch * places; at++) {
    const place = at % places;
    const start = ((at - place) / places) * classes * places + place;
    for (let c = 0, i = start; c < classes; c++, i += places) {
      const wanted = (c === target[at] ? 1 - smoothing : 0) + smoothing / classes;
      out[i] = target[at] < 0 ? 0 : cotangent[at] * (Math.exp(logits[i] - logs[at]) - wanted);
    }
  }
};
