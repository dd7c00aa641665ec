// The kernels of binary losses against their definitions, and far out, where the definitions overflow, against limits.

import { kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { view } from './views.ts';

const apply = (name: 'logisticLoss' | 'binaryCrossEntropy', a: number, b: number): number => {
  const out = new Float64Array(1);
  kernels[name](view(Float64Array.of(a)), view(Float64Array.of(b)), out, [1]);
  return out[0];
};
const close = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(expected)));
};
const probability = fc.double({ min: 0, max: 1, noNaN: true });

describe('binary losses', () => {
  it('a logit costs what its probability costs', () => {
    fc.assert(
      fc.property(fc.double({ min: -15, max: 15, noNaN: true }), probability, (x, t) => {
        const yes = 1 / (1 + Math.exp(-x));
        const no = 1 / (1 + Math.exp(x));
        close(apply('logisticLoss', x, t), -(t * Math.log(yes) + (1 - t) * Math.log(no)));
      }),
    );
  });

  it('a probability costs its logarithms, down to -100', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 0.999, noNaN: true }), probability, (p, t) => {
        close(apply('binaryCrossEntropy', p, t), -(t * Math.log(p) + (1 - t) * Math.log1p(-p)));
      }),
    );
    expect(apply('binaryCrossEntropy', 0, 1)).toBe(100);
    expect(apply('binaryCrossEntropy', 1, 0.25)).toBe(75);
    expect(apply('binaryCrossEntropy', 1e-300, 1)).toBe(100);
  });

  it('far out nothing overflows, and nothing of a small loss is lost', () => {
    expect(apply('logisticLoss', 800, 0)).toBe(800);
    expect(apply('logisticLoss', -800, 1)).toBe(800);
    expect(apply('logisticLoss', 800, 1)).toBe(0);
    expect(apply('logisticLoss', 40, 1)).toBe(Math.exp(-40));
    expect(apply('logisticLoss', -40, 0)).toBe(Math.exp(-40));
    expect(apply('logisticLoss', Number.NaN, 0.5)).toBeNaN();
  });
});
