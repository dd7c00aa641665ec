// Options that a class, function or method of nn does not know are refused, by every one that takes options.

import * as core from '@adjoint/core';
import { type AdjointError, ArgumentError, ones, Tensor } from '@adjoint/core';
import * as nn from '@adjoint/nn';
import * as checkpoint from '@adjoint/nn/checkpoint';
import * as data from '@adjoint/nn/data';
import * as dataNode from '@adjoint/nn/data/node';
import * as log from '@adjoint/nn/log';
import * as optim from '@adjoint/nn/optim';
import * as progress from '@adjoint/nn/progress';
import * as report from '@adjoint/nn/report';
import * as train from '@adjoint/nn/train';
import { describe, expect, test } from 'vitest';

const entries: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  nn,
  init: nn.init,
  optim,
  data,
  dataNode,
  train,
  checkpoint,
  log,
  report,
  progress,
};

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => Readonly<Record<string, Callable>>;

const isClass = (value: unknown): value is Constructor =>
  typeof value === 'function' && /^class\b/.test(String(value));

/** What stands before the options: only what is looked at before them needs to make sense. */
const x = ones([2, 2]);
const sgd = (): optim.SGD => new optim.SGD([new nn.Parameter(x)]);

/** Names of what takes options, by the arguments before them. */
const table: readonly (readonly [entry: string, before: readonly unknown[], names: string])[] = [
  [
    'nn',
    [],
    `BCELoss BCEWithLogitsLoss CELU CTCLoss CosineEmbeddingLoss CrossEntropyLoss ELU Flatten GELU GLU GaussianNLLLoss Hardshrink Hardtanh
    HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss LeakyReLU LogSoftmax MSELoss MarginRankingLoss NLLLoss PReLU PoissonNLLLoss RReLU SmoothL1Loss SoftMarginLoss Softmax
    Softmin Softplus Softshrink TripletMarginLoss Upsample`,
  ],
  ['nn', [0.5], 'AlphaDropout Dropout Dropout1d Dropout2d Dropout3d'],
  [
    'nn',
    [2],
    `AvgPool1d AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm
    LearnedPositionalEncoding LocalResponseNorm MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d RMSNorm SinusoidalPositionalEncoding Unfold`,
  ],
  [
    'nn',
    [2, 2],
    `Embedding Fold GRU GRUCell GroupNorm LSTM LSTMCell Linear MultiheadAttention RNN RNNCell
    Transformer TransformerDecoderLayer TransformerEncoderLayer`,
  ],
  ['nn', [2, 2, 2], 'Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d'],
  ['nn', [x], 'Buffer Parameter'],
  ['nn', [() => new nn.Identity(), 1], 'TransformerDecoder TransformerEncoder'],
  ['nn', [new nn.Linear(2, 2)], 'removeReparametrisation spectralNorm weightNorm'],
  ['nn', [new nn.Conv2d(1, 1, 1)], 'convTransposeFor'],
  [
    'init',
    [x],
    `dirac_ kaimingNormal_ kaimingUniform_ normal_ orthogonal_ truncNormal_ uniform_ xavierNormal_ xavierUniform_`,
  ],
  ['optim', [[]], 'Adadelta Adagrad Adam AdamW Adamax LAMB LBFGS Lion Muon NAdam RAdam RMSprop Rprop SGD'],
  [
    'optim',
    [sgd()],
    `ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LinearLR MultiStepLR OneCycleLR
    PolynomialLR ReduceLROnPlateau StepLR`,
  ],
  ['optim', [sgd(), []], 'SequentialLR'],
  ['optim', [new nn.Linear(2, 2)], 'EMA'],
  ['optim', [[], 1], 'clipGradNorm_'],
  ['data', [[]], 'DataLoader'],
  ['data', [4], 'DistributedSampler RandomSampler'],
  ['data', [[1], 1], 'WeightedRandomSampler'],
  ['data', [ones([1, 2, 2])], 'affine normalize randomAffine randomHorizontalFlip randomVerticalFlip'],
  ['data', [ones([1, 2, 2]), [1, 1]], 'randomCrop'],
  ['data', [new data.TensorDataset(x), [1, 1]], 'randomSplit'],
  ['data', [new Uint8Array(4)], 'decodePng gunzipIfNeeded parseCsv parseIdx parseNpz parseNumericCsv'],
  ['data', [{}], 'parseMnist serializeNpz'],
  ['dataNode', ['/nowhere'], 'openImageFolder readCifar readMnist'],
  ['dataNode', ['/nowhere', { classes: [], files: [] }], 'ImageFolder'],
  ['train', [], 'Accuracy EarlyStopping encodeCheckpoint encodeEvent evaluate train'],
  ['train', [''], 'parseJsonl'],
  ['train', [new Uint8Array(4)], 'decodeCheckpoint'],
  ['checkpoint', ['/nowhere'], 'CheckpointFolder saveCheckpoint'],
  ['log', ['/nowhere'], 'openJsonlLog openTensorBoard'],
  ['report', [], 'htmlReport lossCurveSvg'],
  ['report', [ones([1, 2, 2])], 'imageGrid'],
  ['progress', [], 'createProgress'],
];

