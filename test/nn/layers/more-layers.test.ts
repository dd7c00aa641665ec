// Laws of layers beside their numbers: reparametrisations, embeddings, recurrence, attention, encodings, and what is refused.

import {
  AdjointError,
  ArgumentError,
  expand,
  Generator,
  GeometryError,
  grad,
  matmul,
  noGrad,
  norm,
  padSequence,
  randn,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  Bilinear,
  Conv2d,
  CrossEntropyLoss,
  causalMask,
  Embedding,
  Flatten,
  GELU,
  GLU,
  GRU,
  GRUCell,
  LearnedPositionalEncoding,
  Linear,
  LSTM,
  LSTMCell,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MSELoss,
  MultiheadAttention,
  RNN,
  RNNCell,
  removeReparametrisation,
  Sequential,
  SinusoidalPositionalEncoding,
  Softmax,
  spectralNorm,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  Unflatten,
  weightNorm,
} from '@adjoint/nn';
import { SGD } from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';

const float64 = { dtype: 'float64' } as const;
const near = (actual: Tensor, expected: Tensor, slack = 1e-12): void => {
  const [a, b] = [actual.toTypedArray(), expected.toTypedArray()];
  expect(actual.shape).toEqual(expected.shape);
  a.forEach((value: number, i: number) => {
    expect(Math.abs(value - b[i])).toBeLessThan(slack);
  });
};

describe('reparametrisations', () => {
  test('weight norm changes no output, and its lengths are the row norms', () => {
    const layer = new Conv2d(2, 3, 2, float64);
    const x = randn([1, 2, 4, 4], float64);
    const before = layer.forward(x);
    const [first] = (layer.weight.toArray() as number[][][][]).map((w) => Math.hypot(...w.flat(2)));
    weightNorm(layer);
    near(layer.forward(x), before);
    expect(layer.stateDict().weightG.shape).toEqual([3, 1, 1, 1]);
    expect(layer.stateDict().weightG.toTypedArray()[0]).toBeCloseTo(first, 12);
    expect(Object.keys(layer.stateDict({ layout: 'pytorch' })).sort()).toEqual([
      'bias',
      'weight_g',
      'weight_v',
    ]);
  });

  test('training moves length and direction; the direction stays where only the length is trained', () => {
    const layer = weightNorm(new Linear(3, 2, float64));
    const before = (layer.weight as Tensor).clone();
    const { weightG } = layer as unknown as { weightG: import('@adjoint/nn').Parameter };
    const optimiser = new SGD([weightG], { lr: 0.1 });
    sum(layer.forward(randn([4, 3], float64))).backward();
    optimiser.step();
    const ratio = (layer.weight as Tensor).div(before).toArray() as number[][];
    for (const row of ratio) for (const value of row) expect(value).toBeCloseTo(row[0], 10);
  });

  test('spectral norm leads the largest singular value to 1, and stands still in evaluation', () => {
    const layer = spectralNorm(new Linear(4, 3, float64), { generator: new Generator(1) });
    const x = randn([2, 4], float64);
    for (let i = 0; i < 300; i++) layer.forward(x);
    const w = layer.weight as Tensor;
    let v = randn([4], float64);
    for (let i = 0; i < 300; i++) {
      v = matmul(w.transpose(), matmul(w, v));
      v = v.div(norm(v).item());
    }
    expect(norm(matmul(w, v)).item()).toBeCloseTo(1, 8);
    layer.eval();
    const u = layer.stateDict().weightU.toArray();
    layer.forward(x);
    expect(layer.stateDict().weightU.toArray()).toEqual(u);
  });

  test('two forwards, then backward: the second forward does not disturb the graph of the first', () => {
    const layer = spectralNorm(new Linear(4, 3, float64));
    const x = randn([2, 4], float64);
    const [a, b] = [layer.forward(x), layer.forward(x)];
    sum(a).add(sum(b)).backward();
    expect(layer.parameters().every(({ grad }) => grad !== null)).toBe(true);
  });

  test('can be taken away, and put on once only', () => {
    for (const wrap of [weightNorm, spectralNorm]) {
      const layer = wrap(new Linear(3, 2, float64)).eval();
      const x = randn([2, 3], float64);
      const before = layer.forward(x);
      expect(() => wrap(layer)).toThrow(/already/);
      removeReparametrisation(layer);
      near(layer.forward(x), before);
      expect(Object.keys(layer.stateDict()).sort()).toEqual(['bias', 'weight']);
      expect(() => removeReparametrisation(layer)).toThrow(ArgumentError);
    }
    expect(() => weightNorm(new Linear(2, 2, { bias: false }), { name: 'bias' })).toThrow(
      /holds no parameter/,
    );
    expect(() => weightNorm(new Linear(2, 2), { axis: 2 })).toThrow(/axis is 2/);
  });

  test('follow a module to another dtype', () => {
    const layer = weightNorm(new Linear(3, 2)).to('float64');
    expect(layer.forward(randn([1, 3], float64)).dtype).toBe('float64');
  });
});

