// Losses: what they are by definition, their relations to each other, derivatives and dtypes.

import {
  bceWithLogits,
  binaryCrossEntropy,
  cosineEmbeddingLoss,
  cosineSimilarity,
  crossEntropy,
  type DType,
  exp,
  gaussianNllLoss,
  grad,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  log,
  logSoftmax,
  mean,
  mseLoss,
  mul,
  nllLoss,
  normalize,
  oneHot,
  pairwiseDistance,
  permute,
  poissonNllLoss,
  type Reduction,
  reshape,
  sigmoid,
  smoothL1Loss,
  softMarginLoss,
  softmax,
  sum,
  type Tensor,
  tensor,
  transpose,
  tripletMarginLoss,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutOf } from './layouts.ts';

const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const ints = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'int32' });
const values = (x: Tensor): number[] => [...x.toTypedArray()];
const close = (actual: Tensor, expected: Tensor | number[], tolerance = 1e-12): void => {
  const wanted = Array.isArray(expected) ? expected : values(expected);
  expect(actual.size).toBe(wanted.length);
  values(actual).forEach((value, i) => {
    expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted[i])));
  });
};

const numbers = fc.double({ min: -4, max: 4, noNaN: true });
/** Logits (N, C, …) in any layout, and a class for each sample. */
const samples = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 4 }),
    places: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 2 }),
  })
  .chain(({ batch, classes, places }) =>
    fc.record({
      logits: layoutOf([batch, classes, ...places], numbers),
      target: layoutOf([batch, ...places], fc.nat(classes - 1)).map((t) => t.to('int32')),
      weight: layoutOf([classes], fc.double({ min: 0.25, max: 2, noNaN: true })),
    }),
  );

describe('losses of classes', () => {
  test('cross entropy is the likelihood of logSoftmax, with and without weights, in any layout', () => {
    fc.assert(
      fc.property(
        samples,
        fc.constantFrom<Reduction>('none', 'mean', 'sum'),
        ({ logits, target, weight }, reduction) => {
          const logProbs = logSoftmax(logits, { axis: 1 });
          close(crossEntropy(logits, target, { reduction }), nllLoss(logProbs, target, { reduction }));
          close(
            crossEntropy(logits, target, { reduction, weight }),
            nllLoss(logProbs, target, { reduction, weight }),
          );
        },
      ),
    );
  });

  test('class numbers are probabilities of one hot; the mean differs by the weights only', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(0, 0.3, 1), ({ logits, target, weight }, labelSmoothing) => {
        const classes = logits.shape[1];
        const hot = oneHot(target, { numClasses: classes }).to('float64');
        const order = [0, hot.ndim - 1, ...Array.from({ length: hot.ndim - 2 }, (_, i) => i + 1)];
        for (const reduction of ['none', 'sum'] as const) {
          const options = { reduction, labelSmoothing, weight };
          close(
            crossEntropy(logits, target, options),
            crossEntropy(logits, permute(hot, order), options),
            1e-11,
          );
        }
        const unweighted = { labelSmoothing };
        close(
          crossEntropy(logits, target, unweighted),
          crossEntropy(logits, permute(hot, order), unweighted),
          1e-11,
        );
      }),
    );
  });

  test('the gradient of a sum is softmax minus one hot', () => {
    const logits = float64([
      [0.5, -1, 2],
      [3, 0, -0.25],
    ]).requiresGrad_();
    const gradient = grad(crossEntropy(logits, ints([2, 0]), { reduction: 'sum' }), logits);
    const probabilities = values(softmax(logits.detach(), { axis: 1 }));
    close(
      gradient,
      probabilities.map((p, i) => p - (i === 2 || i === 3 ? 1 : 0)),
    );
  });

  test('what is ignored has no loss, no weight in the mean and no gradient, even where it is infinite', () => {
    const logProbs = float64([
      [-1, -2],
      [-Infinity, -Infinity],
      [-3, -4],
    ]).requiresGrad_();
    const target = ints([1, 7, 0]);
    expect(values(nllLoss(logProbs, target, { ignoreIndex: 7, reduction: 'none' }))).toEqual([2, 0, 3]);
    expect(nllLoss(logProbs, target, { ignoreIndex: 7 }).item()).toBe(2.5);
    expect(nllLoss(logProbs, target, { ignoreIndex: 7, weight: float64([3, 1]) }).item()).toBe(11 / 4);
    const gradient = grad(nllLoss(logProbs, target, { ignoreIndex: 7, reduction: 'sum' }), logProbs);
    expect(values(gradient).map((v) => v + 0)).toEqual([0, -1, 0, 0, -1, 0]);
  });

  test('an ignored class that exists', () => {
    expect(
      nllLoss(
        float64([
          [-1, -2],
          [-3, -4],
        ]),
        ints([0, 1]),
        { ignoreIndex: 0 },
      ).item(),
    ).toBe(4);
  });

  test('derivatives to the second order', () => {
    const logits = float64([
      [0.5, -1, 2],
      [3, 0, -0.25],
    ]);
    const target = ints([2, 0]);
    const weight = float64([0.5, 2, 1.5]);
    const probabilities = float64([
      [0.2, 0.3, 0.5],
      [0.6, 0.3, 0.1],
    ]);
    for (const reduction of ['none', 'mean', 'sum'] as const) {
      const options = { reduction, weight, labelSmoothing: 0.1 };
      const classes = (x: Tensor): Tensor => crossEntropy(x, target, options);
      const shares = (x: Tensor, t: Tensor): Tensor => crossEntropy(x, t, options);
      assertGradcheck(classes, [logits]);
      assertGradgradcheck(classes, [logits]);
      assertGradcheck(shares, [logits, probabilities]);
      assertGradgradcheck(shares, [logits, probabilities]);
      assertGradcheck((x) => nllLoss(x, target, { reduction, weight }), [logits]);
    }
  });
});

