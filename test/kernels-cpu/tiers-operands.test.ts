// A wrong length, offset, stride, shape or geometry ends in a typed error, on every tier and for every kernel: nothing is
// written, nothing is read past an array. Cases are valid calls; each is spoiled in one place at a time.

import {
  kernels as active,
  convGeometry,
  GeometryError,
  KernelMemoryError,
  type Kernels,
  OperandError,
  openTier,
  poolGeometry,
  type Strided,
  type UnaryName,
} from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accelerate } from '../../packages/kernels-cpu/src/tiers/accelerate.ts';
import { type Machine, NUMBERS, OUT_OF_MEMORY } from '../../packages/kernels-cpu/src/tiers/machine.ts';
import { fastTiers } from './tiers-available.ts';

type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

/** What is drawn for a case. Sizes are above those from which the fast tiers take a call. */
interface Draw {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly reversed: number;
  readonly Type: typeof Float32Array | typeof Float64Array;
}

const drawArbitrary: fc.Arbitrary<Draw> = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 12, max: 20 }),
    fc.integer({ min: 90, max: 120 }),
  ),
  axis: fc.nat(2),
  reversed: fc.nat(7),
  Type: fc.constantFrom(Float32Array, Float64Array),
});

const count = (shape: readonly number[]) => shape.reduce((p, q) => p * q, 1);

/** A view without an element to spare on either side; some of its axes run backwards. */
function tight(draw: Draw, shape: readonly number[] = draw.shape, make?: (n: number) => TypedArray): Strided {
  const strides = shape.map((_, axis) => count(shape.slice(axis + 1)));
  let offset = 0;
  shape.forEach((extent, axis) => {
    if (!((draw.reversed >> axis) & 1)) return;
    offset += (extent - 1) * strides[axis];
    strides[axis] = -strides[axis];
  });
  const data = make?.(count(shape)) ?? new draw.Type(count(shape)).fill(1.5);
  return { data, shape, strides, offset };
}

/** Two heads of three features, five keys, and four outputs. */
const attentionOperands = (d: Draw) => ({
  query: tight(d, [d.shape[0], d.shape[1], 2, 3]),
  key: tight(d, [d.shape[0], 5, 2, 3]),
  value: tight(d, [d.shape[0], 5, 2, 4]),
  mask: tight(d, [1, 1, d.shape[1], 5]),
});
const rule = { scale: 0.5, causal: false };

const bytes = (n: number) => new Uint8Array(n);
const ints = (n: number) => new Int32Array(n);

/** Arguments of a valid call. */
type Case = (draw: Draw) => readonly unknown[];

const unary: Case = (d) => [tight(d), new d.Type(count(d.shape))];
const binary: Case = (d) => [tight(d), tight(d, d.shape.slice(1)), new d.Type(count(d.shape)), d.shape];
const derivative: Case = (d) => [tight(d), tight(d), new d.Type(count(d.shape)), d.shape];
const compare: Case = (d) => [tight(d), tight(d, d.shape.slice(1)), new Uint8Array(count(d.shape)), d.shape];
const reduce: Case = (d) => [tight(d), [d.axis], new d.Type(count(d.shape) / d.shape[d.axis])];
const scan: Case = (d) => [tight(d), d.axis, new d.Type(count(d.shape))];
const argument: Case = (d) => [tight(d), d.axis, ints(count(d.shape) / d.shape[d.axis])];
const moved: Case = (d) => [tight(d), { ...tight(d), data: new d.Type(count(d.shape)) }];
const scattered: Case = (d) => [
  tight(d),
  d.axis,
  tight(d, d.shape, ints),
  new d.Type(count(d.shape)),
  d.shape,
];
const decode: Case = () => [new Uint16Array(1500), new Float32Array(1500)];
const encode: Case = () => [new Float32Array(1500), new Uint16Array(1500)];

const floats = (draw: Draw, arrays: number) =>
  Array.from({ length: arrays }, () => new draw.Type(700).fill(0.5));
