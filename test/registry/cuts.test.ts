// Views whose records say that they are cuts: they show no element twice, and backward may add to the elements they show.

import { arange, grad, mul, reshape, sum, type Tensor } from '@adjoint/core';
import { expect, it } from 'vitest';
import { cotangentFor, expectSame, recordRun, titleOf } from './run.ts';
import type { AnyOp, Sample } from './sample.ts';
import { samples as table } from './samples/index.ts';

const cuts = table.filter(({ op }) => op.cut !== null);

it('there are some', () => {
  expect(cuts.map(({ op }) => op.name)).toEqual(expect.arrayContaining(['slice', 'diagonal']));
});

/** An operand whose elements are all different. */
function numbered({ operands: [{ shape }] }: Sample): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return reshape(arange(size, { dtype: 'float64' }), shape);
}

function law(op: AnyOp, sample: Sample): void {
  const { operands, output } = recordRun(op, () => sample.call(numbered(sample)));
  const seen = [...output.toTypedArray()];
  expect(new Set(seen).size, titleOf(sample)).toBe(seen.length);
  expect(new Set(operands[0].toTypedArray())).toEqual(new Set(numbered(sample).toTypedArray()));
  // Three cuts of one tensor, whose cotangents are all different numbers of no few bits.
  const gradient = (createGraph: boolean): Tensor => {
    const x = numbered(sample).requiresGrad_();
    const whole = mul(x, 1);
    const losses = [1.1, 2.3, 3.7].map((scale) => {
      const part = sample.call(whole);
      return sum(mul(mul(part, cotangentFor(part)), scale));
    });
    return grad(
      losses.reduce((total, loss) => total.add(loss)),
      x,
      { createGraph },
    );
  };
  expectSame(gradient(false), gradient(true), titleOf(sample));
}

for (const { op, samples } of cuts) {
  it(`${op.name} shows no element twice, and its cotangents add up in place`, () => {
    for (const sample of samples) law(op, sample);
  });
}