describe('binary losses', () => {
  test('of logits and of their probabilities agree, whatever the weights', () => {
    const pair = fc.record({
      logits: layoutOf([2, 3], numbers),
      target: layoutOf([2, 3], fc.double({ min: 0, max: 1, noNaN: true })),
      weight: layoutOf([3], fc.double({ min: 0.25, max: 2, noNaN: true })),
    });
    fc.assert(
      fc.property(pair, ({ logits, target, weight }) => {
        const probabilities = sigmoid(logits);
        for (const reduction of ['none', 'mean', 'sum'] as const) {
          close(
            bceWithLogits(logits, target, { reduction, weight }),
            binaryCrossEntropy(probabilities, target, { reduction, weight }),
            1e-11,
          );
        }
      }),
    );
  });

  test('posWeight counts a positive as so many', () => {
    const logits = float64([0.5, -2]);
    const plain = bceWithLogits(logits, float64([1, 0]), { reduction: 'none' });
    const weighted = bceWithLogits(logits, float64([1, 0]), { reduction: 'none', posWeight: float64(3) });
    close(weighted, [values(plain)[0] * 3, values(plain)[1]]);
  });

  test('far out the loss of logits is exact, down to the smallest', () => {
    const far = float64([40, -40, 800, -800]);
    close(
      bceWithLogits(far, float64([1, 0, 1, 0]), { reduction: 'none' }),
      [Math.exp(-40), Math.exp(-40), 0, 0],
      0,
    );
    expect(values(bceWithLogits(far, float64([0, 1, 0, 1]), { reduction: 'none' }))).toEqual([
      40, 40, 800, 800,
    ]);
  });

  test('derivatives to the second order', () => {
    const x = float64([0.5, -1.25, 2]);
    const t = float64([0.25, 1, 0.5]);
    const p = float64([0.2, 0.7, 0.4]);
    const options = { weight: float64([1, 2, 0.5]), posWeight: float64([2, 1, 3]) };
    assertGradcheck((a, b) => bceWithLogits(a, b, options), [x, t]);
    assertGradgradcheck((a, b) => bceWithLogits(a, b, options), [x, t]);
    assertGradcheck((a, b) => binaryCrossEntropy(a, b), [p, t]);
    assertGradgradcheck((a, b) => binaryCrossEntropy(a, b), [p, t]);
  });
});

