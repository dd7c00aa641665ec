// Convolution layers: documented shapes and defaults, the exact transpose, initial values, refused options.

import {
  AdjointError,
  Generator,
  GeometryError,
  manualSeed,
  mul,
  noGrad,
  randint,
  randn,
  sum,
  type Tensor,
  zeros,
} from '@adjoint/core';
import {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  convTransposeFor,
  init,
} from '@adjoint/nn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

test('the documented example', () => {
  const layer = new ConvTranspose2d(3, 64, 3, { stride: 2, padding: 1 });
  expect(layer.forward(zeros([16, 3, 32, 32])).shape).toEqual([16, 64, 63, 63]);
  expect(layer.weight.shape).toEqual([3, 64, 3, 3]);
  expect(layer.bias!.shape).toEqual([1, 64, 1, 1]);
});

test("'same' keeps the size, and where it pads one side more there is no transpose", () => {
  const x = randn([2, 3, 7, 8]);
  for (const [kernelSize, dilation] of [
    [3, 1],
    [5, 2],
    [2, 2],
  ] as const) {
    const conv = new Conv2d(3, 4, kernelSize, { padding: 'same', dilation, bias: false });
    const y = conv.forward(x);
    expect(y.shape).toEqual([2, 4, 7, 8]);
    expect(convTransposeFor(conv).forward(y).shape).toEqual(x.shape);
  }
  const even = new Conv2d(3, 4, [4, 3], { padding: 'same' });
  expect(String(even)).toContain("padding='same'");
  expect(() => convTransposeFor(even)).toThrow(/more zeros after the input/);
  expect(() => new Conv2d(3, 4, 3, { padding: 'same', stride: 2 })).toThrow(/needs stride 1/);
  expect(() => new ConvTranspose2d(3, 4, 3, { padding: 'same' as never })).toThrow(GeometryError);
});

test('defaults are those documented', () => {
  const { stride, padding, outputPadding, dilation, groups, bias, convMode, computeMode } =
    new ConvTranspose2d(2, 3, 4);
  expect([stride, padding, outputPadding, dilation, groups, bias !== null, convMode, computeMode]).toEqual([
    [1, 1],
    [0, 0],
    [0, 0],
    [1, 1],
    1,
    true,
    'crossCorrelation',
    'default',
  ]);
});

test.each([
  [new Conv1d(4, 6, 3), [6, 4, 3], [1, 6, 1]],
  [new Conv1d(4, 6, 3, { groups: 2 }), [2, 3, 2, 3], [1, 6, 1]],
  [new Conv2d(4, 6, [3, 2]), [6, 4, 3, 2], [1, 6, 1, 1]],
  [new Conv2d(4, 6, [3, 2], { groups: 2 }), [2, 3, 2, 3, 2], [1, 6, 1, 1]],
  [new Conv3d(4, 6, 1), [6, 4, 1, 1, 1], [1, 6, 1, 1, 1]],
  [new ConvTranspose1d(4, 6, 3), [4, 6, 3], [1, 6, 1]],
  [new ConvTranspose2d(4, 6, [3, 2], { groups: 2 }), [2, 2, 3, 3, 2], [1, 6, 1, 1]],
  [new ConvTranspose3d(4, 6, 1, { groups: 2 }), [2, 2, 3, 1, 1, 1], [1, 6, 1, 1, 1]],
] as const)('shapes of parameters: %s', (layer, weight, bias) => {
  expect(layer.weight.shape).toEqual(weight);
  expect(layer.bias!.shape).toEqual(bias);
  const dims = layer.kernelSize.length;
  expect(layer.forward(zeros([2, 4, ...new Array<number>(dims).fill(5)])).shape.slice(0, 2)).toEqual([2, 6]);
});

test('a layer computes in the dtype asked for, and options of no bias leave none', () => {
  const layer = new Conv2d(1, 1, 1, { dtype: 'float64', bias: false });
  expect(layer.parameters().length).toBe(1);
  expect(layer.forward(zeros([1, 1, 2, 2], { dtype: 'float64' })).dtype).toBe('float64');
});

