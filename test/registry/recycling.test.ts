// Results that are overwritten whole start from memory that holds anything, and backward uses arrays again that only it has
// seen. Nobody may ever see that: with all such memory full of poison, each op gives the bits that zeroed memory gives.

import { add, grad, isFloat, mul, sum, type Tensor, zerosLike } from '@adjoint/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pieces } from '../../packages/core/src/tape/pieces.ts';
import { stock } from '../../packages/core/src/tape/recycling.ts';
import { unfilled } from '../../packages/core/src/unfilled.ts';
import { cotangentFor, draw, numbersOf, titleOf } from './run.ts';
import type { AnyOp, Sample } from './sample.ts';
import { samples as table } from './samples/index.ts';

const { most } = pieces;
const { least } = unfilled;
const { allocUnsafeSlow } = Buffer;
beforeAll(() => {
  pieces.most = 0;
  unfilled.least = Number.POSITIVE_INFINITY;
  Buffer.allocUnsafeSlow = (bytes) => allocUnsafeSlow(bytes).fill(0xff);
});
afterAll(() => {
  pieces.most = most;
  unfilled.least = least;
  Buffer.allocUnsafeSlow = allocUnsafeSlow;
});

function inPoison<Result>(run: () => Result): Result {
  unfilled.least = 0;
  try {
    return run();
  } finally {
    unfilled.least = Number.POSITIVE_INFINITY;
  }
}

for (const { op, samples } of table) {
  it(`${op.name} overwrites memory that holds anything`, () => {
    for (const sample of samples) {
      const zeroed = valuesOf(sample.call(...draw(op, sample)));
      const poisoned = inPoison(() => valuesOf(sample.call(...draw(op, sample))));
      expect(poisoned, titleOf(sample)).toEqual(zeroed);
    }
  });

  const differentiable = samples.filter((sample) => sample.call(...points(op, sample)).requiresGrad);
  if (differentiable.length === 0) continue;
  it(`${op.name} gives the same bits from used arrays`, () => {
    for (const sample of differentiable) law(op, sample);
  });
}

function points(op: AnyOp, sample: Sample): Tensor[] {
  const places = numbersOf(sample);
  return draw(op, sample).map((x, i) => (places.includes(i) && isFloat(x.dtype) ? x.requiresGrad_() : x));
}

function law(op: AnyOp, sample: Sample): void {
  // The cotangent of the result has two parts, so that it is summed; both were made by rules.
  const lossOf = (y: Tensor): Tensor => {
    const c = cotangentFor(y);
    return sum(add(mul(y, c), mul(mul(y, 2), c)));
  };
  const fresh = (): Tensor[] => {
    const operands = points(op, sample);
    const inputs = operands.filter((x) => x.requiresGrad);
    return grad(lossOf(sample.call(...operands)), inputs, { createGraph: true, unused: 'zeros' });
  };
  const used = (): Tensor[] => {
    const operands = points(op, sample);
    poison();
    lossOf(sample.call(...operands)).backward();
    return operands.filter((x) => x.requiresGrad).map((x) => x.grad ?? zerosLike(x));
  };
  const wanted = fresh().map(valuesOf);
  const [first, second] = inPoison(() => [used(), used()]);
  poison();
  expect(first.map(valuesOf), titleOf(sample)).toEqual(wanted);
  expect(second.map(valuesOf), titleOf(sample)).toEqual(wanted);
}

const valuesOf = (x: Tensor): number[] => [...x.toTypedArray()];

const poisons = new Map<unknown, number>([
  [Int32Array, 1e9],
  [Uint8Array, 77],
  [Uint16Array, 0x7e00],
]);

function poison(): void {
  for (const array of stock()) array.fill(poisons.get(array.constructor) ?? Number.NaN);
}
