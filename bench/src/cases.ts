// What is measured. Every contestant builds each case from this description alone, from the same numbers (./data.ts).

/** A product of an m×k and a k×n matrix. */
export interface MatmulCase {
  readonly kind: 'matmul';
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** One of the three maps of a convolution of square images. */
export interface ConvCase {
  readonly kind: 'conv';
  readonly pass: 'forward' | 'inputGrad' | 'weightGrad';
  readonly batch: number;
  readonly inChannels: number;
  readonly size: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

/** A transposed convolution of square images: alone, or with the gradients of input and weight. */
export interface ConvTransposeCase extends Omit<ConvCase, 'kind' | 'pass'> {
  readonly kind: 'convTranspose';
  readonly pass: 'forward' | 'forwardBackward';
  readonly outputPadding: number;
  readonly dilation: number;
}

/** A function of each element, or of two elements, of `rows`×`columns` matrices. */
export interface ElementwiseCase {
  readonly kind: 'elementwise';
  readonly op: 'add' | 'mul' | 'addRow' | 'relu' | 'exp' | 'log' | 'tanh' | 'sigmoid' | 'gelu';
  readonly rows: number;
  readonly columns: number;
}

/** A reduction of a `rows`×`columns` matrix. */
export interface ReduceCase {
  readonly kind: 'reduce';
  readonly op: 'sumAll' | 'sumRows' | 'sumColumns' | 'maxColumns';
  readonly rows: number;
  readonly columns: number;
}

/** A normalisation along the rows of a matrix: alone, or with the gradient of its input. */
export interface RowsCase {
  readonly kind: 'rows';
  readonly op: 'softmax' | 'layerNorm';
  readonly pass: 'forward' | 'forwardBackward';
  readonly rows: number;
  readonly columns: number;
}

/** Something done to images: alone, or with the gradient of its input. Pooling is of 2×2 windows; norms use the batch. */
export interface ImagesCase {
  readonly kind: 'images';
  readonly op: 'batchNorm' | 'maxPool' | 'avgPool';
  readonly pass: 'forward' | 'forwardBackward';
  readonly batch: number;
  readonly channels: number;
  readonly size: number;
}

/** A chain of ops on 8 elements, with its backward pass; a run is `length` ops. */
export interface ChainCase {
  readonly kind: 'chain';
  readonly op: 'add' | 'mul';
  readonly length: number;
}

/** A training step: forward, backward, optimiser. */
export interface TrainCase {
  readonly kind: 'train';
  readonly model: 'tinyMlp' | 'mlp' | 'lenet' | 'decoder' | 'transformer';
}

export type CaseSpec =
  | MatmulCase
  | ConvCase
  | ConvTransposeCase
  | ElementwiseCase
  | ReduceCase
  | RowsCase
  | ImagesCase
  | ChainCase
  | TrainCase;

/** A case with its name, the group whose geometric mean it goes into, and how many units one run is. */
export interface BenchCase {
  readonly group: string;
  readonly name: string;
  readonly spec: CaseSpec;
  /** What one run counts for: time is reported per unit. Default 1. */
  readonly units?: number;
}

type ConvSize = readonly [label: string, values: Omit<ConvCase, 'kind' | 'pass'>];

function convSize(
  label: string,
  [batch, inChannels, size]: readonly [number, number, number],
  outChannels: number,
  kernel: number,
  { stride = 1, padding = kernel >> 1, groups = 1 } = {},
): ConvSize {
  return [label, { batch, inChannels, size, outChannels, kernel, stride, padding, groups }];
}

const convs: readonly ConvSize[] = [
  convSize('[8,64,56²→64 k3]', [8, 64, 56], 64, 3),
  convSize('[8,128,28²→128 k3 s2]', [8, 128, 28], 128, 3, { stride: 2 }),
  convSize('[8,3,64²→32 k5]', [8, 3, 64], 32, 5),
  convSize('[8,256,14²→256 k3]', [8, 256, 14], 256, 3),
  convSize('depthwise [8,128,28² k3]', [8, 128, 28], 128, 3, { groups: 128 }),
  convSize('pointwise [8,256,28²→256]', [8, 256, 28], 256, 1),
];

interface TransposeExtras {
  readonly outputPadding: number;
  readonly dilation: number;
}
const plain: TransposeExtras = { outputPadding: 0, dilation: 1 };
const transposes: readonly (readonly [ConvSize, TransposeExtras])[] = [
  [convSize('[8,128,16²→64 k4 s2 p1]', [8, 128, 16], 64, 4, { stride: 2, padding: 1 }), plain],
  [
    convSize('[8,256,8²→128 k3 s2 p1 op1]', [8, 256, 8], 128, 3, { stride: 2, padding: 1 }),
    { ...plain, outputPadding: 1 },
  ],
  [convSize('[8,64,32²→3 k4 s2 p1]', [8, 64, 32], 3, 4, { stride: 2, padding: 1 }), plain],
  [convSize('[8,64,16²→64 k3 d2 p2]', [8, 64, 16], 64, 3, { padding: 2 }), { ...plain, dilation: 2 }],
  [convSize('[8,128,16²→64 k4 s2 p1 g4]', [8, 128, 16], 64, 4, { stride: 2, padding: 1, groups: 4 }), plain],
  [convSize('[16,3,32²→64 k3 s2 p1]', [16, 3, 32], 64, 3, { stride: 2, padding: 1 }), plain],
];

function matmul(m: number, k: number, n: number): BenchCase {
  return { group: 'matmul', name: `matmul ${m}×${k}×${n}`, spec: { kind: 'matmul', m, k, n } };
}

/** The sizes of what is limited by memory: rows and columns of 1M and 16M elements, and images of as many. */
const sizes = [
  { label: '1M', rows: 1024, columns: 1024, batch: 16, channels: 64, size: 32 },
  { label: '16M', rows: 4096, columns: 4096, batch: 64, channels: 64, size: 64 },
] as const;

function memoryBound(): BenchCase[] {
  return sizes.flatMap(({ label, rows, columns, batch, channels, size }): BenchCase[] => [
    ...(['add', 'mul', 'addRow', 'relu', 'exp', 'log', 'tanh', 'sigmoid', 'gelu'] as const).map(
      (op): BenchCase => ({
        group: 'element-wise',
        name: `${op} ${label}`,
        spec: { kind: 'elementwise', op, rows, columns },
      }),
    ),
    ...(['sumAll', 'sumRows', 'sumColumns', 'maxColumns'] as const).map(
      (op): BenchCase => ({
        group: 'reductions',
        name: `${op} ${label}`,
        spec: { kind: 'reduce', op, rows, columns },
      }),
    ),
    ...(['softmax', 'layerNorm'] as const).flatMap((op) =>
      (['forward', 'forwardBackward'] as const).map(
        (pass): BenchCase => ({
          group: 'softmax and norms',
          name: `${op} ${label} ${pass}`,
          spec: { kind: 'rows', op, pass, rows, columns },
        }),
      ),
    ),
    ...(['batchNorm', 'maxPool', 'avgPool'] as const).flatMap((op) =>
      (['forward', 'forwardBackward'] as const).map(
        (pass): BenchCase => ({
          group: op === 'batchNorm' ? 'softmax and norms' : 'pooling',
          name: `${op} ${label} ${pass}`,
          spec: { kind: 'images', op, pass, batch, channels, size },
        }),
      ),
    ),
  ]);
}

/** Every case, in the order of the report. */
export const cases: readonly BenchCase[] = [
  matmul(256, 256, 256),
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(64, 1024, 1024),
  ...(['forward', 'inputGrad', 'weightGrad'] as const).flatMap((pass) =>
    convs.map(
      ([label, values]): BenchCase => ({
        group: `conv ${pass}`,
        name: `conv ${label} ${pass}`,
        spec: { kind: 'conv', pass, ...values },
      }),
    ),
  ),
  ...(['forward', 'forwardBackward'] as const).flatMap((pass) =>
    transposes.map(
      ([[label, values], extras]): BenchCase => ({
        group: `transposed conv ${pass}`,
        name: `transposed ${label} ${pass}`,
        spec: { kind: 'convTranspose', pass, ...values, ...extras },
      }),
    ),
  ),
  ...memoryBound(),
  ...(['add', 'mul'] as const).map(
    (op): BenchCase => ({
      group: 'op overhead',
      name: `${op} of 8 elements, with backward`,
      spec: { kind: 'chain', op, length: 100 },
      units: 100,
    }),
  ),
  { group: 'op overhead', name: 'tiny MLP step', spec: { kind: 'train', model: 'tinyMlp' } },
  { group: 'training', name: 'LeNet, batch 64', spec: { kind: 'train', model: 'lenet' } },
  { group: 'training', name: 'DCGAN decoder, batch 32', spec: { kind: 'train', model: 'decoder' } },
  { group: 'training', name: 'MLP 784-512-512-10, batch 128', spec: { kind: 'train', model: 'mlp' } },
  { group: 'training', name: 'transformer block, batch 16', spec: { kind: 'train', model: 'transformer' } },
];

/** Output size of a convolution along one axis. */
export function convOutput({ size, kernel, stride, padding }: Omit<ConvCase, 'kind' | 'pass'>): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** Output size of a transposed convolution along one axis. */
export function convTransposeOutput(c: ConvTransposeCase): number {
  return (c.size - 1) * c.stride - 2 * c.padding + c.dilation * (c.kernel - 1) + c.outputPadding + 1;
}