interface Case {
  readonly name: string;
  readonly op: string;
  readonly call: (options: unknown) => unknown;
}

// Layers that are thin over a function of core leave the options to it, which names itself; and saving is encoding.
const thin: Readonly<Record<string, string>> = {
  BCELoss: 'binaryCrossEntropy',
  BCEWithLogitsLoss: 'bceWithLogits',
  CrossEntropyLoss: 'crossEntropy',
  NLLLoss: 'nllLoss',
  KLDivLoss: 'klDiv',
  saveCheckpoint: 'encodeCheckpoint',
};
const lowerCased = new Map(Object.keys(core).map((name) => [name.toLowerCase(), name]));

const cases: readonly Case[] = table.flatMap(([entry, before, names]) =>
  names.split(/\s+/).map((name): Case => {
    const value = entries[entry][name];
    return {
      name,
      op: name,
      call: isClass(value)
        ? (options) => new value(...before, options)
        : (options) => begin((value as Callable)(...before, options)),
    };
  }),
);

const attention = new nn.MultiheadAttention(2, 1);
const methods: readonly (readonly [owner: string, method: string, op: string, call: Case['call']])[] = [
  ['Module', 'stateDict', 'stateDict', (o) => new nn.Linear(1, 1).stateDict(o as never)],
  ['Module', 'loadStateDict', 'loadStateDict', (o) => new nn.Linear(1, 1).loadStateDict({}, o as never)],
  ...[1, 2, 3].map((dims): (typeof methods)[number] => {
    const layer = new [nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d][dims - 1](1, 1, 1);
    const image = ones([1, 1, ...new Array<number>(dims).fill(2)]);
    const name = `ConvTranspose${dims}d`;
    return [name, 'forward', `${name}.forward`, (o) => layer.forward(image, o as never)];
  }),
  [
    'MaxUnpool',
    'forward',
    'MaxUnpool2d.forward',
    (o) => new nn.MaxUnpool2d(1).forward(ones([1, 1, 1]), ones([1, 1, 1]), o as never),
  ],
  ['RNN', 'forward', 'RNN.forward', (o) => new nn.RNN(2, 2).forward(x, undefined, o as never)],
  ['GRU', 'forward', 'GRU.forward', (o) => new nn.GRU(2, 2).forward(x, undefined, o as never)],
  ['LSTM', 'forward', 'LSTM.forward', (o) => new nn.LSTM(2, 2).forward(x, undefined, o as never)],
  [
    'MultiheadAttention',
    'forward',
    'MultiheadAttention.forward',
    (o) => attention.forward(x, x, x, o as never),
  ],
  [
    'Transformer',
    'forward',
    'Transformer.forward',
    (o) => new nn.Transformer(2, 1, { dimFeedforward: 2 }).forward(x, x, o as never),
  ],
  [
    'TransformerEncoderLayer',
    'forward',
    'TransformerEncoderLayer.forward',
    (o) => new nn.TransformerEncoderLayer(2, 1).forward(x, o as never),
  ],
  [
    'TransformerEncoder',
    'forward',
    'TransformerEncoderLayer.forward',
    (o) => new nn.TransformerEncoder(() => new nn.TransformerEncoderLayer(2, 1), 1).forward(x, o as never),
  ],
  [
    'TransformerDecoderLayer',
    'forward',
    'TransformerDecoderLayer.forward',
    (o) => new nn.TransformerDecoderLayer(2, 1).forward(x, x, o as never),
  ],
  [
    'TransformerDecoder',
    'forward',
    'TransformerDecoderLayer.forward',
    (o) => new nn.TransformerDecoder(() => new nn.TransformerDecoderLayer(2, 1), 1).forward(x, x, o as never),
  ],
  ...Object.entries({
    Linear: new nn.Linear(1, 1),
    Bilinear: new nn.Bilinear(1, 1, 1),
    Embedding: new nn.Embedding(1, 1),
    Conv1d: new nn.Conv1d(1, 1, 1),
    Conv2d: new nn.Conv2d(1, 1, 1),
    Conv3d: new nn.Conv3d(1, 1, 1),
    ConvTranspose1d: new nn.ConvTranspose1d(1, 1, 1),
    ConvTranspose2d: new nn.ConvTranspose2d(1, 1, 1),
    ConvTranspose3d: new nn.ConvTranspose3d(1, 1, 1),
    RNN: new nn.RNN(1, 1),
    GRU: new nn.GRU(1, 1),
    LSTM: new nn.LSTM(1, 1),
    RNNCell: new nn.RNNCell(1, 1),
    GRUCell: new nn.GRUCell(1, 1),
    LSTMCell: new nn.LSTMCell(1, 1),
    MultiheadAttention: attention,
  }).map(([name, layer]): (typeof methods)[number] => [
    name,
    'resetParameters',
    `${name}.resetParameters`,
    (o) => layer.resetParameters(o as never),
  ]),
  [
    'CheckpointFolder',
    'save',
    'CheckpointFolder.save',
    (o) => new checkpoint.CheckpointFolder('/nowhere').save({ progress: { step: 0 } }, o as never),
  ],
  [
    'CheckpointFolder',
    'load',
    'restoreCheckpoint',
    (o) => new checkpoint.CheckpointFolder('/nowhere').load({}, o as never),
  ],
  [
    'CheckpointFolder',
    'loadBest',
    'restoreCheckpoint',
    (o) => new checkpoint.CheckpointFolder('/nowhere').loadBest({}, o as never),
  ],
  [
    'checkpoint',
    'loadCheckpoint',
    'restoreCheckpoint',
    (o) => checkpoint.loadCheckpoint('/nowhere', {}, o as never),
  ],
  [
    'checkpoint',
    'loadCheckpoint, of its parts,',
    'restoreCheckpoint',
    (o) => checkpoint.loadCheckpoint('/nowhere', o as never),
  ],
  ['train', 'restoreCheckpoint', 'restoreCheckpoint', (o) => train.restoreCheckpoint(empty, {}, o as never)],
  [
    'train',
    'restoreCheckpoint, of its parts,',
    'restoreCheckpoint',
    (o) => train.restoreCheckpoint(empty, o as never),
  ],
];
const empty: train.Checkpoint = { name: 'empty', progress: {}, extra: {}, states: {} };