/** The numbers of an optimiser's step: inherited, so that they are not spoiled, for none of them is illegal. */
const anyNumbers = Object.create({
  lr: 0.1,
  momentum: 0.9,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  betas: [0.9, 0.99],
  eps: 1e-8,
  coupled: 0,
  kept: 1,
  step: 1,
  alpha: 0.9,
}) as object;

const conv = convGeometry({
  batch: 2,
  inChannels: 4,
  outChannels: 6,
  inputSize: [9, 8],
  kernelSize: 3,
  groups: 2,
  stride: 2,
  padding: 1,
});
const [x, w, y] = [2 * 4 * 72, 6 * 2 * 9, 2 * 6 * count(conv.outputSize)];
const pool = poolGeometry({
  batch: 2,
  channels: 5,
  inputSize: [20, 20],
  kernelSize: 3,
  stride: 2,
  padding: 1,
});
const [poolX, poolY] = [2 * 5 * 400, 2 * 5 * count(pool.outputSize)];

const sliding = {
  inputSize: [20, 20],
  kernelSize: [3, 4],
  outputSize: [9, 9],
  stride: [2, 2],
  dilation: [1, 1],
};

const lineGradient: Case = (d) => {
  const [g, y, out] = [1, 2, 3].map(() => new d.Type(count(d.shape)));
  return [g, y, d.shape, d.axis, out];
};
const norm = { batch: 4, groups: 3, channels: 4, places: 8, over: 'sample', centred: true, eps: 1 };
const all = (d: Draw) => new d.Type(4 * 3 * 4 * 8);
const affine = (d: Draw) => ({ weight: new d.Type(12), bias: new d.Type(12) });
const found = (d: Draw) => ({ mean: new d.Type(12), rstd: new d.Type(12) });
const moments = (d: Draw) => ({ ...found(d), variance: new d.Type(12) });

const classes = { batch: 4, classes: 9, places: 11, smoothing: 0.5 };
const perPlace = (d: Draw) => new d.Type(44);
const logits = (d: Draw) => new d.Type(4 * 9 * 11);

const source = { key: [1, 2], stream: [3, 4], position: 5 };

