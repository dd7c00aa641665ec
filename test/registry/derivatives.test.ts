// What must hold of the derivatives of every op, to the third order, reverse and forward mode, by its record alone.

import {
  adjointCheckOp,
  enableGrad,
  grad,
  gradcheck,
  gradgradcheck,
  isFloat,
  jacobian,
  jvpcheck,
  type Tensor,
} from '@adjoint/core';
import { describe, expect, it } from 'vitest';
import { cotangentFor, draw, expectWithin, isLinear, numbersOf, recordRun, titleOf } from './run.ts';
import type { OpSamples, Sample } from './sample.ts';
import { samples as table } from './samples/index.ts';

for (const entry of table) {
  describe(entry.op.name, () => {
    for (const sample of entry.samples) describe(titleOf(sample), () => derivativeLaws(entry, sample));
  });
}

function derivativeLaws({ op, check = {}, scale = 1 }: OpSamples, sample: Sample): void {
  const places = numbersOf(sample);
  const operands = (): Tensor[] => draw(op, sample);
  if (!isFloat(sample.call(...operands()).dtype)) {
    it('has no graph, for its result is not floating-point', () => {
      const leaves = operands().map((x) => (isFloat(x.dtype) ? x.requiresGrad_() : x));
      expect(sample.call(...leaves).requiresGrad).toBe(false);
    });
    return;
  }

  it('gradients agree with differences', () => {
    const report = gradcheck(sample.call, operands(), check);
    expect(report.ok, report.message).toBe(true);
  });

  it('second derivatives agree with differences of the first', () => {
    const report = gradgradcheck(sample.call, operands(), check);
    expect(report.ok, report.message).toBe(true);
  });

  it('third derivatives agree with differences of the second', () => {
    const slope = (...all: Tensor[]): Tensor[] =>
      enableGrad(() => {
        const points = all.map((x, i) =>
          places.includes(i) && !x.requiresGrad ? x.detach().requiresGrad_() : x,
        );
        const y = sample.call(...points);
        const targets = places.map((i) => points[i]);
        return grad(y, targets, { gradOutput: cotangentFor(y), createGraph: true, unused: 'zeros' });
      });
    const report = gradgradcheck(slope, operands(), { ...check, mode: 'fast', projections: 2 });
    expect(report.ok, report.message).toBe(true);
  });

  it('forward mode agrees with differences', () => {
    const report = jvpcheck(sample.call, operands(), { ...check, mode: 'fast', projections: 2 });
    expect(report.ok, report.message).toBe(true);
  });

  it('forward and reverse mode give one Jacobian', () => {
    const inputs = operands();
    const fn = (...moved: Tensor[]): Tensor =>
      sample.call(...inputs.map((x, i) => (places.includes(i) ? moved[places.indexOf(i)] : x)));
    const points = places.map((i) => inputs[i]);
    const [reverse, forward] = (['reverse', 'forward'] as const).map((mode) =>
      jacobian(fn, points, { mode }),
    );
    // A Jacobian has the dtype of the output by columns and of the input by rows.
    reverse.forEach((matrix, i) => {
      expectWithin(forward[i].to(matrix.dtype), matrix, `operand ${places[i]}`, 1e-12);
    });
  });

  if (!isLinear(op)) return;
  it('its rule is its exact adjoint, in each operand', () => {
    const { operands: given, attrs } = recordRun(op, () => sample.call(...operands()));
    for (const report of adjointCheckOp(op, given, attrs, { scale, trials: 3 })) {
      expect(report.ok, report.message).toBe(true);
    }
  });
}