// A generator does nothing before it is asked for something.
function begin(result: unknown): unknown {
  const next = typeof result === 'object' && result !== null && 'next' in result ? result.next : null;
  return typeof next === 'function' ? next.call(result) : result;
}

/** What the call throws, or its promise is rejected with. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

async function expectRefusals({ name, op, call }: Case): Promise<void> {
  const ops = [op, thin[name], lowerCased.get(name.toLowerCase())];
  for (const wrong of [7, true, null, [0, 1], ones([1])]) {
    const error = await failure(() => call(wrong));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toMatchObject({ operand: 'options', actual: wrong });
    expect(ops).toContain((error as AdjointError).op);
    expect((error as Error).message).toContain(': options is ');
  }
  const error = await failure(() => call({ noSuchOption: 1 }));
  expect(error).toBeInstanceOf(ArgumentError);
  expect(error).toMatchObject({ operand: 'noSuchOption' });
  expect(ops).toContain((error as AdjointError).op);
  expect((error as Error).message).toContain(": there is no option 'noSuchOption'; it takes ");
}

describe('what takes options', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s refuses others', (_, one) =>
    expectRefusals(one),
  );
  test.each(methods)('%s %s refuses others', (owner, method, op, call) =>
    expectRefusals({ name: `${owner}.${method}`, op, call }),
  );

  test('stands in these tables', () => {
    const listed = new Set([...cases.map(({ name }) => name), ...methods.map(([, name]) => name)]);
    // Errors take those of the language's own Error, or the flaws found; a ModuleDict takes modules by name; and an optimiser of the
    // user's own names its options itself.
    for (const name of [
      'DataFileError',
      'DataFormatError',
      'CheckpointError',
      'StateDictError',
      'ModuleDict',
      'Optimizer',
    ])
      listed.add(name);
    const everything = Object.entries(entries).flatMap(([, exported]) => Object.entries(exported));
    const withOptions = everything.filter(([, value]) => takesOptions(value)).map(([name]) => name);
    expect(withOptions.length).toBeGreaterThan(130);
    expect(withOptions.filter((name) => !listed.has(name))).toEqual([]);
  });

  test('as a method, too', () => {
    const listed = new Set(methods.map(([owner, method]) => `${owner}.${method}`));
    for (const own of [
      'Optimizer.addGroup',
      'ConvBase.resetParameters',
      'Recurrent.resetParameters',
      'RecurrentCell.resetParameters',
      'TransposedConv.forward',
    ])
      listed.add(own); // the first complains as the optimiser, and the others are reached through those that inherit them
    const classes = new Set<object>();
    for (const exported of Object.values(entries))
      for (const value of Object.values(exported))
        for (let at: unknown = value; isClass(at); at = Object.getPrototypeOf(at)) classes.add(at);
    const found = [...classes].flatMap((one) => methodsWithOptions(one as Constructor));
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter((name) => !listed.has(name))).toEqual([]);
  });
});

function takesOptions(value: unknown): boolean {
  if (!isClass(value))
    return typeof value === 'function' && isOptions(parametersIn(String(value), /^[^(]*\(/));
  for (let at: unknown = value; isClass(at); at = Object.getPrototypeOf(at)) {
    const source = String(at);
    if (/\bconstructor\s*\(/.test(source)) return isOptions(parametersIn(source, /\bconstructor\s*\(/));
  }
  return false;
}

function methodsWithOptions(one: Constructor): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(one.prototype)).flatMap(([name, { value }]) => {
    const isMethod = typeof value === 'function' && name !== 'constructor';
    return isMethod && / = \{\}$/.test(parametersIn(String(value), /^[^(]*\(/))
      ? [`${one.name}.${name}`]
      : [];
  });
}

// The parameters, from the first match of what opens them to the parenthesis that closes it.
function parametersIn(source: string, open: RegExp): string {
  const match = open.exec(source)!;
  const start = match.index + match[0].length;
  let depth = 1;
  let at = start;
  for (; depth > 0 && at < source.length; at++) depth += source[at] === '(' ? 1 : source[at] === ')' ? -1 : 0;
  return source.slice(start, at - 1).trim();
}

function isOptions(parameters: string): boolean {
  return /(\boptions|\bcontent|\bevent)\b|\{/.test(parameters);
}

test('layers that are thin over a function know its options, and no others', () => {
  const listOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as AdjointError & { readonly expected: string }).expected;
    }
    return 'nothing';
  };
  const other = { noSuchOption: 1 } as never;
  const image = ones([1, 1, 2, 2]);
  expect(listOf(() => new nn.Upsample(other))).toBe(listOf(() => core.interpolate(image, other)));
  expect(listOf(() => new nn.Unfold(1, other))).toBe(listOf(() => core.unfold(image, 1, other)));
  expect(listOf(() => new nn.Fold(1, 1, other))).toBe(listOf(() => core.fold(image, 1, 1, other)));
  expect(listOf(() => new nn.LocalResponseNorm(2, other))).toBe(
    listOf(() => core.localResponseNorm(image, 2, other)),
  );
  expect(listOf(() => new nn.Flatten(other))).toBe(listOf(() => core.flatten(image, other)));
});

describe('an option that takes one of several names', () => {
  type Named = [name: string, option: string, call: (options: never) => unknown];
  test.each<Named>([
    ['stateDict', 'layout', (options) => new nn.Linear(1, 1).stateDict(options)],
    ['clipGradNorm_', 'nonFinite', (options) => optim.clipGradNorm_([new nn.Parameter(x)], 1, options)],
    ['kaimingUniform_', 'mode', (options) => nn.init.kaimingUniform_(x, options)],
    ['RNN', 'nonlinearity', (options) => new nn.RNN(1, 1, options)],
    ['RNNCell', 'nonlinearity', (options) => new nn.RNNCell(1, 1, options)],
    ['Conv1d', 'convMode', (options) => new nn.Conv1d(1, 1, 1, options)],
    ['Conv1d', 'computeMode', (options) => new nn.Conv1d(1, 1, 1, options)],
    ['ReduceLROnPlateau', 'mode', (options) => new optim.ReduceLROnPlateau(sgd(), options)],
    ['ReduceLROnPlateau', 'thresholdMode', (options) => new optim.ReduceLROnPlateau(sgd(), options)],
    [
      'CyclicLR',
      'mode',
      (options) => new optim.CyclicLR(sgd(), { baseLr: 0.1, maxLr: 1, ...(options as object) } as never),
    ],
    [
      'OneCycleLR',
      'annealStrategy',
      (options) => new optim.OneCycleLR(sgd(), { totalSteps: 3, maxLr: 1, ...(options as object) } as never),
    ],
    ['EarlyStopping', 'mode', (options) => new train.EarlyStopping(options)],
  ])('refuses others: %s, %s', (op, option, call) => {
    // Every object has a constructor, and so does a table of names that is one.
    for (const wrong of ['nonsense', 'constructor', '']) {
      expect(() => call({ [option]: wrong } as never)).toThrow(ArgumentError);
      expect(() => call({ [option]: wrong } as never)).toThrow(`${op}: ${option} is `);
    }
  });
});

test('a loss that takes no weight says so', () => {
  expect(() => new nn.MSELoss({ weight: new Tensor(x.storage, [2], [1], 0, 'float32') } as never)).toThrow(
    /^mseLoss: there is no option 'weight'; it takes reduction/,
  );
});