describe('the exact transpose', () => {
  const extent = fc.integer({ min: 1, max: 3 });
  const cases = fc.integer({ min: 1, max: 3 }).chain((dims) =>
    fc.record({
      groups: extent,
      inPer: extent,
      outPer: extent,
      batch: fc.integer({ min: 0, max: 2 }),
      seed: fc.nat(),
      axes: fc.array(
        fc.record({
          kernel: extent,
          stride: fc.integer({ min: 1, max: 4 }),
          padding: fc.integer({ min: 0, max: 2 }),
          dilation: extent,
          more: fc.integer({ min: 0, max: 5 }),
        }),
        { minLength: dims, maxLength: dims },
      ),
    }),
  );

  test('is the adjoint, on every geometry, in both directions of every axis', () => {
    fc.assert(
      fc.property(cases, ({ groups, inPer, outPer, batch, seed, axes }) => {
        const conv = new [Conv1d, Conv2d, Conv3d][axes.length - 1](
          groups * inPer,
          groups * outPer,
          axes.map(({ kernel }) => kernel),
          {
            stride: axes.map(({ stride }) => stride),
            padding: axes.map(({ padding }) => padding),
            dilation: axes.map(({ dilation }) => dilation),
            groups,
            bias: false,
            dtype: 'float64',
          },
        );
        const generator = new Generator(seed);
        const integers = (shape: readonly number[]): Tensor =>
          randint(-4, 5, shape, { dtype: 'float64', generator });
        noGrad(() => conv.weight.copy_(integers(conv.weight.shape)));
        const inputSize = axes.map(({ kernel, dilation, padding, more }) =>
          Math.max(1, dilation * (kernel - 1) + 1 - 2 * padding + more),
        );
        const x = integers([batch, groups * inPer, ...inputSize]);
        const y = conv.forward(x);
        const cotangent = integers(y.shape);
        const transpose = convTransposeFor(conv as Conv2d, { inputSize });
        expect(transpose.weight).toBe(conv.weight);
        const back = transpose.forward(cotangent);
        expect(back.shape).toEqual(x.shape);
        expect(sum(mul(back, x)).item()).toBe(sum(mul(cotangent, y)).item());
        const anySize = convTransposeFor(conv as Conv2d).forward(cotangent, { outputSize: inputSize });
        expect(anySize.toArray()).toEqual(back.toArray());
      }),
      { numRuns: 200 },
    );
  });

  test('has no bias unless asked, and refuses an input that the convolution refuses', () => {
    const conv = new Conv2d(2, 3, 3);
    expect(convTransposeFor(conv).bias).toBeNull();
    expect(convTransposeFor(conv, { bias: true }).bias!.shape).toEqual([1, 2, 1, 1]);
    expect(() => convTransposeFor(conv, { inputSize: 2 })).toThrow(GeometryError);
  });
});

describe('outputSize in forward', () => {
  test('stands in place of outputPadding for the call', () => {
    const layer = new ConvTranspose2d(1, 1, 3, { stride: 2, padding: 1, outputPadding: 1 });
    const x = randn([1, 1, 4, 4]);
    expect(layer.forward(x).shape).toEqual([1, 1, 8, 8]);
    expect(layer.forward(x, { outputSize: [7, 8] }).shape).toEqual([1, 1, 7, 8]);
    expect(() => layer.forward(x, { outputSize: 9 })).toThrow(/\[7, 8\]/);
  });
});

describe('initial values', () => {
  test.each([
    [new Conv2d(8, 6, 3, { groups: 2 }), { fanIn: 4 * 9, fanOut: 6 * 9 }],
    [new Conv2d(8, 6, 3), { fanIn: 8 * 9, fanOut: 6 * 9 }],
    [new ConvTranspose2d(8, 6, 3, { groups: 2 }), { fanIn: 3 * 9, fanOut: 8 * 9 }],
    [new ConvTranspose2d(8, 6, 3), { fanIn: 6 * 9, fanOut: 8 * 9 }],
  ] as const)('fans are counted as PyTorch does: %s', (layer, fans) => {
    // What torch.nn.init._calculate_fan_in_and_fan_out gives for the layer of the same options.
    expect(layer.fans).toEqual(fans);
    expect(init.fansOf(layer.torchShape('weight') ?? layer.weight.shape)).toEqual(fans);
  });

  test('fill ±1/sqrt(fanIn) uniformly, weight and bias', () => {
    const layer = new ConvTranspose2d(32, 16, 3, { generator: new Generator(1) });
    const bound = 1 / Math.sqrt(16 * 9);
    for (const [parameter, slack] of [
      [layer.weight, 0.01],
      [layer.bias!, 0.3],
    ] as const) {
      const values = [...parameter.toTypedArray()];
      expect(Math.max(...values)).toBeLessThanOrEqual(bound);
      expect(Math.max(...values)).toBeGreaterThan(bound * (1 - slack));
      expect(Math.min(...values)).toBeLessThan(-bound * (1 - slack));
    }
    const square = [...layer.weight.toTypedArray()].reduce((total, value) => total + value * value, 0);
    // A uniform variable on ±b has variance b²/3.
    expect(Math.abs(square / layer.weight.size / (bound ** 2 / 3) - 1)).toBeLessThan(0.05);
  });

  test('follow from the seed alone', () => {
    const draw = (): unknown => new Conv2d(2, 3, 3).stateDict().weight.toArray();
    manualSeed(5);
    const first = draw();
    const second = draw();
    manualSeed(5);
    expect(draw()).toEqual(first);
    expect(second).not.toEqual(first);
  });
});

