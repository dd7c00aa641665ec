// What layers refuse, in the words of whoever made the layer: its name, its option, and the shape that was given.

import { ArgumentError, ShapeError, type Tensor, tensor, zeros } from '@adjoint/core';
import * as nn from '@adjoint/nn';
import { TensorDataset } from '@adjoint/nn/data';
import { clipGradNorm_, clipGradValue_ } from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';

interface Refused {
  readonly op: string;
  readonly operand: string;
  /** The input's shape as the message shows it. */
  readonly shape: string;
  /** The option that the input disagrees with. */
  readonly option: string;
}

describe('an input of the wrong width or channels', () => {
  const conv = { operand: 'x', option: 'inChannels is 4' } as const;
  test.each<[Refused, () => Tensor]>([
    [
      { op: 'Linear', operand: 'x', shape: '(2, 5): its last axis is 5', option: 'inFeatures is 3' },
      () => new nn.Linear(3, 2).forward(zeros([2, 5])),
    ],
    [
      { op: 'Linear', operand: 'x', shape: '(): it has no axes', option: 'inFeatures is 3' },
      () => new nn.Linear(3, 2).forward(zeros([])),
    ],
    [
      { op: 'Bilinear', operand: 'x2', shape: '(2, 5)', option: 'in2Features is 4' },
      () => new nn.Bilinear(3, 4, 2).forward(zeros([2, 3]), zeros([2, 5])),
    ],
    [
      { op: 'Conv1d', shape: '(1, 3, 9) (channels: 3)', ...conv },
      () => new nn.Conv1d(4, 2, 3).forward(zeros([1, 3, 9])),
    ],
    [
      { op: 'Conv2d', shape: '(1, 2, 9, 9) (channels: 2)', ...conv },
      () => new nn.Conv2d(4, 2, 3, { groups: 2 }).forward(zeros([1, 2, 9, 9])),
    ],
    [
      { op: 'Conv2d', shape: '(9, 9) (axes: 2)', ...conv },
      () => new nn.Conv2d(4, 2, 3).forward(zeros([9, 9])),
    ],
    [
      { op: 'Conv3d', shape: '(3, 9, 9, 9) (channels: 3)', ...conv },
      () => new nn.Conv3d(4, 2, 3).forward(zeros([3, 9, 9, 9])),
    ],
    [
      { op: 'ConvTranspose2d', shape: '(1, 3, 9, 9) (channels: 3)', ...conv },
      () => new nn.ConvTranspose2d(4, 2, 3).forward(zeros([1, 3, 9, 9])),
    ],
  ])('%o', ({ op, operand, shape, option }, call) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(expect.objectContaining({ op, operand }));
    expect(call).toThrow(`${op}: ${operand} has shape ${shape}`);
    expect(call).toThrow(option);
  });
});

describe('padding that is none', () => {
  test.each([
    () => new nn.ZeroPad2d([1, 2]),
    () => new nn.ReflectionPad1d(0.5),
    () => new nn.CircularPad3d([1, 1, 1, 1, 1, Number.NaN]),
    () => new nn.ReplicationPad2d('1' as never),
  ])('%s', (make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(expect.objectContaining({ operand: 'padding' }));
  });

  test('and a value that is none', () => {
    expect(() => new nn.ConstantPad2d(1, undefined as never)).toThrow(
      expect.objectContaining({ op: 'ConstantPad2d', operand: 'value' }),
    );
  });

  test('the layer shows what it pads by', () => {
    expect(new nn.ConstantPad2d([1, 0, 2, 0], 0.5).extraRepr()).toBe('[1, 0, 2, 0], value=0.5');
    expect(new nn.ZeroPad2d(3).extraRepr()).toBe('3');
  });
});

test('a projection that is not smaller than the state', () => {
  expect(() => new nn.LSTM(2, 3, { projSize: 3 })).toThrow(
    expect.objectContaining({ op: 'LSTM', operand: 'projSize' }),
  );
  expect(() => new nn.LSTM(2, 3, { projSize: 1.5 })).toThrow(ArgumentError);
  const projected = new nn.LSTM(2, 3, { projSize: 1 });
  const state = { hidden: zeros([1, 1, 3]), cell: zeros([1, 1, 3]) };
  expect(() => projected.forward(zeros([4, 1, 2]), state)).toThrow(
    'hidden has shape (1, 1, 3); it takes (1, 1, 1)',
  );
});

