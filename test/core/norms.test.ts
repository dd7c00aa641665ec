// Normalisations, attention and dropout: what they do to statistics, relations between them, derivatives, dtypes, refusals.

import {
  add,
  batchNorm,
  type DType,
  dropout,
  dropout2d,
  expand,
  Generator,
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  matmul,
  mean,
  mul,
  ones,
  permute,
  randn,
  reshape,
  rmsNorm,
  scaledDotProductAttention,
  slice,
  softmax,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
  variance,
  zeros,
} from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import { kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { layoutOf } from './layouts.ts';

const float64 = (data: Parameters<typeof tensor>[0]): Tensor => tensor(data, { dtype: 'float64' });
const normal = (...shape: number[]): Tensor =>
  randn(shape, { dtype: 'float64', generator: new Generator(shape.length) });
/** Numbers of its shape that are no multiple of each other. */
const cosLike = (x: Tensor): Tensor =>
  reshape(float64(Array.from({ length: x.size }, (_, i) => Math.cos(i + 1))), x.shape);
const values = (x: Tensor): number[] => [...x.toTypedArray()];
const close = (actual: Tensor, expected: Tensor, tolerance = 1e-12): void => {
  expect(actual.shape).toEqual(expected.shape);
  const wanted = values(expected);
  values(actual).forEach((value, i) => {
    expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(wanted[i])));
  });
};
const numbers = fc.double({ min: -4, max: 4, noNaN: true });