describe('losses of differences', () => {
  const x = float64([0.3, -1.4, 2.6, 0.1]);
  const t = float64([0.1, 1.2, 2.1, -0.6]);

  test('huber with delta d is d times smooth L1 with beta d', () => {
    fc.assert(
      fc.property(
        layoutOf([3], numbers),
        layoutOf([3], numbers),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        (a, b, d) => {
          const scaled = values(smoothL1Loss(a, b, { beta: d, reduction: 'none' })).map((loss) => loss * d);
          close(huberLoss(a, b, { delta: d, reduction: 'none' }), scaled);
        },
      ),
    );
  });

  test('smooth L1 lies between both it is made of, and is one of them at the ends', () => {
    expect(values(smoothL1Loss(x, t, { beta: 0, reduction: 'none' }))).toEqual(
      values(l1Loss(x, t, { reduction: 'none' })),
    );
    const half = values(mseLoss(x, t, { reduction: 'none' })).map((square) => square / 2 / 100);
    close(smoothL1Loss(x, t, { beta: 100, reduction: 'none' }), half);
  });

  test('the divergence of a distribution from itself is 0, and both ways of giving the target agree', () => {
    const p = softmax(x);
    close(klDiv(log(p), p, { reduction: 'sum' }), [0]);
    const q = softmax(t);
    close(
      klDiv(log(p), q, { reduction: 'none' }),
      klDiv(log(p), log(q), { reduction: 'none', logTarget: true }),
    );
    const rows = reshape(log(p), [2, 2]);
    const sums = klDiv(rows, reshape(q, [2, 2]), { reduction: 'sum' }).item();
    expect(klDiv(rows, reshape(q, [2, 2]), { reduction: 'batchmean' }).item()).toBe(sums / 2);
    expect(values(klDiv(float64([-1]), float64([0]), { reduction: 'none' }))).toEqual([0]);
  });

  test('derivatives in both operands', () => {
    const losses: ((a: Tensor, b: Tensor) => Tensor)[] = [
      (a, b) => mseLoss(a, b),
      (a, b) => l1Loss(a, b),
      (a, b) => smoothL1Loss(a, b, { beta: 0.6, reduction: 'none' }),
      (a, b) => huberLoss(a, b, { delta: 0.6, reduction: 'sum' }),
      (a, b) => klDiv(a, exp(b)),
      (a, b) => klDiv(a, b, { logTarget: true, reduction: 'none' }),
    ];
    for (const loss of losses) {
      assertGradcheck(loss, [x, t]);
      assertGradgradcheck(loss, [x, t]);
    }
  });
});

describe('losses of distances', () => {
  const a = float64([
    [0.3, -1.4, 2.6],
    [0.1, 0.9, -0.4],
  ]);
  const b = float64([
    [1.1, 0.2, -0.3],
    [-0.7, 0.5, 1.6],
  ]);
  const c = float64([
    [0.4, 0.8, 0.2],
    [1.3, -0.6, 0.9],
  ]);

  test('the cosine of vectors, whatever their lengths; normalised ones have length 1', () => {
    close(cosineSimilarity(a, mul(a, 3)), [1, 1]);
    close(cosineSimilarity(a, mul(b, 5)), sum(mul(normalize(a), normalize(b)), { axes: 1 }));
    close(cosineSimilarity(transpose(a), transpose(b), { axis: 0 }), cosineSimilarity(a, b));
    close(
      pairwiseDistance(normalize(a, { p: 3 }), zeros([2, 3], { dtype: 'float64' }), { p: 3, eps: 0 }),
      [1, 1],
    );
  });

  test('pairs of both kinds', () => {
    const target = float64([1, -1]);
    const cosines = values(cosineSimilarity(a, b));
    close(
      cosineEmbeddingLoss(a, b, target, { reduction: 'none' }),
      [1 - cosines[0], Math.max(0, cosines[1])],
      1e-11,
    );
    close(hingeEmbeddingLoss(float64([0.5, 0.25]), target, { margin: 2, reduction: 'none' }), [0.5, 1.75]);
    close(cosineEmbeddingLoss(float64([1, 0]), float64([0, 1]), float64(1)), [1], 1e-11);
  });

  test('a triplet far apart has no loss, and swap takes the nearer negative', () => {
    expect(tripletMarginLoss(a, a, mul(a, 9)).item()).toBe(0);
    const [ab, ac, bc] = [pairwiseDistance(a, b), pairwiseDistance(a, c), pairwiseDistance(b, c)].map(values);
    const expected = ab.map((near, i) => Math.max(0, near - Math.min(ac[i], bc[i]) + 1));
    close(tripletMarginLoss(a, b, c, { swap: true, reduction: 'none' }), expected);
  });

  test('derivatives', () => {
    const target = float64([1, -1]);
    assertGradcheck((x, y) => cosineSimilarity(x, y), [a, b]);
    assertGradgradcheck((x, y) => cosineSimilarity(x, y), [a, b]);
    assertGradcheck((x) => normalize(x, { p: 3 }), [a]);
    assertGradcheck((x, y) => cosineEmbeddingLoss(x, y, target, { margin: -0.9 }), [a, b]);
    assertGradcheck((x, y, z) => tripletMarginLoss(x, y, z, { margin: 9 }), [a, b, c]);
    assertGradgradcheck((x, y, z) => tripletMarginLoss(x, y, z, { margin: 9 }), [a, b, c]);
  });
});

