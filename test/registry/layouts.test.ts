// What holds of ops holds of the functions made of them: every case of the parity table gives the same, value and
// gradient, when its operands are stored in another order, backwards, or scattered over a larger array.

import { grad, mul, sum, Tensor } from '@adjoint/core';
import { describe, it } from 'vitest';
import { adapters } from '../parity/adapters/index.ts';
import { families } from '../parity/families.ts';
import { loadFixtures, type ParityCase } from '../parity/oracle.ts';
import { type Operand, operandsOf } from '../parity/suite.ts';
import { cotangentFor, expectWithin, layoutsOf } from './run.ts';

/** Results, and gradients of all tensors that a gradient is asked for. */
function outcomeOf({ op, options, grads = {} }: ParityCase, args: readonly Operand[]): Tensor[] {
  const leaves: Tensor[] = [];
  const prepared = map(args, (x, path) => {
    if (!(path in grads)) return x;
    const leaf = x.detach().requiresGrad_();
    leaves.push(leaf);
    return leaf;
  });
  const result = adapters[op](prepared, options);
  const outputs = result instanceof Tensor ? [result] : [...result];
  const losses = outputs.filter((y) => y.requiresGrad).map((y) => sum(mul(y, cotangentFor(y))));
  return [...outputs, ...losses.flatMap((loss) => grad(loss, leaves, { unused: 'zeros' }))];
}

/** The same arguments with every tensor replaced; paths are those of the fixtures: '0', '1.2'. */
function map(args: readonly Operand[], fn: (x: Tensor, path: string) => Tensor, prefix = ''): Operand[] {
  return args.map((operand, i) => {
    if (operand instanceof Tensor) return fn(operand, `${prefix}${i}`);
    return Array.isArray(operand) ? map(operand, fn, `${prefix}${i}.`) : operand;
  });
}

for (const family of families) {
  describe(family, () => {
    const cases = loadFixtures(family).filter(({ op }) => op in adapters);
    it.each(cases.map((parityCase) => ({ title: `${parityCase.op}: ${parityCase.name}`, parityCase })))(
      '$title',
      ({ parityCase }) => {
        const args = operandsOf(parityCase);
        const wanted = outcomeOf(parityCase, args);
        for (const layout of ['scattered', 'transposed', 'reversed']) {
          const moved = map(args, (x) => layoutsOf(x).find(([name]) => name === layout)?.[1] ?? x);
          for (const [i, actual] of outcomeOf(parityCase, moved).entries()) {
            expectWithin(actual, wanted[i], `result ${i}, operands ${layout}`, 0);
          }
        }
      },
    );
  });
}
