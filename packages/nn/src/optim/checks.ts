// Checks of options that optimisers share.

import { ArgumentError, quote } from '@adjoint/core';

/** Throws unless the option is a number in [low, high). */
export function requireOption(op: string, option: string, value: number, low: number, high = Infinity): void {
  if (typeof value === 'number' && value >= low && value < high) return;
  const range = high === Infinity ? `a finite number >= ${low}` : `a number >= ${low} and < ${high}`;
  const shown = typeof value === 'string' ? `'${value}'` : quote(value);
  throw new ArgumentError(`${option} is ${shown}; give ${range}.`, {
    op,
    operand: option,
    actual: value,
    expected: range,
  });
}

/** Throws unless the option is a pair of numbers in [0, 1). */
export function requireBetas(op: string, betas: readonly number[]): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    throw new ArgumentError(`betas is ${quote(betas)}; give two numbers in [0, 1).`, {
      op,
      operand: 'betas',
      actual: betas,
      expected: 'two numbers in [0, 1)',
    });
  }
  betas.forEach((beta, i) => {
    requireOption(op, `betas[${i}]`, beta, 0, 1);
  });
}