describe('refused at construction', () => {
  const notPositive = fc.constantFrom(0, -1, 1.5, Number.NaN, Infinity, '2' as never, null as never);
  const notNatural = fc.constantFrom(-1, 0.5, Number.NaN, Infinity, '1' as never);
  const illegal = fc.oneof(
    notPositive.map((value) => ['inChannels', { inChannels: value }] as const),
    notPositive.map((value) => ['outChannels', { outChannels: value }] as const),
    notPositive.map((value) => ['kernelSize', { kernelSize: value }] as const),
    notPositive.map((value) => ['kernelSize', { kernelSize: [3, value] }] as const),
    fc.constant(['kernelSize', { kernelSize: [3, 3, 3, 3] }] as const),
    fc.constantFrom(0, -1, 1.5, Number.NaN).map((value) => ['stride', { stride: value }] as const),
    fc.constantFrom(0, -2, 2.5, Number.NaN).map((value) => ['dilation', { dilation: [1, value] }] as const),
    notNatural.map((value) => ['padding', { padding: value }] as const),
    fc.constantFrom(0, -1, 0.5, 3, 5).map((value) => ['Channels', { groups: value }] as const),
    fc
      .constantFrom('convolution', 'CROSS_CORRELATION')
      .map((value) => ['convMode', { convMode: value }] as const),
    fc.constantFrom('float16', 'FLOAT32').map((value) => ['computeMode', { computeMode: value }] as const),
  );
  type Options = {
    inChannels?: number;
    outChannels?: number;
    kernelSize?: number | readonly number[];
  } & Record<string, unknown>;

  test('every illegal option, by a typed error that names layer, option and number', () => {
    fc.assert(
      fc.property(illegal, fc.constantFrom(Conv2d, ConvTranspose2d), ([operand, options], Layer) => {
        const { inChannels = 4, outChannels = 8, kernelSize = 3, ...rest } = options as Options;
        let error: unknown;
        try {
          new Layer(inChannels, outChannels, kernelSize, rest);
        } catch (caught) {
          error = caught;
        }
        expect(error instanceof GeometryError || error instanceof AdjointError).toBe(true);
        const { message, op } = error as GeometryError;
        expect(op).toBe(Layer.name);
        expect(message).toMatch(operand === 'Channels' ? /groups/ : operand);
        const [value] = Object.values(options);
        const bad = Array.isArray(value) ? value.at(-1) : value;
        expect(message).toContain(String(bad));
      }),
      { numRuns: 300 },
    );
  });

  test('outputPadding that no stride or dilation allows, with the formula and the interval', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
        (stride, dilation, excess) => {
          const limit = Math.max(stride, dilation);
          const make = (outputPadding: number) =>
            new ConvTranspose2d(1, 1, 2, { stride, dilation, outputPadding: [0, outputPadding] });
          expect(make(limit - 1).outputPadding).toEqual([0, limit - 1]);
          expect(() => make(limit + excess)).toThrow(
            new RegExp(`ConvTranspose2d: outputPadding\\[1\\] is ${limit + excess}.*\\[0, ${limit - 1}\\]`),
          );
        },
      ),
    );
  });

  test('a shared weight of another shape', () => {
    const { weight } = new Conv2d(1, 2, 3);
    expect(() => new Conv2d(2, 2, 3, { weight })).toThrow(/\(2, 1, 3, 3\).*\(2, 2, 3, 3\)/);
  });
});