describe('embeddings', () => {
  const indices = tensor(
    [
      [1, 2],
      [2, 0],
    ],
    { dtype: 'int32' },
  );

  test('the padding row is 0, gets no gradient, and counts from the end if negative', () => {
    const layer = new Embedding(4, 3, { paddingIdx: -2, ...float64 });
    expect(layer.paddingIdx).toBe(2);
    const y = layer.forward(indices).toArray() as number[][][];
    expect(y[0][1]).toEqual([0, 0, 0]);
    sum(layer.forward(indices)).backward();
    expect(layer.weight.grad!.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('a table can be given, or shared', () => {
    const layer = new Embedding(4, 3);
    expect(new Embedding(4, 3, { weight: layer.weight }).weight).toBe(layer.weight);
    expect(() => new Embedding(4, 2, { weight: layer.weight })).toThrow(ShapeError);
    expect(() => new Embedding(4, 2, { paddingIdx: 4 })).toThrow(ArgumentError);
    expect(() => layer.forward(tensor([4], { dtype: 'int32' }))).toThrow(ArgumentError);
  });
});

describe('recurrence', () => {
  test('a network is its cell, step by step', () => {
    const x = randn([5, 2, 3], float64);
    const rnn = new GRU(3, 4, float64);
    const cell = new GRUCell(3, 4, float64);
    const state = rnn.stateDict();
    cell.loadStateDict(
      Object.fromEntries(Object.entries(state).map(([name, value]) => [name.replace('L0', ''), value])),
    );
    let hidden: Tensor | undefined;
    for (let t = 0; t < 5; t++) hidden = cell.forward(x.select(0, t), hidden);
    near(rnn.forward(x).hidden.select(0, 0), hidden!);
  });

  test('running on from a state equals running at once', () => {
    const x = randn([6, 2, 3], float64);
    const rnn = new LSTM(3, 4, { numLayers: 2, ...float64 });
    const whole = rnn.forward(x);
    const first = rnn.forward(x.narrow(0, 0, 4));
    const second = rnn.forward(x.narrow(0, 4, 2), first);
    near(second.hidden, whole.hidden);
    near(second.cell, whole.cell);
    near(second.output, whole.output.narrow(0, 4, 2));
  });

  test('the backward direction is the forward one on the sequence reversed', () => {
    const x = randn([5, 1, 3], float64);
    const both = new RNN(3, 4, { bidirectional: true, ...float64 });
    const one = new RNN(3, 4, float64);
    const state = both.stateDict();
    one.loadStateDict(
      Object.fromEntries(Object.keys(one.stateDict()).map((name) => [name, state[`${name}Reverse`]])),
    );
    near(both.forward(x).output.narrow(2, 4, 4), one.forward(x.flip(0)).output.flip(0));
  });

  const kinds = {
    RNN: (options: object) => new RNN(3, 4, { ...options, ...float64 }),
    GRU: (options: object) => new GRU(3, 4, { ...options, ...float64 }),
    LSTM: (options: object) => new LSTM(3, 4, { projSize: 2, ...options, ...float64 }),
  };
  test.each(Object.entries(kinds))(
    '%s: a padded sequence with its length gives what it gives alone, and so do gradients',
    (_, make) => {
      for (const options of [{}, { numLayers: 2, bidirectional: true }]) {
        const rnn = make({ ...options, batchFirst: true });
        const lengths = [2, 5, 1];
        const sequences = lengths.map((length) => randn([length, 3], { ...float64, requiresGrad: true }));
        // What stands behind the end is not read, whatever it is.
        const padded = padSequence(sequences, { batchFirst: true, paddingValue: Number.NaN });
        const together = rnn.forward(padded, undefined, { lengths });
        const weights = rnn.parameters();
        const gradients = (loss: Tensor): Tensor[] =>
          grad(loss, [...weights, ...sequences], { unused: 'zeros' });
        let sum: Tensor = tensor(0, float64);
        sequences.forEach((sequence, n) => {
          const alone = rnn.forward(sequence);
          near(together.output.slice([n, { stop: lengths[n] }]), alone.output);
          near(together.hidden.select(1, n), alone.hidden);
          expect(
            together.output
              .slice([n, { start: lengths[n] }])
              .toTypedArray()
              .every((y) => y === 0),
          ).toBe(true);
          sum = sum.add(alone.output.square().sum()).add(alone.hidden.pow(3).sum());
        });
        const whole = together.output.square().sum().add(together.hidden.pow(3).sum());
        const expected = gradients(sum);
        for (const [i, gradient] of gradients(whole).entries()) near(gradient, expected[i]);
      }
    },
  );

  test('lengths that are none of the batch are refused', () => {
    const rnn = new LSTM(3, 4);
    const x = zeros([5, 2, 3]);
    const run = (lengths: never) => (): unknown => rnn.forward(x, undefined, { lengths });
    expect(run([5] as never)).toThrow(
      'LSTM.forward: there are 1 lengths; give one integer from 1 to 5 for each of the 2 sequences.',
    );
    expect(run([5, 0] as never)).toThrow(/lengths\[1\] is 0/);
    expect(run([6, 1] as never)).toThrow(/lengths\[0\] is 6/);
    expect(run(3 as never)).toThrow(/lengths is 3; give a list/);
    expect(() => rnn.forward(zeros([5, 3]), undefined, { lengths: [5] })).toThrow(/a single one/);
    const counted = tensor([5, 2], { dtype: 'int32' });
    near(
      rnn.forward(x, undefined, { lengths: counted }).output,
      rnn.forward(x, undefined, { lengths: [5, 2] }).output,
    );
  });

  test('dropout acts between layers in training only', () => {
    const x = randn([5, 2, 3]);
    const rnn = new RNN(3, 4, { numLayers: 2, dropout: 0.5, generator: new Generator(1) });
    expect(rnn.forward(x).output.toArray()).not.toEqual(rnn.forward(x).output.toArray());
    rnn.eval();
    expect(rnn.forward(x).output.toArray()).toEqual(rnn.forward(x).output.toArray());
  });

  test('what does not fit is refused with the shapes', () => {
    const rnn = new LSTM(3, 4, { batchFirst: true });
    expect(() => rnn.forward(zeros([2, 5, 4]))).toThrow(/\(N, L, input\) or \(L, input\).*input = 3/);
    expect(() => rnn.forward(zeros([2, 0, 3]))).toThrow(ShapeError);
    const state = { hidden: zeros([1, 3, 4]), cell: zeros([1, 2, 4]) };
    expect(() => rnn.forward(zeros([2, 5, 3]), state)).toThrow(/hidden has shape \(1, 3, 4\).*\(1, 2, 4\)/);
    expect(() => new RNN(3, 4, { nonlinearity: 'sigmoid' as 'tanh' })).toThrow(ArgumentError);
    expect(() => new GRU(3, 0)).toThrow(/hiddenSize is 0/);
    expect(() => new RNNCell(3, 4).forward(zeros([2, 2]))).toThrow(ShapeError);
    expect(() =>
      new LSTMCell(3, 4).forward(zeros([2, 3]), { hidden: zeros([4]), cell: zeros([2, 4]) }),
    ).toThrow(ShapeError);
    // PyTorch's pair of states: it must not be taken for none.
    const pair = [zeros([1, 2, 4]), zeros([1, 2, 4])] as never;
    expect(() => rnn.forward(zeros([2, 5, 3]), pair)).toThrow(
      /state is an array of 2; give { hidden, cell }/,
    );
    expect(() => new LSTMCell(3, 4).forward(zeros([2, 3]), pair)).toThrow(ArgumentError);
    expect(() => rnn.forward(zeros([2, 5, 3]), { hidden: zeros([1, 2, 4]) } as never)).toThrow(ArgumentError);
  });
});

describe('attention', () => {
  test('weights are a distribution over the keys that are not hidden', () => {
    const layer = new MultiheadAttention(4, 2, { batchFirst: true, ...float64 });
    const x = randn([2, 3, 4], float64);
    const keyPaddingMask = tensor([
      [false, false, true],
      [false, false, false],
    ]);
    const { weights } = layer.forward(x, x, x, { keyPaddingMask, isCausal: true });
    const rows = weights!.toArray() as number[][][];
    for (const [n, matrix] of rows.entries())
      for (const [i, row] of matrix.entries()) {
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        row.forEach((weight, j) => {
          expect(weight === 0).toBe(j > i || (n === 0 && j === 2));
        });
      }
  });

  test('a causal output does not depend on what comes later', () => {
    const encoder = new TransformerEncoder(
      () => new TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0, ...float64 }),
      2,
    );
    const x = randn([5, 1, 4], float64);
    const whole = encoder.forward(x, { isCausal: true });
    near(encoder.forward(x.narrow(0, 0, 3), { isCausal: true }), whole.narrow(0, 0, 3));
    near(encoder.forward(x, { mask: causalMask(5) }), whole);
  });

  test('without positions, attention does not see the order of keys', () => {
    const decoder = new TransformerDecoder(
      () => new TransformerDecoderLayer(4, 2, { dimFeedforward: 8, dropout: 0, ...float64 }),
      2,
    );
    const [x, memory] = [randn([2, 1, 4], float64), randn([5, 1, 4], float64)];
    near(decoder.forward(x, memory.flip(0)), decoder.forward(x, memory));
  });

  test('stacks have layers with values of their own, under the names of PyTorch', () => {
    const encoder = new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, { dimFeedforward: 8 }), 2);
    const state = encoder.stateDict({ layout: 'pytorch' });
    expect(Object.keys(state)).toContain('layers.1.self_attn.in_proj_weight');
    expect(Object.keys(state)).toContain('layers.0.norm1.weight');
    expect(state['layers.0.linear1.weight'].toArray()).not.toEqual(
      state['layers.1.linear1.weight'].toArray(),
    );
  });

  test('dropout of weights follows its generator', () => {
    const x = randn([4, 2, 4]);
    const draw = (seed: number): unknown => {
      const layer = new MultiheadAttention(4, 2, { dropout: 0.5, generator: new Generator(seed) });
      return layer.forward(x, x, x).output.toArray();
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const layer = new MultiheadAttention(4, 2, { dropout: 0.5 });
    const plain = new MultiheadAttention(4, 2);
    plain.loadStateDict(layer.stateDict());
    expect(layer.eval().forward(x, x, x).output.toArray()).toEqual(plain.forward(x, x, x).output.toArray());
  });

  test('what does not fit is refused with the shapes', () => {
    expect(() => new MultiheadAttention(5, 2)).toThrow(/must divide/);
    const layer = new MultiheadAttention(4, 2);
    const x = zeros([3, 2, 4]);
    expect(() => layer.forward(x, zeros([3, 1, 4]), x)).toThrow(/key has shape \(3, 1, 4\)/);
    expect(() => layer.forward(x, x, zeros([2, 2, 4]))).toThrow(/value/);
    expect(() => layer.forward(x, x, x, { attnMask: zeros([2, 2]) })).toThrow(
      /attnMask has shape \(2, 2\); it takes \(3, 3\) or \(4, 3, 3\)/,
    );
    expect(() => layer.forward(x, x, x, { attnMask: zeros([3, 3], { dtype: 'int32' }) })).toThrow(
      AdjointError,
    );
    expect(() => new TransformerEncoderLayer(4, 2, { activation: 'tanh' as 'relu' })).toThrow(
      /'relu', 'gelu'/,
    );
  });
});