const cases: Readonly<Record<Exclude<keyof Kernels, UnaryName>, Case>> = {
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  pow: binary,
  remainder: binary,
  floorDivide: binary,
  maximum: binary,
  minimum: binary,
  atan2: binary,
  hypot: binary,
  leakyReluGrad: derivative,
  eluGrad: derivative,
  celuGrad: derivative,
  clampGrad: derivative,
  hardtanhGrad: derivative,
  hardsigmoidGrad: derivative,
  hardswishGrad: derivative,
  sigmoidGrad: derivative,
  tanhGrad: derivative,
  logSigmoidGrad: derivative,
  softplusGrad: derivative,
  siluGrad: derivative,
  mishGrad: derivative,
  geluGrad: derivative,
  geluTanhGrad: derivative,
  reluGrad: binary,
  logisticLoss: binary,
  binaryCrossEntropy: binary,
  equal: compare,
  notEqual: compare,
  less: compare,
  lessEqual: compare,
  greater: compare,
  greaterEqual: compare,
  logicalAnd: compare,
  logicalOr: compare,
  logicalXor: compare,
  where: (d) => [
    tight(d, d.shape, bytes),
    tight(d),
    tight(d, d.shape.slice(1)),
    new d.Type(count(d.shape)),
    d.shape,
  ],
  lerp: (d) => [tight(d), tight(d), tight(d, d.shape.slice(1)), new d.Type(count(d.shape)), d.shape],
  sum: reduce,
  sumOfSquares: reduce,
  prod: reduce,
  max: reduce,
  min: reduce,
  any: reduce,
  all: reduce,
  logsumexp: reduce,
  variance: (d) => [tight(d), [d.axis], 1, new d.Type(count(d.shape) / d.shape[d.axis])],
  argmax: argument,
  argmin: argument,
  cumsum: scan,
  cumprod: scan,
  softmax: scan,
  logSoftmax: scan,
  softmaxGrad: lineGradient,
  logSoftmaxGrad: lineGradient,
  normalise: (d) => [norm, all(d), affine(d), all(d), moments(d)],
  normaliseBy: (d) => [norm, all(d), affine(d), found(d), all(d)],
  normaliseGrad: (d) => [
    norm,
    all(d),
    all(d),
    new d.Type(12),
    found(d),
    { x: all(d), weight: new d.Type(12) },
  ],
  normaliseWeightGrad: (d) => [norm, all(d), all(d), found(d), new d.Type(12)],
  crossEntropy: (d) => [classes, logits(d), ints(44), perPlace(d), new Float64Array(44)],
  crossEntropyGrad: (d) => [classes, perPlace(d), logits(d), ints(44), new Float64Array(44), logits(d)],
  argsort: (d) => [tight(d), d.axis, 'ascending', ints(count(d.shape))],
  argtopk: (d) => [tight(d), d.axis, 1, 'ascending', ints(count(d.shape) / d.shape[d.axis])],
  recurrence: (d) => [tight(d), tight(d), d.axis, new d.Type(count(d.shape))],
  matmul: (d) => {
    const [batch, rows, depth] = d.shape;
    return [tight(d), tight(d, [depth, 7]), new d.Type(batch * rows * 7), [batch, rows, 7], tight(d, [7])];
  },
  attention: (d) => [rule, attentionOperands(d), new d.Type(d.shape[0] * d.shape[1] * 2 * 4)],
  attentionGrad: (d) => {
    const [samples, queries] = d.shape;
    const length = samples * 2 * (queries * 3 + 5 * (3 + 4));
    return [rule, attentionOperands(d), tight(d, [samples, queries, 2, 4]), new d.Type(length)];
  },
  convForward: (d) => [conv, new d.Type(x), new d.Type(w), new d.Type(y)],
  convInputGrad: (d) => [conv, new d.Type(w), new d.Type(y), new d.Type(x)],
  convWeightGrad: (d) => [conv, new d.Type(x), new d.Type(y), new d.Type(w)],
  maxPool: (d) => [pool, new d.Type(poolX), new d.Type(poolY), ints(poolY)],
  maxPoolInputGrad: (d) => [pool, new d.Type(poolY), ints(poolY), new d.Type(poolX)],
  avgPool: (d) => [pool, new d.Type(poolX), new d.Type(poolY)],
  avgPoolInputGrad: (d) => [pool, new d.Type(poolY), new d.Type(poolX)],
  sparseAlong: (d) => {
    const sparse = {
      starts: Int32Array.of(0, 1, 2),
      columns: Int32Array.of(0, 0),
      values: Float64Array.of(1, 2),
    };
    const sizes = d.shape.map((extent, axis) => (axis === d.axis ? 2 : extent));
    return [sparse, tight(d), d.axis, new d.Type(count(sizes))];
  },
  adaptiveMaxPool: (d) => [
    d.shape[0],
    [20, 30],
    [7, 11],
    new d.Type(d.shape[0] * 600),
    ints(d.shape[0] * 77),
  ],
  overlap: (d) => [
    { ...sliding, planes: d.shape[0] },
    new d.Type(d.shape[0] * 12 * 81),
    new d.Type(d.shape[0] * 400),
  ],
  copy: unary,
  assign: moved,
  addTo: moved,
  gather: (d) => [tight(d), d.axis, tight(d, d.shape, ints), new d.Type(count(d.shape))],
  scatter: scattered,
  scatterAdd: scattered,
  indexSelect: (d) => [tight(d), d.axis, ints(d.shape[d.axis]), new d.Type(count(d.shape))],
  indexAdd: (d) => [tight(d), d.axis, ints(d.shape[d.axis]), new d.Type(count(d.shape)), d.shape],
  randomWords: () => [source, ints(700)],
  randomUniform: (d) => [source, 20, new d.Type(700)],
  randomNormal: (d) => [source, new d.Type(700)],
  randomBelow: () => [source, 10, 5, ints(700)],
  sgdStep: (d) => [...floats(d, 3), 'later', anyNumbers],
  adamStep: (d) => [...floats(d, 5), anyNumbers],
  rmspropStep: (d) => [...floats(d, 5), anyNumbers],
  decodeFloat16: decode,
  encodeFloat16: encode,
  decodeBfloat16: decode,
  encodeBfloat16: encode,
};