describe('dtypes', () => {
  test.each(['float32', 'float16', 'bfloat16'] as DType[])(
    '%s stays, and agrees with float64 as far as it reaches',
    (dtype) => {
      const tolerance = { float32: 1e-6, float16: 2e-3, bfloat16: 2e-2 }[
        dtype as 'float32' | 'float16' | 'bfloat16'
      ];
      const x = float64([
        [0.5, -1, 2],
        [3, 0, -0.25],
      ]);
      const y = float64([
        [0.25, 1, 0.5],
        [0, 0.75, 1],
      ]);
      const weight = float64([0.5, 2, 1.5]);
      const target = ints([2, 0]);
      const losses: ((cast: (t: Tensor) => Tensor) => Tensor)[] = [
        (cast) => crossEntropy(cast(x), target),
        (cast) => crossEntropy(cast(x), target, { weight: cast(weight), labelSmoothing: 0.1 }),
        (cast) => crossEntropy(cast(x), cast(y)),
        (cast) => bceWithLogits(cast(x), cast(y)),
        (cast) => binaryCrossEntropy(cast(y), cast(y)),
        (cast) => mseLoss(cast(x), cast(y)),
        (cast) => huberLoss(cast(x), cast(y)),
        (cast) => tripletMarginLoss(cast(x), cast(y), cast(mul(y, 2))),
      ];
      for (const loss of losses) {
        const narrow = loss((t) => t.to(dtype));
        expect(narrow.dtype).toBe(dtype);
        close(
          narrow,
          loss((t) => t),
          tolerance,
        );
      }
    },
  );

  test('the mean over many samples counts them all, though float16 cannot', () => {
    const many = 70000;
    const loss = nllLoss(zeros([many, 1], { dtype: 'float16' }).add(-1), zeros([many], { dtype: 'int32' }));
    expect(loss.item()).toBe(1);
    expect(mean(zeros([many], { dtype: 'float16' }).add(1)).item()).toBe(1);
  });
});

describe('likelihoods and margins', () => {
  test('a negative variance is refused, with the way out', () => {
    const x = float64([1, 2]);
    expect(() => gaussianNllLoss(x, x, float64([1, -1]))).toThrow(
      /^gaussianNllLoss: variance has negative elements; .*softplus/,
    );
    expect(() => gaussianNllLoss(x, x, float64([[1], [1]]))).toThrow(/variance has shape \(2, 1\).*\(2,\)/);
    expect(() => gaussianNllLoss(float64([[1, 2]]), float64([[1, 2]]), x)).toThrow(
      /variance has shape \(2,\)/,
    );
    expect(() => gaussianNllLoss(x, x, x, { eps: 0 })).toThrow(/eps is 0; it takes a number above 0/);
    expect(() => poissonNllLoss(x, x, { eps: -1 })).toThrow(/eps is -1/);
  });

  test('a variance without the last axis is of rows, also where there are as many columns', () => {
    const [mean, x] = [
      float64([
        [0, 0],
        [0, 0],
      ]),
      float64([
        [1, 2],
        [3, 4],
      ]),
    ];
    const loss = (variance: Tensor) => gaussianNllLoss(mean, x, variance, { reduction: 'none' }).toArray();
    expect(loss(float64([1, 4]))).toEqual(loss(float64([[1], [4]])));
    expect(loss(tensor(4, { dtype: 'float64' }))).toEqual(loss(float64([[4], [4]])));
  });

  test('the Gaussian loss is that of the density, in units that change nothing but a constant', () => {
    const [mean, x, variance] = [float64([0.5]), float64([1.25]), float64([0.75])];
    const density = Math.exp(-(0.75 ** 2) / 1.5) / Math.sqrt(2 * Math.PI * 0.75);
    close(gaussianNllLoss(mean, x, variance, { full: true }), [-Math.log(density)]);
  });

  test('the soft margin of scores far out neither overflows nor loses its tail', () => {
    const losses = softMarginLoss(float64([1000, -1000, 50]), float64([1, 1, 1]), { reduction: 'none' });
    close(losses, [0, 1000, Math.exp(-50)]);
    expect(losses.toTypedArray()[2] / Math.exp(-50)).toBeCloseTo(1, 12);
  });
});