describe('positional encodings', () => {
  test('sines and cosines: a shift of positions is a rotation of each pair of features', () => {
    const layer = new SinusoidalPositionalEncoding(6, { maxLength: 20, ...float64 });
    const table = layer.forward(zeros([20, 6], float64)).toArray() as number[][];
    for (let pair = 0; pair < 3; pair++) {
      const angle = 3 / 10000 ** ((2 * pair) / 6);
      const [s, c] = [table[5][2 * pair], table[5][2 * pair + 1]];
      expect(table[8][2 * pair]).toBeCloseTo(s * Math.cos(angle) + c * Math.sin(angle), 12);
      expect(table[8][2 * pair + 1]).toBeCloseTo(c * Math.cos(angle) - s * Math.sin(angle), 12);
    }
    expect(Object.keys(layer.stateDict())).toEqual([]);
  });

  test('are added along the sequence, whichever axis that is', () => {
    const rows = new LearnedPositionalEncoding(2, { maxLength: 4, ...float64 });
    const first = new LearnedPositionalEncoding(2, { maxLength: 4, batchFirst: true, ...float64 });
    first.loadStateDict(rows.stateDict());
    const x = randn([3, 2, 2], float64);
    near(first.forward(x.transpose(0, 1)).transpose(0, 1), rows.forward(x));
    sum(rows.forward(x)).backward();
    expect(rows.weight.grad!.toArray()).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
      [0, 0],
    ]);
    expect(() => rows.forward(zeros([5, 1, 2], float64))).toThrow(/maxLength is 4/);
    expect(() => rows.forward(zeros([3, 1, 3], float64))).toThrow(ShapeError);
  });
});

