// What @adjoint/core promises to have: every function by its name, every method that goes with one.

import * as core from '@adjoint/core';
import { describe, expect, it } from 'vitest';

const creation =
  'tensor zeros ones full zerosLike onesLike fullLike eye arange linspace rand randn randLike randnLike randint randperm bernoulli multinomial';
const random = 'manualSeed Generator';
const arithmetic =
  'add sub mul div neg pow remainder floorDivide abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal square';
const functions =
  'sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh atan2 hypot erf floor ceil round trunc clamp where maximum minimum lerp';
const predicates =
  'eq ne lt le gt ge logicalAnd logicalOr logicalXor logicalNot isnan isinf isfinite nanToNum isclose allclose equal';
const activations =
  'sigmoid logSigmoid softplus relu relu6 leakyRelu prelu elu celu selu gelu silu mish hardtanh hardswish hardsigmoid softsign';
const reductions =
  'sum mean prod max min amax amin argmax argmin var std norm logsumexp any all countNonzero cumsum diff cumprod median';
const products = 'matmul bmm dot outer triu tril diagonal trace';
const shapes =
  'reshape view flatten squeeze unflatten unsqueeze permute transpose expand repeat repeatInterleave tile split chunk unbind narrow slice select flip roll pad';
const indexing =
  'gather scatter scatterAdd indexAdd indexSelect index maskedFill maskedSelect take sort argsort topk unique nonzero';
const softmaxes = 'softmax logSoftmax logaddexp';
// Of several tensors alike, or of one that is not in front: no methods.
const joins =
  'cat stack meshgrid einsum linear oneHot embedding searchsorted unfold fold padSequence bincount cdist gumbelSoftmax';
const losses =
  'crossEntropy nllLoss binaryCrossEntropy bceWithLogits mseLoss l1Loss smoothL1Loss huberLoss klDiv hingeEmbeddingLoss cosineEmbeddingLoss tripletMarginLoss ctcLoss gaussianNllLoss poissonNllLoss marginRankingLoss softMarginLoss';
const normalisation = 'layerNorm groupNorm batchNorm instanceNorm rmsNorm localResponseNorm';
const pooling = [1, 2, 3]
  .flatMap((n) => [
    `maxPool${n}d`,
    `maxPool${n}dWithIndices`,
    `avgPool${n}d`,
    `adaptiveAvgPool${n}d`,
    `adaptiveMaxPool${n}d`,
  ])
  .join(' ');
const networks = 'interpolate pixelShuffle pixelUnshuffle dropout scaledDotProductAttention';
const convolution = [1, 2, 3].flatMap((n) => [`conv${n}d`, `convTranspose${n}d`]).join(' ');
const dtypes = 'cast promoteTypes resultType';
const derivatives =
  'grad valueAndGrad vjp jvp jacobian hessian hvp checkpoint registerHook defineOp noGradient vjpRule';
const tools = 'detectAnomaly explain noGrad enableGrad apply';
const checks =
  'gradcheck assertGradcheck gradgradcheck assertGradgradcheck jvpcheck assertJvpcheck adjointCheck assertAdjoint adjointCheckOp assertAdjointOp';

const withMethods = [
  arithmetic,
  functions,
  predicates,
  activations,
  reductions,
  products,
  shapes,
  indexing,
  softmaxes,
];
const alone = [
  creation,
  random,
  joins,
  losses,
  normalisation,
  pooling,
  networks,
  convolution,
  dtypes,
  derivatives,
  tools,
  checks,
];
const listed = (groups: readonly string[]): string[] => groups.flatMap((group) => group.split(' '));

describe('@adjoint/core', () => {
  it('exports every function of the list', () => {
    const exported: Readonly<Record<string, unknown>> = core;
    const missing = listed([...withMethods, ...alone]).filter((name) => typeof exported[name] !== 'function');
    expect(missing).toEqual([]);
  });

  it('gives tensors the methods that go with functions of one', () => {
    const has = (name: string): boolean => typeof Reflect.get(core.Tensor.prototype, name) === 'function';
    expect(listed([...withMethods, 'to backward registerHook detach']).filter((name) => !has(name))).toEqual(
      [],
    );
  });

  it('gives a method what its function gives', () => {
    const x = core.tensor(
      [
        [1.5, -2],
        [0.5, 3],
      ],
      { dtype: 'float64' },
    );
    const byFunction: Readonly<Record<string, unknown>> = core;
    const unary = listed([functions, activations, arithmetic]).filter(
      (name) =>
        typeof byFunction[name] === 'function' && (byFunction[name] as { length: number }).length === 1,
    );
    expect(unary.length).toBeGreaterThan(40);
    for (const name of unary) {
      const fn = byFunction[name] as (x: core.Tensor) => core.Tensor;
      const method = Reflect.get(x, name) as () => core.Tensor;
      expect(method.call(x).toArray(), name).toEqual(fn(x).toArray());
    }
  });
});
