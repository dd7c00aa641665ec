// What must hold of the values of every op: whatever the layout, the shape and the dtype of its operands.

import { contiguous, dtypes, expand, isFloat, type Tensor, tensor } from '@adjoint/core';
import { describe, expect, it } from 'vitest';
import { isHalf } from '../../packages/core/src/dtype.ts';
import { sumTo } from '../../packages/core/src/ops/expand-sum.ts';
import { apply } from '../../packages/core/src/tape/apply.ts';
import {
  draw,
  expansionsOf,
  expectSame,
  expectSameOutcome,
  expectWithin,
  isTyped,
  layoutsOf,
  outcome,
  recordRun,
  titleOf,
  tryDType,
} from './run.ts';
import type { OpSamples, Sample } from './sample.ts';
import { samples as table } from './samples/index.ts';

for (const entry of table) {
  describe(entry.op.name, () => {
    for (const sample of entry.samples) describe(titleOf(sample), () => valueLaws(entry, sample));
    dtypeLaws(entry);
  });
}

function valueLaws({ op, coreAxes = 0 }: OpSamples, sample: Sample): void {
  const operands = (): Tensor[] => draw(op, sample);

  it('runs its record, and leaves its operands as they are', () => {
    const given = operands();
    const { output } = recordRun(op, () => sample.call(...given));
    for (const [i, x] of operands().entries()) expectSame(given[i], x, `operand ${i}`);
    if (op.view !== null && output.size > 0) {
      expect(given.some((x) => x.storage === output.storage)).toBe(true);
    }
  });

  const { expected } = sample;
  if (expected !== undefined) {
    it('gives what its formula says', () => {
      const given = operands();
      const output = sample.call(...given);
      const values = expected(...given.map((x) => Array.from(x.toTypedArray())));
      expectWithin(output, tensor(values, { shape: output.shape, dtype: output.dtype }), 'output', 1e-15);
    });
  }

  it('gives the same of operands in any layout', () => {
    const given = operands();
    const wanted = outcome(sample, given);
    given.forEach((x, i) => {
      for (const [layout, other] of layoutsOf(x)) {
        expectSameOutcome(outcome(sample, replaced(given, i, other)), wanted, `operand ${i} ${layout}`);
      }
    });
  });

  it('gives the same of expanded operands as of copies, and of expanded cotangents', () => {
    const given = operands();
    given.forEach((x, i) => {
      for (const expanded of expansionsOf(x)) {
        const wanted = outcome(sample, replaced(given, i, contiguous(expanded)));
        expectSameOutcome(outcome(sample, replaced(given, i, expanded)), wanted, `operand ${i}`);
      }
    });
    const one = (like: Tensor): Tensor => expand(tensor(0.75, { dtype: like.dtype }), like.shape);
    const copied = outcome(sample, given, (like) => contiguous(one(like)));
    expectSameOutcome(outcome(sample, given, one), copied, 'cotangent');
  });

  const lead = sample.operands[0].shape.slice(0, sample.operands[0].shape.length - coreAxes);
  if (!op.broadcasts || sample.operands.length !== op.operands.length || lead.length === 0) return;
  it('broadcasts: as if operands had been expanded, and gradients summed', () => {
    const given = operands();
    given.forEach((x, i) => {
      const core = x.shape.slice(lead.length);
      for (const shape of [core, ...lead.map((_, axis) => [...replaced(lead, axis, 1), ...core])]) {
        const values = x.toTypedArray();
        const firsts = Float64Array.from({ length: sizeOf(shape) }, (_, k) => values[k] ?? 1);
        const small = tensor(firsts, { shape, dtype: x.dtype });
        const what = `operand ${i} of shape (${shape})`;
        const wanted = outcome(sample, replaced(given, i, contiguous(expand(small, x.shape))));
        const { output, gradients } = outcome(sample, replaced(given, i, small));
        expectSame(output, wanted.output, what);
        gradients.forEach((gradient, k) => {
          expectWithin(gradient, sumTo(wanted.gradients[k], gradient.shape), `${what}, gradient ${k}`, 1e-14);
        });
      }
    });
  });
}

/** A list with another element at one place. */
function replaced<T>(list: readonly T[], place: number, element: T): T[] {
  return list.map((old, i) => (i === place ? element : old));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

// Rounding of one result, relative to the largest: a few of the smallest steps that the dtype can make.
const tolerance = {
  float64: 1e-13,
  float32: 2e-6,
  float16: 4e-3,
  bfloat16: 3e-2,
  int32: 0,
  uint8: 0,
  bool: 0,
};

// What asks for a type, and statistics, which stay in the type they are computed in.
const otherTyped = new Set(['cast', 'normMoments']);

function dtypeLaws({ op, samples, refusals }: OpSamples): void {
  const sample = samples.find(({ operands }) => operands.some(({ kind }) => kind === 'numbers'));
  if (sample === undefined) return;
  const names = [op.name, ...refusals.map((refusal) => refusal.op)];

  it.each(dtypes)('of %s gives what float64 gives, or a typed error that names it', (dtype) => {
    const { operands, output } = tryDType(op, sample, dtype);
    if (isTyped(output)) {
      expect(names).toContain(output.op);
      expect(output.message).toContain(dtype === 'bool' ? 'bool' : dtype);
      return;
    }
    if (isFloat(dtype) && isFloat(output.dtype) && !otherTyped.has(op.name)) expect(output.dtype).toBe(dtype);
    const wide = operands.map((x, i) => (sample.operands[i].kind === 'numbers' ? x.to('float64') : x));
    const wanted = sample.call(...wide);
    const values = Float64Array.from(wanted.toTypedArray(), (value) => wrapped(value, output.dtype));
    const { shape } = wanted;
    expectWithin(
      output.to('float64'),
      tensor(values, { shape, dtype: 'float64' }),
      dtype,
      Math.max(tolerance[output.dtype], isFloat(dtype) ? tolerance[dtype] : 0),
    );
  });

  it.each(dtypes.filter(isHalf))('of %s is float32, rounded once', (dtype) => {
    const { output } = tryDType(op, sample, dtype);
    if (isTyped(output)) return;
    const run = recordRun(op, () => tryDType(op, sample, dtype));
    if (run.output.dtype !== dtype) return;
    const wide = run.operands.map((x) => (x.dtype === dtype ? x.to('float32') : x));
    expectSame(run.output, apply(op, wide, run.attrs).to(dtype), dtype);
  });
}

// Integers wrap around where they end, and what is not 0 is true.
function wrapped(value: number, dtype: string): number {
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  if (dtype === 'uint8') return Uint8Array.of(value)[0];
  return dtype === 'int32' ? Int32Array.of(value)[0] : value;
}