test('pooling layers have the size that their names say', () => {
  const image = (dims: number): Tensor => zeros([2, 3, ...new Array<number>(dims).fill(4)]);
  for (const [layers, expected] of [
    [[new MaxPool1d(2), new MaxPool2d(2), new MaxPool3d(2)], 2],
    [[new AvgPool1d(2), new AvgPool2d(2), new AvgPool3d(2)], 2],
    [[new MaxPool1d(1), new MaxPool2d(1), new MaxPool3d(1)], 4],
    [[new AdaptiveAvgPool1d(3), new AdaptiveAvgPool2d(3), new AdaptiveAvgPool3d(3)], 3],
    [[new AdaptiveMaxPool1d(3), new AdaptiveMaxPool2d(3), new AdaptiveMaxPool3d(3)], 3],
  ] as const)
    for (const [i, layer] of layers.entries())
      expect(layer.forward(image(i + 1)).shape).toEqual([2, 3, ...new Array<number>(i + 1).fill(expected)]);
});

describe('refused at construction', () => {
  test.each([
    () => new MaxPool2d(0),
    () => new MaxPool2d(2, { padding: 2 }),
    () => new AvgPool2d([2, 2, 2]),
    () => new MaxPool2d(2, { stride: -1 }),
  ])('%s', (make) => {
    expect(make).toThrow(GeometryError);
  });

  test.each([
    () => new AdaptiveAvgPool2d(-1),
    () => new AdaptiveAvgPool2d([1, 2, 3]),
    () => new Linear(0, 1),
    () => new Bilinear(1, 2, 0.5),
    () => new Softmax({ axis: 0.5 }),
    () => new GLU({ axis: Number.NaN }),
    () => new GELU({ approximate: 'erf' as 'none' }),
    () => new MSELoss({ reduction: 'average' as 'mean' }),
    () => new CrossEntropyLoss({ labelSmoothing: 2 }),
  ])('%s', (make) => {
    expect(make).toThrow(ArgumentError);
  });
});

