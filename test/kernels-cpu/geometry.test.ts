// Geometries: what is legal has the size of the formula, what is not is an error with everything one needs to fix it.

import {
  type ConvGeometryOptions,
  type ConvTransposeGeometryOptions,
  convGeometry,
  convTransposeGeometry,
  GeometryError,
  type PoolGeometryOptions,
  perAxis,
  poolGeometry,
} from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { optionsArbitrary } from './arbitraries.ts';

/** The error that `make` must throw. */
function fault(make: () => unknown): GeometryError {
  try {
    make();
  } catch (error) {
    if (error instanceof GeometryError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('convGeometry', () => {
  test('the output counts the places where the kernel fits the padded input; none is an error', () => {
    fc.assert(
      fc.property(optionsArbitrary, ({ outputPadding: _, ...options }) => {
        const places = options.inputSize.map((input, axis) => {
          const reach = options.dilation[axis] * (options.kernelSize[axis] - 1);
          const last = input + options.padding[axis] - 1;
          let count = 0;
          for (let start = -options.padding[axis]; start + reach <= last; start += options.stride[axis])
            count++;
          return count;
        });
        if (places.every((count) => count > 0)) {
          expect(convGeometry(options)).toEqual({ ...options, outputSize: places });
          return;
        }
        const error = fault(() => convGeometry({ ...options, op: 'conv' }));
        const axis = places.indexOf(0);
        expect(error).toMatchObject({
          op: 'conv',
          parameter: 'inputSize',
          axis,
          actual: options.inputSize[axis],
        });
        // The way out that it names is one: with that padding the axis is legal.
        const padding = [...options.padding];
        padding[axis] = Number(/padding\[\d\] of at least (\d+)/.exec(error.message)?.[1]);
        const others = (values: readonly number[]) => [values[axis]];
        const single = { inputSize: others(options.inputSize), kernelSize: others(options.kernelSize) };
        const remedied = { ...single, stride: 1, dilation: options.dilation[axis], padding: padding[axis] };
        expect(() => convGeometry({ ...remedied, batch: 1, inChannels: 1, outChannels: 1 })).not.toThrow();
        padding[axis]--;
        expect(() =>
          convGeometry({ ...remedied, padding: padding[axis], batch: 1, inChannels: 1, outChannels: 1 }),
        ).toThrow(GeometryError);
      }),
      { numRuns: 300 },
    );
  });

  test('a number stands for every axis, and options have their defaults', () => {
    const g = convGeometry({ batch: 0, inChannels: 4, outChannels: 6, inputSize: [9, 8, 7], kernelSize: 3 });
    expect(g).toMatchObject({
      kernelSize: [3, 3, 3],
      stride: [1, 1, 1],
      padding: [0, 0, 0],
      dilation: [1, 1, 1],
    });
    expect(g).toMatchObject({ batch: 0, groups: 1, inChannels: 4, outChannels: 6, outputSize: [7, 6, 5] });
  });

  test('what it returns shares no array with the options', () => {
    const inputSize = [8, 8];
    const g = convGeometry({ batch: 1, inChannels: 1, outChannels: 1, inputSize, kernelSize: 3 });
    inputSize[0] = 99;
    expect(g.inputSize).toEqual([8, 8]);
  });
});

describe('convTransposeGeometry', () => {
  test('is the geometry of the convolution that maps its output back, whenever that derives the same size', () => {
    fc.assert(
      fc.property(optionsArbitrary, (options) => {
        const { inChannels, outChannels, inputSize, kernelSize, stride, padding, dilation, outputPadding } =
          options;
        const size = inputSize.map(
          (input, i) =>
            (input - 1) * stride[i] -
            2 * padding[i] +
            dilation[i] * (kernelSize[i] - 1) +
            outputPadding[i] +
            1,
        );
        fc.pre(size.every((extent) => extent >= 1));
        const g = convTransposeGeometry(options);
        expect(g.inputSize).toEqual(size);
        expect(g.outputSize).toEqual(inputSize);
        expect([g.inChannels, g.outChannels]).toEqual([outChannels, inChannels]);
        if (outputPadding.every((extra, i) => extra < stride[i])) {
          const { outputPadding: _, ...forward } = options;
          const swapped = { ...forward, inChannels: outChannels, outChannels: inChannels, inputSize: size };
          expect(convGeometry(swapped)).toEqual(g);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('outputSize in place of outputPadding gives the same geometry', () => {
    fc.assert(
      fc.property(optionsArbitrary, (options) => {
        const { outputPadding: _, ...rest } = options;
        const padding = options.inputSize.map(() => 0);
        const g = convTransposeGeometry({ ...options, padding });
        expect(convTransposeGeometry({ ...rest, padding, outputSize: g.inputSize })).toEqual(g);
      }),
    );
  });

  test('outputPadding may reach the stride while it stays below the dilation', () => {
    const options = {
      batch: 1,
      inChannels: 1,
      outChannels: 1,
      inputSize: [4],
      kernelSize: 3,
      stride: 2,
      dilation: 4,
    };
    expect(convTransposeGeometry({ ...options, outputPadding: 3 }).inputSize).toEqual([18]);
    const error = fault(() => convTransposeGeometry({ ...options, op: 'convTranspose1d', outputPadding: 4 }));
    expect(error).toMatchObject({ op: 'convTranspose1d', parameter: 'outputPadding', axis: 0, actual: 4 });
    expect(error.expected).toContain('[0, 3]');
    expect(error.expected).toContain('max(stride, dilation) = max(2, 4) = 4');
    expect(error.message).toContain('(4 − 1)·2 − 2·0 + 4·(3 − 1) + 4 + 1 = 19');
    expect(error.message).toContain('raise stride[0] or dilation[0] to at least 5');
  });

  test('the legal interval of outputSize is where its error says it is', () => {
    fc.assert(
      fc.property(
        optionsArbitrary,
        fc.integer({ min: 1, max: 60 }),
        ({ outputPadding: _, ...options }, wanted) => {
          const one = { ...options, inputSize: [options.inputSize[0]], outputSize: wanted };
          const single = {
            ...one,
            kernelSize: options.kernelSize[0],
            stride: options.stride[0],
            padding: options.padding[0],
            dilation: options.dilation[0],
          };
          let error: GeometryError;
          try {
            expect(convTransposeGeometry(single).inputSize).toEqual([wanted]);
            return;
          } catch (thrown) {
            error = thrown as GeometryError;
          }
          expect(error).toBeInstanceOf(GeometryError);
          const interval = /\[(\d+), (\d+)\]$/.exec(error.expected);
          if (!interval) {
            expect(error.parameter).toBe('padding');
            return;
          }
          const [low, high] = interval.slice(1).map(Number);
          expect(wanted < low || wanted > high).toBe(true);
          for (const legal of [low, high]) {
            expect(convTransposeGeometry({ ...single, outputSize: legal }).inputSize).toEqual([legal]);
          }
          expect(() => convTransposeGeometry({ ...single, outputSize: high + 1 })).toThrow(GeometryError);
          if (low > 1)
            expect(() => convTransposeGeometry({ ...single, outputSize: low - 1 })).toThrow(GeometryError);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('an empty output is an error whose remedy works', () => {
    const options = {
      batch: 1,
      inChannels: 1,
      outChannels: 1,
      inputSize: [5, 1],
      kernelSize: 2,
      padding: [0, 3],
    };
    const error = fault(() => convTransposeGeometry({ ...options, op: 'convTranspose2d' }));
    expect(error).toMatchObject({ op: 'convTranspose2d', parameter: 'padding', axis: 1, actual: 3 });
    expect(error.message).toContain('(1 − 1)·1 − 2·3 + 1·(2 − 1) + 0 + 1 = -4');
    const most = Number(/at most (\d+)/.exec(error.expected)?.[1]);
    expect(convTransposeGeometry({ ...options, padding: [0, most] }).inputSize[1]).toBeGreaterThan(0);
    expect(() => convTransposeGeometry({ ...options, padding: [0, most + 1] })).toThrow(GeometryError);
  });

  test('outputPadding and outputSize exclude each other', () => {
    const options = { batch: 1, inChannels: 1, outChannels: 1, inputSize: [4], kernelSize: 3 };
    const error = fault(() => convTransposeGeometry({ ...options, outputPadding: 0, outputSize: 6 }));
    expect(error).toMatchObject({ op: 'convTranspose', parameter: 'outputSize', actual: 6 });
    expect(error.message).toMatch(/in place of outputPadding, not beside it.*Leave out/);
  });

  test('the example of the documentation', () => {
    const options = { batch: 16, inChannels: 3, outChannels: 64, inputSize: [32, 32], kernelSize: 3 };
    expect(convTransposeGeometry({ ...options, stride: 2, padding: 1 }).inputSize).toEqual([63, 63]);
  });
});

describe('illegal options', () => {
  const conv: ConvGeometryOptions = {
    batch: 2,
    inChannels: 4,
    outChannels: 6,
    inputSize: [9, 9],
    kernelSize: [3, 3],
  };
  const pool: PoolGeometryOptions = { batch: 2, channels: 4, inputSize: [9, 9], kernelSize: [3, 3] };
  // biome-ignore lint/suspicious/noSparseArray: a sparse array is one of the mistakes
  const sparse = [2, ,] as unknown;
  const notIntegers: unknown[] = [
    -1,
    1.5,
    Number.NaN,
    Infinity,
    -Infinity,
    '2',
    null,
    true,
    2n,
    2 ** 31,
    [1],
    [1, 2, 3],
    [1, 0.5],
    [2, '2'],
    sparse,
  ];
  const cannotBeZero = [0, [0, 1], [1, 0]];

  type Make = (options: Record<string, unknown>) => unknown;
  const constructors: [string, Make, string[], string[]][] = [
    [
      'conv2d',
      (o) => convGeometry({ ...conv, ...o, op: 'conv2d' } as ConvGeometryOptions),
      ['kernelSize', 'stride', 'dilation', 'inputSize'],
      ['padding'],
    ],
    [
      'convTranspose2d',
      (o) => convTransposeGeometry({ ...conv, ...o, op: 'convTranspose2d' } as ConvTransposeGeometryOptions),
      ['kernelSize', 'stride', 'dilation', 'inputSize', 'outputSize'],
      ['padding', 'outputPadding'],
    ],
    [
      'maxPool2d',
      (o) => poolGeometry({ ...pool, ...o, op: 'maxPool2d' } as PoolGeometryOptions),
      ['kernelSize', 'stride', 'dilation'],
      ['padding'],
    ],
  ];

  test.each(constructors)('%s names op, option and numbers', (op, make, positive, nonNegative) => {
    for (const option of [...positive, ...nonNegative]) {
      // null means "not given" to no option.
      for (const value of [...notIntegers, ...(positive.includes(option) ? cannotBeZero : [])]) {
        if (value === null && option !== 'kernelSize') continue;
        // As spatial extents these say how many axes there are.
        if (option === 'inputSize' && Array.isArray(value) && value.length !== 2) continue;
        const error = fault(() => make({ [option]: value }));
        expect(error, `${option} = ${String(value)}`).toMatchObject({
          op,
          parameter: option,
          name: 'GeometryError',
        });
        expect(error).toBeInstanceOf(RangeError);
        const wrong = Array.isArray(value) && error.axis !== undefined ? value[error.axis] : value;
        expect(error.actual).toEqual(wrong);
        const shown = Array.isArray(wrong)
          ? `[${wrong.join(', ')}]`
          : typeof wrong === 'string'
            ? `'${wrong}'`
            : String(wrong);
        const where = error.axis === undefined ? option : `${option}[${error.axis}]`;
        expect(error.message).toContain(`${op}: ${where} is ${shown}, expected`);
        expect(error.message.endsWith('.')).toBe(true);
      }
    }
  });

  test.each(constructors.slice(0, 2))('%s: batch, channels and groups', (op, make) => {
    for (const [option, value] of [
      ['batch', -1],
      ['batch', 0.5],
      ['batch', undefined],
      ['inChannels', 0],
      ['outChannels', Number.NaN],
      ['groups', 0],
      ['groups', 1.5],
      ['groups', [2]],
    ] as const) {
      expect(fault(() => make({ [option]: value }))).toMatchObject({ op, parameter: option, actual: value });
    }
    const error = fault(() => make({ groups: 3 }));
    expect(error).toMatchObject({ op, parameter: 'inChannels', actual: 4 });
    expect(error.message).toContain('a multiple of groups = 3');
    expect(fault(() => make({ groups: 4 }))).toMatchObject({ parameter: 'outChannels', actual: 6 });
  });

  test('the number of spatial axes', () => {
    for (const inputSize of [[], [1, 2, 3, 4], 7, undefined, null]) {
      const given = inputSize as unknown as number[];
      expect(fault(() => convGeometry({ ...conv, inputSize: given }))).toMatchObject({
        parameter: 'inputSize',
      });
      expect(fault(() => convTransposeGeometry({ ...conv, inputSize: given }))).toMatchObject({
        parameter: 'inputSize',
      });
      expect(fault(() => poolGeometry({ ...pool, inputSize: given }))).toMatchObject({
        parameter: 'inputSize',
      });
    }
  });

  test('arrays that an int32 index cannot reach', () => {
    const large = { batch: 2, inChannels: 1, outChannels: 1, inputSize: [40_000, 40_000], kernelSize: 1 };
    const error = fault(() => convGeometry({ ...large, op: 'conv2d' }));
    expect(error).toMatchObject({ op: 'conv2d', parameter: 'input', actual: [2, 1, 40_000, 40_000] });
    expect(error.message).toContain('3200000000');
    expect(fault(() => convGeometry({ ...large, batch: 1, outChannels: 2 }))).toMatchObject({
      parameter: 'output',
    });
    const wide = { batch: 1, inChannels: 70_000, outChannels: 70_000, inputSize: [1], kernelSize: 1 };
    expect(fault(() => convGeometry(wide))).toMatchObject({ parameter: 'weight' });
    // For the transpose the large x is the output.
    const upsampling = {
      batch: 1,
      inChannels: 1,
      outChannels: 1,
      inputSize: [10, 10],
      kernelSize: 1,
      stride: 9000,
    };
    expect(fault(() => convTransposeGeometry(upsampling))).toMatchObject({ parameter: 'output' });
    expect(fault(() => poolGeometry({ ...pool, batch: 2 ** 26 }))).toMatchObject({ parameter: 'input' });
  });
});

test('perAxis is one number per axis', () => {
  const rule = { op: 'conv3d', option: 'stride', minimum: 1 };
  expect(perAxis(2, 3, rule)).toEqual([2, 2, 2]);
  expect(perAxis([1, 2, 3], 3, rule)).toEqual([1, 2, 3]);
});

test('an option that is not known is named, with those that are', () => {
  const sizes = { batch: 1, inChannels: 1, outChannels: 1, inputSize: [4], kernelSize: 3 };
  const misspelt = { ...sizes, strides: 2 };
  for (const make of [convGeometry, convTransposeGeometry]) {
    const error = fault(() => make(misspelt));
    expect(error).toMatchObject({ parameter: 'strides', actual: 2 });
    expect(error.message).toContain('kernelSize, stride, padding');
  }
  expect(fault(() => convGeometry({ ...sizes, outputPadding: 1 } as never))).toMatchObject({
    parameter: 'outputPadding',
  });
  expect(
    fault(() =>
      poolGeometry({ batch: 1, channels: 1, inputSize: [4], kernelSize: 2, ceil_mode: true } as never),
    ),
  ).toMatchObject({
    parameter: 'ceil_mode',
  });
});
