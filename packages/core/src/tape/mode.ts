// Whether ops are being recorded, and the two functions that change it for the length of a call.

import { ArgumentError, requireFunction } from '../errors.ts';

/** The switch that every op reads; only the functions below write it. */
export const gradMode = { enabled: true };

function withMode<T>(enabled: boolean, fn: () => T, op: string): T {
  requireFunction(op, 'fn', fn, `${op}(() => …)`);
  const previous = gradMode.enabled;
  gradMode.enabled = enabled;
  try {
    const result = fn();
    if (result instanceof Promise) {
      // The switch is one per thread: it would be back to `previous` as soon as the function first awaits.
      result.catch(() => {});
      throw new ArgumentError(
        'the function returned a promise; pass a synchronous function and await outside of it.',
        {
          op,
          operand: 'fn',
          actual: 'an asynchronous function',
          expected: 'a synchronous function',
        },
      );
    }
    return result;
  } finally {
    gradMode.enabled = previous;
  }
}

/**
 * Runs `fn` without recording a graph: its results require no gradient. PyTorch's `torch.no_grad`.
 *
 * @throws ArgumentError if `fn` is asynchronous.
 * @example
 * const x = ones([3], { requiresGrad: true });
 * const y = noGrad(() => mul(x, 2)); // y.requiresGrad === false
 */
export function noGrad<T>(fn: () => T): T {
  return withMode(false, fn, 'noGrad');
}

/** Runs `fn` with recording on, also inside `noGrad`. PyTorch's `torch.enable_grad`. */
export function enableGrad<T>(fn: () => T): T {
  return withMode(true, fn, 'enableGrad');
}