test.each([
  () => new Conv2d(1, 1, 1, { output_padding: 1 } as object),
  () => new Conv2d(1, 1, 1, { outputPadding: 1 } as object),
  () => new Linear(1, 1, { biases: false } as object),
  () => new LSTM(1, 1, { nonlinearity: 'relu' } as object),
  () => new GRU(1, 1, { projSize: 1 } as object),
  () => new MultiheadAttention(2, 1, { headDim: 2 } as object),
  () => new TransformerEncoderLayer(2, 1, { dimFeedForward: 2 } as object),
  () => new Embedding(2, 2, { maxNorm: 1 } as object),
])('an option that the layer does not know is refused: %s', (make) => {
  expect(make).toThrow(/there is no option '\w+'; it takes/);
});

test('a softmax of any axis can be made, and used', () => {
  for (const axis of [-2, -1, 0, 1])
    expect([...new Softmax({ axis }).forward(expand(tensor([[1]]), [2, 2])).toTypedArray()]).toEqual([
      0.5, 0.5, 0.5, 0.5,
    ]);
});

test('a loss keeps its weights as buffers, which follow the model', () => {
  const loss = new CrossEntropyLoss({ weight: tensor([1, 3]) });
  const both = new Sequential(new Linear(2, 2)).to('float64');
  loss.to('float64');
  expect(loss.weight!.dtype).toBe('float64');
  expect(loss.parameters()).toEqual([]);
  const x = both.forward(zeros([1, 2], float64));
  expect(noGrad(() => loss.forward(x, tensor([1], { dtype: 'int32' }))).dtype).toBe('float64');
});

test('Unflatten undoes Flatten, behind any batch', () => {
  const x = randn([2, 3, 4, 5]);
  const back = new Sequential(new Flatten(), new Unflatten(1, [3, -1, 5]));
  expect(back.forward(x)).toEqual(x);
  expect(new Unflatten(-1, [1, 5]).forward(x).shape).toEqual([2, 3, 4, 1, 5]);
  expect(() => new Unflatten(1, [3, 7]).forward(new Flatten().forward(x))).toThrow(ShapeError);
  expect(() => new Unflatten(1, 60 as never)).toThrow('Unflatten: sizes is 60; give an array of numbers');
  expect(() => new Unflatten(1, [2.5])).toThrow(ArgumentError);
});