test('a blank that is no class', () => {
  for (const blank of [-1, 0.5]) expect(() => new nn.CTCLoss({ blank })).toThrow(ArgumentError);
  expect(() => new nn.CTCLoss({ blank: 7 })).not.toThrow();
  // Certain of class 1 at both times: the loss is −log 1, whatever class is blank.
  const certain = tensor([[[-Infinity, 0, -Infinity]], [[-Infinity, 0, -Infinity]]]);
  const target = tensor([[1]], { dtype: 'int32' });
  expect(new nn.CTCLoss({ blank: 2 }).forward(certain, target, [2], [1]).item()).toBeCloseTo(0, 12);
  expect(new nn.CTCLoss({ reduction: 'none' }).forward(certain, target, [2], [1]).shape).toEqual([1]);
});

test('an unpooling of places that do not belong to it', () => {
  const places = zeros([1, 2, 2], { dtype: 'int32' });
  const layer = new nn.MaxUnpool2d(2);
  expect(() => layer.forward(zeros([1, 2, 3]), places)).toThrow(ShapeError);
  for (const outputSize of [2, 6])
    expect(() => layer.forward(zeros([1, 2, 2]), places, { outputSize })).toThrow(
      `outputSize[0] is ${outputSize}; windows of these sizes and strides come from an integer above 2 and below 6`,
    );
  const beyond = tensor(
    [
      [
        [0, 1],
        [2, 16],
      ],
    ],
    { dtype: 'int32' },
  );
  expect(() => layer.forward(zeros([1, 2, 2]), beyond)).toThrow(ArgumentError);
});

describe('an input that is no tensor', () => {
  const attention = new nn.MultiheadAttention(2, 1);
  test.each<[string, (x: Tensor) => unknown]>([
    ['Linear', (x) => new nn.Linear(2, 2).forward(x)],
    ['Conv2d', (x) => new nn.Conv2d(1, 1, 1).forward(x)],
    ['ConvTranspose2d', (x) => new nn.ConvTranspose2d(1, 1, 1).forward(x)],
    ['BatchNorm2d', (x) => new nn.BatchNorm2d(1).forward(x)],
    ['LayerNorm', (x) => new nn.LayerNorm(2).forward(x)],
    ['RMSNorm', (x) => new nn.RMSNorm(2).forward(x)],
    ['GroupNorm', (x) => new nn.GroupNorm(1, 2).forward(x)],
    ['embedding', (x) => new nn.Embedding(3, 2).forward(x)],
    ['LSTM', (x) => new nn.LSTM(2, 2).forward(x)],
    ['GRUCell', (x) => new nn.GRUCell(2, 2).forward(x)],
    ['MultiheadAttention', (x) => attention.forward(x, x, x)],
    ['maxPool2d', (x) => new nn.MaxPool2d(2).forward(x)],
    ['crossEntropy', (x) => new nn.CrossEntropyLoss().forward(x, x)],
  ])('%s says so', (op, call) => {
    const array = [[1, 2]] as unknown as Tensor;
    expect(() => call(array)).toThrow(ArgumentError);
    expect(() => call(array)).toThrow(
      new RegExp(`^${op}: .* is an array of 1; give a tensor \\(make one with tensor`),
    );
    expect(() => call(undefined as unknown as Tensor)).toThrow(
      new RegExp(`^${op}: .* is undefined; give a tensor`),
    );
  });
});

