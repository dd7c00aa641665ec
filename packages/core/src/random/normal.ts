// The normal distribution function, as the inverse of its quantiles.

import { normalQuantile } from '@adjoint/kernels-cpu';

/**
 * The probability that a standard normal variable lies below `x`: the inverse of `normalQuantile`, found by bisection,
 * so that it is portable as that is. Precise for x <= 0; take 1 − normalProbability(−x) above.
 */
export function normalProbability(x: number): number {
  if (x > 0) return 1 - normalProbability(-x);
  let low = 2 ** -1000;
  let high = 0.5;
  if (x <= normalQuantile(low)) return 0;
  // Halves the interval of exponents first, by geometric means (the product itself could underflow), then that of numbers.
  while (high > 2 * low) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if (normalQuantile(middle) < x) low = middle;
    else high = middle;
  }
  for (let step = 0; step < 54; step++) {
    const middle = (low + high) / 2;
    if (normalQuantile(middle) < x) low = middle;
    else high = middle;
  }
  return high;
}