/** All ways to spoil one value: what is wrong, and the wrong value. */
function* spoiled(value: unknown): Generator<readonly [string, unknown]> {
  if (ArrayBuffer.isView(value)) {
    const array = value as TypedArray;
    yield ['one element short', array.subarray(0, array.length - 1)];
    yield ['empty', array.subarray(0, 0)];
  } else if (Array.isArray(value)) {
    for (const last of [value[value.length - 1] + 1, -1, 0.5, Number.NaN])
      yield [`with ${last} at the end`, [...value.slice(0, -1), last]];
  } else if (typeof value === 'number') {
    // An axis, or the number of planes.
    for (const wrong of [7, -1, 0.5, Number.NaN]) yield [String(wrong), wrong];
  } else if (typeof value === 'object' && value !== null) {
    yield* spoiledFields(value as Readonly<Record<string, unknown>>);
  }
}

/** Of a view, a geometry or a sparse matrix. */
function* spoiledFields(whole: Readonly<Record<string, unknown>>): Generator<readonly [string, unknown]> {
  for (const [field, value] of Object.entries(whole)) {
    // Any number will do.
    if (field === 'eps' || field === 'scale') continue;
    const wrong =
      field === 'offset'
        ? [(value as number) + 1, (value as number) - 1, 0.5, Number.NaN].map((o) => [String(o), o] as const)
        : field === 'strides'
          ? spoiledStrides(value as readonly number[])
          : // A pooling with a larger window may be as legal.
            [...spoiled(value)].slice('kernelSize' in whole && Array.isArray(value) ? 1 : 0);
    // Half a smoothing is one.
    for (const [what, bad] of wrong.filter(([, value]) => field !== 'smoothing' || value !== 0.5))
      yield [`${field} ${what}`, { ...whole, [field]: bad }];
  }
}

function spoiledStrides(strides: readonly number[]): (readonly [string, unknown])[] {
  const [most, last] = [strides.slice(0, -1), strides[strides.length - 1]];
  return [[...most, last * 2], [...most, Number.NaN], [...most, last / 2], most].map((wrong) => [
    wrong.join(),
    wrong,
  ]);
}

/** Every array that a call could write. */
function arraysOf(operands: readonly unknown[]): TypedArray[] {
  return operands.flatMap((operand) => {
    const fields = ArrayBuffer.isView(operand) ? [operand] : Object.values(operand ?? {});
    return fields.filter((field) => ArrayBuffer.isView(field)) as TypedArray[];
  });
}

const tiers = [
  ...fastTiers,
  ['reference', openTier('reference')] as const,
  ['the active tier', { kernels: active }] as const,
];