describe('what would be lost in silence', () => {
  const flag = zeros([2]) as unknown as boolean;
  test.each<[string, () => unknown]>([
    ['Linear', () => new nn.Linear(2, 2, { bias: flag })],
    ['Bilinear', () => new nn.Bilinear(2, 2, 2, { bias: flag })],
    ['Conv2d', () => new nn.Conv2d(2, 2, 3, { bias: flag })],
    ['ConvTranspose2d', () => new nn.ConvTranspose2d(2, 2, 3, { bias: flag })],
    ['LSTM', () => new nn.LSTM(2, 2, { bias: flag })],
    ['GRUCell', () => new nn.GRUCell(2, 2, { bias: flag })],
    ['MultiheadAttention', () => new nn.MultiheadAttention(2, 1, { bias: flag })],
    ['LayerNorm', () => new nn.LayerNorm(2, { bias: flag })],
  ])('a tensor as the bias of %s', (op, make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(new RegExp(`^${op}: bias is a Tensor; give true or false`));
  });

  test('a weight to share that is no parameter, or of another shape', () => {
    expect(() => new nn.Linear(4, 5, { weight: zeros([5, 4]) as nn.Parameter })).toThrow(/no Parameter/);
    const parameter = new nn.Parameter(zeros([4, 5]));
    expect(() => new nn.Linear(4, 5, { weight: parameter })).toThrow(
      'Linear: the weight has shape (4, 5); these sizes take (5, 4).',
    );
    expect(() => new nn.Conv1d(4, 5, 1, { weight: parameter })).toThrow(/has shape \(4, 5\).*\(5, 4, 1\)/);
    const fitting = new nn.Parameter(zeros([5, 4]));
    expect(() => new nn.Linear(4, 5, { weight: fitting, dtype: 'float64' })).toThrow(
      'Linear: the weight is float32, and dtype float64; leave dtype out',
    );
    expect(() => new nn.Embedding(5, 4, { weight: zeros([5, 4]), dtype: 'float64' })).toThrow(
      'Embedding: the weight is float32, and dtype float64',
    );
    expect(new nn.Linear(4, 5, { weight: fitting, dtype: 'float32' }).weight).toBe(fitting);
    const weight = zeros([4, 5, 3, 3]) as nn.Parameter;
    expect(() => new nn.ConvTranspose2d(4, 5, 3, { weight })).toThrow(ArgumentError);
    expect(() => new nn.ConvTranspose2d(4, 5, 3, { weight })).toThrow(
      /no Parameter.*new Parameter\(weight\)/,
    );
    expect(new nn.ConvTranspose2d(4, 5, 3, { weight: new nn.Parameter(weight) }).parameters()).toHaveLength(
      2,
    );
  });
});

describe('what is no module says how to make it one', () => {
  const anything = (value: unknown) => value as nn.UnaryModule;
  test.each<[string, unknown, string]>([
    [
      'an array',
      [new nn.ReLU()],
      'element 0 is an array of 1; give the modules one by one: spread the array',
    ],
    ['a function', (x: Tensor) => x, 'such as new ReLU() for relu'],
    ['a class', nn.ReLU, 'element 0 is the function ReLU; make one of the class: new …().'],
  ])('%s', (_, value, message) => {
    expect(() => new nn.Sequential(anything(value))).toThrow(ArgumentError);
    expect(() => new nn.Sequential(anything(value))).toThrow(message);
  });
});

describe('habits of PyTorch', () => {
  const anything = (value: unknown) => value as never;
  const layer = new nn.TransformerEncoderLayer(2, 1, { dimFeedforward: 2 });
  test.each<[string, () => unknown, string]>([
    [
      'train(False)',
      () => layer.train(anything(false)),
      'train: it takes no argument, and was given false; for evaluation write eval()',
    ],
    [
      'a layer to copy',
      () => new nn.TransformerEncoder(anything(layer), 2),
      'makeLayer is no function; give one that makes a layer, () => new TransformerEncoderLayer',
    ],
    [
      'a decoder layer',
      () => new nn.TransformerDecoder(anything(layer), 2),
      '() => new TransformerDecoderLayer',
    ],
    ['modules in a row', () => new nn.ModuleList(anything(new nn.ReLU())), 'modules is a ReLU; give a list'],
    [
      'an array as a parameter',
      () => new nn.Parameter(anything([1, 2])),
      'Parameter: data is an array of 2; give a tensor',
    ],
    [
      'an array as a buffer',
      () => new nn.Buffer(anything([1])),
      'Buffer: data is an array of 1; give a tensor',
    ],
    [
      'an array of tensors',
      () => new TensorDataset(anything([zeros([1])])),
      'TensorDataset: tensors[0] is an array of 1',
    ],
    [
      'a model to clip',
      () => clipGradNorm_(anything(layer), 1),
      'clipGradNorm_: parameters cannot be iterated; pass model.parameters()',
    ],
    [
      'a model to clip by value',
      () => clipGradValue_(anything(layer), 1),
      'clipGradValue_: parameters cannot',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});