describe('normalised values', () => {
  test('have mean 0 and variance 1 where they were normalised, in any layout', () => {
    fc.assert(
      fc.property(layoutOf([2, 4, 3], numbers), (x) => {
        // A constant row stays constant: spread it.
        const spread = add(x, normal(2, 4, 3));
        const cases: [Tensor, number[]][] = [
          [layerNorm(spread, [4, 3], { eps: 0 }), [1, 2]],
          [layerNorm(spread, [3], { eps: 0 }), [2]],
          [batchNorm(spread, { training: true, eps: 0 }).output, [0, 2]],
          [instanceNorm(spread, { eps: 0 }).output, [2]],
        ];
        for (const [y, axes] of cases) {
          const means = mean(y, { axes });
          close(means, zeros(means.shape, { dtype: 'float64' }), 1e-9);
          close(variance(y, { axes, correction: 0 }), ones(means.shape, { dtype: 'float64' }), 1e-9);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('groups of one channel are instances, one group is a layer, the last axes of a batch are instances', () => {
    const x = normal(2, 4, 3);
    close(groupNorm(x, 4), instanceNorm(x).output);
    close(groupNorm(x, 1), layerNorm(x, [4, 3]));
    close(instanceNorm(x).output, layerNorm(x, [3]));
    const channelsFirst = permute(batchNorm(x, { training: true }).output, [1, 0, 2]);
    close(reshape(channelsFirst, [1, 4, 6]), instanceNorm(reshape(permute(x, [1, 0, 2]), [1, 4, 6])).output);
  });

  test('scale and shift come last', () => {
    const x = normal(2, 4, 3);
    const [weight, bias] = [normal(4), normal(4)];
    const perChannel = [1, 4, 1];
    const shifted = (plain: Tensor): Tensor =>
      add(mul(plain, reshape(weight, perChannel)), reshape(bias, perChannel));
    close(groupNorm(x, 2, { weight, bias }), shifted(groupNorm(x, 2)));
    close(
      batchNorm(x, { training: true, weight, bias }).output,
      shifted(batchNorm(x, { training: true }).output),
    );
    close(instanceNorm(x, { weight, bias }).output, shifted(instanceNorm(x).output));
  });

  test('rmsNorm of centred rows is layerNorm', () => {
    const x = normal(3, 5);
    const centred = add(x, mul(mean(x, { axes: 1, keepdim: true }), -1));
    close(rmsNorm(centred, [5], { eps: 1e-5 }), layerNorm(x, [5]));
    expect(values(rmsNorm(float64([[0, 0]]), [2]))).toEqual([0, 0]);
  });

  test('local response over all channels divides by one norm', () => {
    const x = normal(1, 3, 2);
    const norms = sqrt(sum(square(x), { axes: 1, keepdim: true }));
    const y = localResponseNorm(x, 5, { alpha: 5, beta: 0.5, k: 0 });
    close(mul(y, norms), x);
  });
});

describe('running statistics', () => {
  const x = normal(3, 2, 4);
  const given = { runningMean: float64([1, -1]), runningVar: float64([2, 0.5]) };

  test('move towards those of the batch, the variance unbiased; what was given stays as it was', () => {
    const { runningMean, runningVar } = batchNorm(x, { ...given, training: true, momentum: 0.25 });
    close(runningMean!, add(mul(given.runningMean, 0.75), mul(mean(x, { axes: [0, 2] }), 0.25)));
    close(runningVar!, add(mul(given.runningVar, 0.75), mul(variance(x, { axes: [0, 2] }), 0.25)));
    expect(values(given.runningMean)).toEqual([1, -1]);
    const instance = instanceNorm(x, { ...given, momentum: 1 });
    close(instance.runningMean!, mean(x, { axes: [0, 2] }));
    close(instance.runningVar!, mean(variance(x, { axes: 2 }), { axes: 0 }));
  });

  test('with momentum 1 the next evaluation of the same batch differs by the unbiased variance alone', () => {
    const trained = batchNorm(x, { ...given, training: true, momentum: 1, eps: 0 });
    const evaluated = batchNorm(x, {
      runningMean: trained.runningMean,
      runningVar: trained.runningVar,
      eps: 0,
    });
    close(mul(evaluated.output, Math.sqrt(12 / 11)), trained.output);
  });

  test('carry no graph, so that they do not grow one from step to step', () => {
    const leaf = x.detach().requiresGrad_();
    const { output, runningMean, runningVar } = batchNorm(leaf, { ...given, training: true });
    expect(output.requiresGrad).toBe(true);
    expect(runningMean!.requiresGrad || runningVar!.requiresGrad).toBe(false);
  });

  test('evaluation is one scale and shift per channel, also of an empty batch', () => {
    const { output } = batchNorm(x, { ...given, eps: 0 });
    const expected = mul(
      add(x, reshape(float64([-1, 1]), [1, 2, 1])),
      reshape(float64([Math.SQRT1_2, Math.SQRT2]), [1, 2, 1]),
    );
    close(output, expected);
    expect(batchNorm(zeros([0, 2, 4], { dtype: 'float64' }), given).output.shape).toEqual([0, 2, 4]);
    close(instanceNorm(x, { ...given, useInputStats: false, eps: 0 }).output, expected);
  });
});

describe('derivatives to the second order', () => {
  const x = normal(2, 4, 3);
  const [weight, bias] = [normal(4), normal(4)];
  const running = { runningMean: normal(4), runningVar: square(normal(4)) };
  const cases: Record<string, (x: Tensor, weight: Tensor, bias: Tensor) => Tensor> = {
    layerNorm: (a, w, b) => layerNorm(permute(a, [0, 2, 1]), [4], { weight: w, bias: b }),
    rmsNorm: (a, w, b) => add(rmsNorm(permute(a, [0, 2, 1]), [4], { weight: w }), b),
    groupNorm: (a, w, b) => groupNorm(a, 2, { weight: w, bias: b }),
    batchNorm: (a, w, b) => batchNorm(a, { weight: w, bias: b, training: true }).output,
    'batchNorm in evaluation': (a, w, b) => batchNorm(a, { weight: w, bias: b, ...running }).output,
    instanceNorm: (a, w, b) => instanceNorm(a, { weight: w, bias: b }).output,
    localResponseNorm: (a, w, b) =>
      add(mul(localResponseNorm(a, 3, { alpha: 0.7, k: 2 }), reshape(w, [4, 1])), reshape(b, [4, 1])),
  };
  test.each(Object.entries(cases))('%s', (_, op) => {
    assertGradcheck(op, [x, weight, bias]);
    assertGradgradcheck(op, [x, weight, bias]);
  });
});

describe('gradients of a batch', () => {
  type Wanted = readonly ['x' | 'weight' | 'bias', ...('x' | 'weight' | 'bias')[]];
  const subsets: Wanted[] = [
    ['x'],
    ['weight'],
    ['bias'],
    ['x', 'weight'],
    ['x', 'bias'],
    ['weight', 'bias'],
    ['x', 'weight', 'bias'],
  ];
  const gradients = (
    dtype: 'float32' | 'float64' | 'float16',
    wanted: Wanted,
    createGraph: boolean,
  ): number[][] => {
    const draw = (seed: number, shape: number[]): Tensor =>
      randn(shape, { dtype, generator: new Generator(seed) });
    const operands = { x: draw(1, [6, 5, 9, 7]), weight: draw(2, [5]), bias: draw(3, [5]) };
    const inputs = wanted.map((name) => operands[name].requiresGrad_());
    const { x, weight, bias } = operands;
    const { output } = batchNorm(x, { weight, bias, training: true });
    return grad(sum(mul(output, draw(4, x.shape.slice()))), inputs, { createGraph }).map(values);
  };

  test.each(['float32', 'float64', 'float16'] as const)(
    'have the same bits whichever are asked for, recorded or not, in %s',
    (dtype) => {
      const all = gradients(dtype, ['x', 'weight', 'bias'], true);
      for (const wanted of subsets) {
        const expected = wanted.map((name) => all[['x', 'weight', 'bias'].indexOf(name)]);
        expect(gradients(dtype, wanted, false), wanted.join()).toEqual(expected);
        expect(gradients(dtype, wanted, true), wanted.join()).toEqual(expected);
      }
    },
  );

  test('come of one look at the elements, where those of operand and weight are both asked for', () => {
    const alone = vi.spyOn(kernels, 'normaliseWeightGrad');
    gradients('float32', ['x', 'weight', 'bias'], false);
    expect(alone).not.toHaveBeenCalled();
    gradients('float32', ['weight'], false);
    expect(alone).toHaveBeenCalledTimes(1);
    alone.mockRestore();
  });
});

describe('attention', () => {
  const [q, k, v] = [normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 2)];

  test('is a mean of the values, weighted by softmax', () => {
    const weights = softmax(mul(matmul(q, transpose(k)), 0.5), { axis: -1 });
    close(scaledDotProductAttention(q, k, v), matmul(weights, v));
    const constant = mul(ones([2, 5, 2], { dtype: 'float64' }), 3);
    close(scaledDotProductAttention(q, k, constant), mul(ones([2, 3, 2], { dtype: 'float64' }), 3));
  });

  test('without features all keys count alike', () => {
    const [none, keys] = [ones([2, 3, 0], { dtype: 'float64' }), ones([2, 5, 0], { dtype: 'float64' })];
    close(scaledDotProductAttention(none, keys, v), expand(mean(v, { axes: 1, keepdim: true }), [2, 3, 2]));
  });

  test('a causal query sees what it would see alone', () => {
    const whole = scaledDotProductAttention(k, k, v, { isCausal: true });
    for (let i = 1; i <= 5; i++) {
      const head = (t: Tensor): Tensor => slice(t, [null, { stop: i }]);
      const last = scaledDotProductAttention(slice(k, [null, { start: i - 1, stop: i }]), head(k), head(v));
      close(slice(whole, [null, { start: i - 1, stop: i }]), last);
    }
  });

  test('a mask of truth values is one of 0 and -Infinity; both broadcast', () => {
    const mask = tensor([true, false, true, true, false]);
    const scores = float64([0, -Infinity, 0, 0, -Infinity]);
    close(
      scaledDotProductAttention(q, k, v, { attnMask: mask }),
      scaledDotProductAttention(q, k, v, { attnMask: scores }),
    );
  });

  test.each([
    {
      name: 'two axes',
      shapes: [
        [3, 4],
        [5, 4],
        [5, 2],
      ],
      mask: [3, 5],
    },
    {
      name: 'leading axes that broadcast',
      shapes: [
        [2, 1, 3, 4],
        [3, 5, 4],
        [1, 5, 2],
      ],
      mask: [5],
    },
    {
      name: 'a mask of more leading axes',
      shapes: [
        [3, 4],
        [5, 4],
        [5, 2],
      ],
      mask: [2, 1, 3, 5],
    },
    {
      name: 'many leading axes',
      shapes: [
        [2, 1, 2, 3, 4],
        [2, 3, 2, 5, 4],
        [1, 2, 5, 2],
      ],
      mask: [2, 3, 1, 1, 5],
    },
    {
      name: 'many queries and keys',
      shapes: [
        [2, 70, 6],
        [2, 130, 6],
        [2, 130, 9],
      ],
      mask: [70, 1],
    },
  ])('is made of its parts, as are first and second derivatives: $name', ({ shapes, mask }) => {
    const operands = [...shapes, mask].map((shape, i) =>
      randn(shape, { dtype: 'float64', generator: new Generator(i + 1), requiresGrad: true }),
    );
    const parts = (a: Tensor, b: Tensor, c: Tensor, m: Tensor): Tensor =>
      matmul(softmax(add(mul(matmul(a, transpose(b)), 0.3), m)), c);
    const op = (a: Tensor, b: Tensor, c: Tensor, m: Tensor): Tensor =>
      scaledDotProductAttention(a, b, c, { attnMask: m, scale: 0.3 });
    const [fused, composed] = [op, parts].map((f) => {
      const [a, b, c, m] = operands;
      const y = f(a, b, c, m);
      const first = grad(y, operands, { gradOutput: cosLike(y), createGraph: true });
      const along = first.map((g) => sum(mul(g, cosLike(g)))).reduce(add);
      return [y, ...first, ...grad(along, operands)];
    });
    expect(fused.length).toBe(9);
    fused.forEach((t, i) => {
      close(t, composed[i], 1e-11);
    });
  });

  test('derivatives', () => {
    const op = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
      scaledDotProductAttention(a, b, c, { isCausal: true });
    assertGradcheck(op, [q, k, v]);
    assertGradgradcheck(op, [q, k, v], { mode: 'fast' });
  });
});

describe('dropout', () => {
  const generator = (): Generator => new Generator(11);

  test('keeps an element with probability 1 - p and scales it, so that the mean stays', () => {
    const x = ones([200, 200], { dtype: 'float64' });
    const y = values(dropout(x, { p: 0.25, generator: generator() }));
    expect(new Set(y)).toEqual(new Set([0, 1 / 0.75]));
    // 40000 draws: five standard deviations are 0.0144.
    expect(Math.abs(y.reduce((a, b) => a + b) / 40000 - 1)).toBeLessThan(0.0144);
  });

  test('of a channel drops all of it or nothing', () => {
    const y = dropout2d(ones([8, 8, 3, 2]), { p: 0.5, generator: generator() });
    const kept = values(mean(y, { axes: [2, 3] }));
    expect(new Set(kept)).toEqual(new Set([0, 2]));
  });

  test('passes the gradient of what it kept', () => {
    const x = normal(50).requiresGrad_();
    const y = dropout(x, { p: 0.5, generator: generator() });
    const gradient = values(grad(sum(y), x));
    expect(gradient).toEqual(values(y).map((value) => (value === 0 ? 0 : 2)));
  });

  test('out of training, or with p 0, is the operand; with p 1 nothing stays', () => {
    const x = normal(4);
    expect(dropout(x, { training: false })).toBe(x);
    expect(dropout(x, { p: 0 })).toBe(x);
    expect(values(dropout(x, { p: 1 }))).toEqual([0, 0, 0, 0]);
    expect(values(dropout(x, { generator: generator() }))).toEqual(
      values(dropout(x, { generator: generator() })),
    );
  });
});

describe('dtypes', () => {
  test.each(['float32', 'float16', 'bfloat16'] as DType[])(
    '%s stays and is normalised in float32',
    (dtype) => {
      const tolerance = { float32: 1e-6, float16: 1e-3, bfloat16: 1e-2 }[
        dtype as 'float32' | 'float16' | 'bfloat16'
      ];
      // Squares of these leave the range of float16.
      const x = mul(normal(2, 4, 3), 300);
      const ops: ((t: Tensor) => Tensor)[] = [
        (t) => layerNorm(t, [4, 3]),
        (t) => rmsNorm(t, [3]),
        (t) => groupNorm(t, 2),
        (t) => batchNorm(t, { training: true }).output,
        (t) =>
          batchNorm(t, {
            runningMean: zeros([4]).to(t.dtype),
            runningVar: mul(ones([4]), 90000)
              .to('float32')
              .to(t.dtype === 'float64' ? 'float64' : 'float32'),
          }).output,
        (t) => instanceNorm(t).output,
      ];
      for (const op of ops) {
        const narrow = op(x.to(dtype));
        expect(narrow.dtype).toBe(dtype);
        close(narrow.to('float64'), op(x.to(dtype).to('float64')), tolerance);
      }
    },
  );
});

describe('refusals', () => {
  const x = zeros([2, 4, 3]);
  const refusals: [string, () => unknown, RegExp][] = [
    [
      'another normalised shape',
      () => layerNorm(x, [4]),
      /^layerNorm: x has shape \(2, 4, 3\) and normalizedShape is \(4,\)/,
    ],
    [
      'no normalised shape',
      () => rmsNorm(x, []),
      /^rmsNorm: x has shape \(2, 4, 3\) and normalizedShape is \(\)/,
    ],
    [
      'a weight of another shape',
      () => layerNorm(x, [3], { weight: zeros([4]) }),
      /^layerNorm: weight has shape \(4,\); it takes \(3,\)/,
    ],
    [
      'a weight of another type',
      () => batchNorm(x, { training: true, weight: zeros([4], { dtype: 'float64' }) }),
      /^batchNorm: weight is float64 beside float32; convert it with to\('float32'\)\.$/,
    ],
    [
      'groups that do not divide',
      () => groupNorm(x, 3),
      /^groupNorm: numGroups is 3 and x of shape \(2, 4, 3\) has 4 channels/,
    ],
    [
      'one value per channel',
      () => batchNorm(zeros([1, 4]), { training: true }),
      /^batchNorm: x of shape \(1, 4\) has one value per channel/,
    ],
    [
      'one value per instance',
      () => instanceNorm(zeros([2, 4, 1])),
      /^instanceNorm: x of shape \(2, 4, 1\) has one value per channel of an instance/,
    ],
    [
      'evaluation without statistics',
      () => batchNorm(x),
      /^batchNorm: without training it normalises by running statistics, and runningMean is not given/,
    ],
    [
      'one statistic alone',
      () => batchNorm(x, { training: true, runningMean: zeros([4]) }),
      /^batchNorm: runningVar is not given and the other one is/,
    ],
    [
      'no channels',
      () => batchNorm(zeros([4]), { training: true }),
      /^batchNorm: x has shape \(4,\); it takes \(N, C, …\)/,
    ],
    ['integers', () => layerNorm(zeros([3], { dtype: 'int32' }), [3]), /^layerNorm: x is int32;/],
    ['no channels around', () => localResponseNorm(x, 0), /^localResponseNorm: size is 0;/],
    ['a p above 1', () => dropout(x, { p: 1.5 }), /^dropout: p is 1\.5; it is a probability/],
    ['images without channels', () => dropout2d(zeros([2, 2])), /^dropout2d: x has 2 axes/],
    [
      'keys of other features',
      () => scaledDotProductAttention(zeros([1, 2, 3]), zeros([1, 2, 4]), zeros([1, 2, 4])),
      /^scaledDotProductAttention: key has shape \(1, 2, 4\); it needs 3 features/,
    ],
    [
      'values for other keys',
      () => scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([3, 3])),
      /^scaledDotProductAttention: value has shape \(3, 3\); it needs 2 rows/,
    ],
    [
      'a mask of integers',
      () =>
        scaledDotProductAttention(zeros([2, 3]), zeros([2, 3]), zeros([2, 3]), {
          attnMask: zeros([2], { dtype: 'int32' }),
        }),
      /^scaledDotProductAttention: attnMask is int32/,
    ],
  ];
  test.each(refusals)('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