describe.each(tiers)('%s', (_name, { kernels }) => {
  // Of random numbers any number of elements will do, and most numbers; random.test.ts has what is refused.
  const names = (Object.keys(active) as (keyof Kernels)[]).filter((name) => !name.startsWith('random'));

  test.each([
    { inputSize: [2, 2, 10, 15], outputSize: [1, 1, 7, 11], length: 77 },
    { inputSize: [20, 30], outputSize: [7, 11, 1], length: 77 },
    { inputSize: [], outputSize: [], length: 1 },
    { inputSize: [0, 30], outputSize: [7, 11], length: 77 },
  ])('adaptiveMaxPool from $inputSize to $outputSize is refused', ({ inputSize, outputSize, length }) => {
    const x = new Float32Array(inputSize.reduce((p, q) => p * q, 1));
    expect(() => kernels.adaptiveMaxPool(1, inputSize, outputSize, x, new Int32Array(length))).toThrow(
      OperandError,
    );
  });

  test.each(names)('%s refuses what does not fit', (name) => {
    const make = (cases as Readonly<Record<string, Case>>)[name] ?? unary;
    const call = (operands: readonly unknown[]) =>
      (kernels[name] as (...operands: readonly unknown[]) => void)(...operands);
    fc.assert(
      fc.property(drawArbitrary, (draw) => {
        call(make(draw));
        const operands = make(draw);
        const before = arraysOf(operands).map((array) => array.slice());
        operands.forEach((operand, i) => {
          if (name === 'variance' && i === 2) return;
          for (const [what, bad] of spoiled(operand)) {
            const given = operands.map((other, j) => (j === i ? bad : other));
            let error: unknown;
            try {
              call(given);
            } catch (thrown) {
              error = thrown;
            }
            if (!(error instanceof OperandError || error instanceof GeometryError))
              expect.fail(
                `operand ${i}, ${what}: ${error === undefined ? 'nothing was thrown' : String(error)}`,
              );
          }
        });
        arraysOf(operands).forEach((array, i) => {
          expect(Buffer.compare(Buffer.from(array.buffer), Buffer.from(before[i].buffer))).toBe(0);
        });
      }),
      { numRuns: 5 },
    );
  });
});

test('a kernel that gets no memory for its workspace says so by name; nothing else is thrown', () => {
  // What any machine answers when its memory is used up: see Status in simd/runtime.h.
  const given = { numbers: new Float64Array(NUMBERS), worth: { cheap: 0, dear: 0, step: 0 } };
  const machine = new Proxy(given as unknown as Machine, {
    get: (target, name) => (name in target ? Reflect.get(target, name) : () => OUT_OF_MEMORY),
  });
  const kernels = accelerate(machine);
  const draw: Draw = { shape: [5, 16, 100], axis: 2, reversed: 0, Type: Float32Array };
  const refused = (Object.keys(active) as (keyof Kernels)[]).filter((name) => {
    const make = (cases as Readonly<Record<string, Case>>)[name] ?? unary;
    try {
      (kernels[name] as (...operands: readonly unknown[]) => void)(...make(draw));
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(KernelMemoryError);
      // A conversion is a copy.
      expect([name, 'copy']).toContain((error as KernelMemoryError).op);
      return true;
    }
  });
  expect(refused).toEqual(
    expect.arrayContaining([
      'add',
      'exp',
      'sum',
      'softmax',
      'matmul',
      'attention',
      'attentionGrad',
      'convForward',
      'convInputGrad',
      'convWeightGrad',
    ]),
  );
});

describe('what is no view or no geometry, as plain JavaScript lets it pass', () => {
  const array = new Float32Array(4) as unknown as Strided;
  const out = new Float32Array(4);
  test.each<[string, () => void]>([
    ['matmul', () => active.matmul(array, array, out, [2, 2])],
    ['exp', () => active.exp(array, out)],
    ['add', () => active.add(array, array, out, [4])],
    ['sum', () => active.sum({ data: out, shape: [4] } as unknown as Strided, [0], new Float32Array(1))],
    ['copy', () => active.copy(undefined as unknown as Strided, out)],
  ])('%s', (op, call) => {
    expect(call).toThrow(OperandError);
    expect(call).toThrow(expect.objectContaining({ op, operand: 'a', property: 'kind' }));
    expect(call).toThrow(/expected a view \{ data, shape, strides, offset \}/);
  });

  test('a geometry', () => {
    expect(() => active.convForward({} as never, out, out, out)).toThrow(GeometryError);
    expect(() => active.convForward(undefined as never, out, out, out)).toThrow(GeometryError);
    const { stride: _, ...partial } = convGeometry({
      batch: 1,
      inChannels: 1,
      outChannels: 1,
      inputSize: [4],
      kernelSize: 1,
    });
    expect(() => active.convForward(partial as never, out, new Float32Array(1), out)).toThrow(
      expect.objectContaining({ op: 'convForward', parameter: 'stride' }),
    );
  });
});
