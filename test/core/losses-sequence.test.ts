// ctcLoss against its definition, the sum over all alignments, on inputs small enough to list them.

import {
  ctcLoss,
  Generator,
  grad,
  log,
  logSoftmax,
  narrow,
  randn,
  select,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const ints = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'int32' });
const normal = (...shape: number[]): Tensor =>
  randn(shape, { dtype: 'float64', generator: new Generator(5) });

/** What a path of classes spells: repeats merged, then blanks dropped. */
const spells = (path: readonly number[], blank: number): number[] =>
  path.filter((label, t) => label !== blank && label !== path[t - 1]);

function* paths(time: number, classes: number): Iterable<number[]> {
  for (let number = 0; number < classes ** time; number++)
    yield Array.from({ length: time }, (_, t) => Math.floor(number / classes ** t) % classes);
}

function byDefinition(logProbs: Tensor, target: readonly number[], blank: number): number {
  const [time, classes] = logProbs.shape;
  const values = logProbs.toTypedArray();
  let likelihood = 0;
  for (const path of paths(time, classes)) {
    if (spells(path, blank).join() !== target.join()) continue;
    likelihood += Math.exp(path.reduce((total, label, t) => total + values[t * classes + label], 0));
  }
  return -Math.log(likelihood);
}

describe('ctcLoss', () => {
  test('is minus the logarithm of the sum over all paths that spell the target', () => {
    const cases = fc
      .record({
        time: fc.integer({ min: 1, max: 5 }),
        classes: fc.integer({ min: 2, max: 3 }),
        seed: fc.nat(99),
      })
      .chain(({ time, classes, seed }) =>
        fc.record({
          logits: fc.constant(randn([time, classes], { dtype: 'float64', generator: new Generator(seed) })),
          blank: fc.nat(classes - 1),
          labels: fc.array(fc.nat(classes - 2), { maxLength: 3 }),
        }),
      );
    fc.assert(
      fc.property(cases, ({ logits, blank, labels }) => {
        const target = labels.map((label) => (label >= blank ? label + 1 : label));
        const logProbs = logSoftmax(logits, { axis: 1 });
        const expected = byDefinition(logProbs, target, blank);
        const loss = ctcLoss(logProbs, tensor(Int32Array.from(target)), [logits.shape[0]], [target.length], {
          blank,
          reduction: 'none',
        });
        expect(loss.shape).toEqual([]);
        if (Number.isFinite(expected)) expect(loss.item()).toBeCloseTo(expected, 10);
        else expect(loss.item()).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });

  const logProbs = logSoftmax(normal(5, 3, 4), { axis: 2 });
  const targets = ints([
    [1, 2, 2],
    [3, 9, 9],
    [9, 9, 9],
  ]);
  const [inputLengths, targetLengths] = [
    [5, 3, 4],
    [3, 1, 0],
  ];

  test('of a batch is that of each sequence alone, cut to its lengths, whatever the padding', () => {
    const losses = ctcLoss(logProbs, targets, inputLengths, targetLengths, {
      reduction: 'none',
    }).toTypedArray();
    const alone = inputLengths.map((time, n) => {
      const own = narrow(select(logProbs, 1, n), 0, 0, time);
      const target = narrow(select(targets, 0, n), 0, 0, targetLengths[n]);
      return ctcLoss(own, target, ints([time]), ints([targetLengths[n]]), { reduction: 'sum' }).item();
    });
    losses.forEach((loss, n) => {
      expect(loss).toBeCloseTo(alone[n], 12);
    });
    const mean = (alone[0] / 3 + alone[1] + alone[2]) / 3;
    expect(ctcLoss(logProbs, targets, inputLengths, targetLengths).item()).toBeCloseTo(mean, 12);
  });

  test('derivatives to the second order', () => {
    const loss = (x: Tensor): Tensor =>
      ctcLoss(x, targets, inputLengths, targetLengths, { reduction: 'none' });
    assertGradcheck(loss, [logProbs]);
    assertGradgradcheck(loss, [narrow(logProbs, 0, 0, 5)]);
  });

  test('a target that does not fit is Infinity, or 0 if asked; neither spoils the gradient of the others', () => {
    const short = logProbs.detach().requiresGrad_();
    const lengths = [3, 3, 4];
    // Two equal labels need a blank between them: 1 2 2 takes four steps.
    const losses = ctcLoss(short, targets, lengths, targetLengths, { reduction: 'none' });
    expect(losses.toTypedArray()[0]).toBe(Number.POSITIVE_INFINITY);
    const finite = ctcLoss(short, targets, lengths, targetLengths, { reduction: 'sum', zeroInfinity: true });
    expect(Number.isFinite(finite.item())).toBe(true);
    const gradient = grad(finite, short);
    expect(gradient.toTypedArray().every(Number.isFinite)).toBe(true);
    expect(
      select(gradient, 1, 0)
        .toTypedArray()
        .every((value) => value === 0),
    ).toBe(true);
  });

  test('impossible classes have no gradient, not NaN', () => {
    const certain = log(
      tensor(
        [
          [0, 1],
          [0.5, 0.5],
          [1, 0],
        ],
        { dtype: 'float64' },
      ),
    ).requiresGrad_();
    const loss = ctcLoss(certain, ints([1]), [3], [1]);
    expect(loss.item()).toBeCloseTo(0, 12);
    expect(
      grad(loss, certain)
        .toTypedArray()
        .every((value) => !Number.isNaN(value)),
    ).toBe(true);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'a label that there is not',
      () => ctcLoss(logProbs, ints([[4], [1], [1]]), [5, 5, 5], [1, 1, 1]),
      /^ctcLoss: targets\[0, 0\] is 4; classes are 0 to 3\.$/,
    ],
    [
      'the blank as a label',
      () => ctcLoss(logProbs, ints([[1], [0], [1]]), [5, 5, 5], [1, 1, 1]),
      /^ctcLoss: targets\[1, 0\] is 0, the blank/,
    ],
    [
      'an input longer than there is',
      () => ctcLoss(logProbs, targets, [6, 5, 5], [0, 0, 0]),
      /^ctcLoss: inputLengths\[0\] is 6; it takes one integer from 1 to 5/,
    ],
    [
      'too few lengths',
      () => ctcLoss(logProbs, targets, [5, 5, 5], [1]),
      /^ctcLoss: targetLengths has 1 elements/,
    ],
    [
      'another batch',
      () => ctcLoss(logProbs, ints([[1]]), [5], [1]),
      /^ctcLoss: logProbs has shape \(5, 3, 4\) and targets \(1, 1\)/,
    ],
    [
      'a blank that there is not',
      () => ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank: 4 }),
      /^ctcLoss: blank is 4;/,
    ],
    [
      'floats as labels',
      () => ctcLoss(logProbs, zeros([3, 1]), [5, 5, 5], [1, 1, 1]),
      /^ctcLoss: targets is float32; indices are int32/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
