// The three convolution kernels are the three partial derivatives of one trilinear form.

import { type ConvGeometry, convGeometry, type FloatArray, kernels } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { geometryArbitrary } from './arbitraries.ts';
import { integers } from './product-values.ts';
import type { Float } from './samples.ts';
import { sizes, terms } from './trilinear.ts';
import { differences } from './views.ts';

const dtypes: [string, Float][] = [
  ['float32', Float32Array],
  ['float64', Float64Array],
];

function operands(g: ConvGeometry, Type: Float, seed: number) {
  const size = sizes(g);
  return {
    x: integers(Type, size.x, seed),
    w: integers(Type, size.w, seed + 1),
    y: integers(Type, size.y, seed + 2),
  };
}

/** The partial derivatives of the trilinear form, term by term. */
function derivatives(g: ConvGeometry, x: FloatArray, w: FloatArray, y: FloatArray): FloatArray[] {
  const [dx, dw, dy] = [x, w, y].map((a) => a.slice().fill(0));
  for (const term of terms(g)) {
    dx[term.x] += w[term.w] * y[term.y];
    dw[term.w] += x[term.x] * y[term.y];
    dy[term.y] += x[term.x] * w[term.w];
  }
  return [dx, dw, dy];
}

const junk = (like: FloatArray) => like.slice().fill(Number.NaN);

function inner(a: FloatArray, b: FloatArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

describe.each(dtypes)('%s', (_name, Type) => {
  test('each kernel is the partial derivative of the trilinear form', () => {
    fc.assert(
      fc.property(geometryArbitrary, fc.nat(1000), (g, seed) => {
        const { x, w, y } = operands(g, Type, seed);
        const [dx, dw, dy] = derivatives(g, x, w, y);
        const [gotX, gotW, gotY] = [junk(x), junk(w), junk(y)];
        kernels.convForward(g, x, w, gotY);
        kernels.convInputGrad(g, w, y, gotX);
        kernels.convWeightGrad(g, x, y, gotW);
        expect(gotY).toEqual(dy);
        expect(gotX).toEqual(dx);
        expect(gotW).toEqual(dw);
      }),
      { numRuns: 300 },
    );
  });

  test('<conv(x, w), y> === <x, inputGrad(w, y)> === <w, weightGrad(x, y)>', () => {
    fc.assert(
      fc.property(geometryArbitrary, fc.nat(1000), (g, seed) => {
        const { x, w, y } = operands(g, Type, seed);
        const [dx, dw, dy] = [junk(x), junk(w), junk(y)];
        kernels.convForward(g, x, w, dy);
        kernels.convInputGrad(g, w, y, dx);
        kernels.convWeightGrad(g, x, y, dw);
        const value = inner(dy, y);
        expect(inner(x, dx)).toBe(value);
        expect(inner(w, dw)).toBe(value);
      }),
      { numRuns: 300 },
    );
  });
});

test('geometries that need several chunks: a long row, many rows, parts of rows', () => {
  const one = { batch: 1, outChannels: 1 };
  const cases = [
    convGeometry({ ...one, inChannels: 3, inputSize: [8000], kernelSize: 12, padding: 3 }),
    convGeometry({
      ...one,
      batch: 2,
      inChannels: 8,
      groups: 1,
      inputSize: [70, 71],
      kernelSize: [3, 4],
      padding: 2,
    }),
    convGeometry({ ...one, inChannels: 300, inputSize: [2, 450], kernelSize: [1, 2], dilation: [1, 3] }),
  ];
  for (const g of cases) {
    const { x, w, y } = operands(g, Float64Array, 5);
    const [dx, dw, dy] = derivatives(g, x, w, y);
    const [gotX, gotW, gotY] = [junk(x), junk(w), junk(y)];
    kernels.convForward(g, x, w, gotY);
    kernels.convInputGrad(g, w, y, gotX);
    kernels.convWeightGrad(g, x, y, gotW);
    expect(differences(gotY, dy)).toEqual([]);
    expect(differences(gotX, dx)).toEqual([]);
    expect(differences(gotW, dw)).toEqual([]);
  }
});

test('float32 results are the exact sum rounded once', () => {
  // 1 + 2^-24 + 2^-24: rounding after each addition would give 1 twice over.
  const tiny = 2 ** -24;
  const g = convGeometry({ batch: 1, inChannels: 3, outChannels: 1, inputSize: [1], kernelSize: 1 });
  const y = new Float32Array(1);
  kernels.convForward(g, Float32Array.of(1, tiny, tiny), Float32Array.of(1, 1, 1), y);
  expect(y[0]).toBe(1 + 2 * tiny);
  const dw = new Float32Array(1);
  const h = convGeometry({ batch: 1, inChannels: 1, outChannels: 1, inputSize: [3], kernelSize: 1 });
  kernels.convWeightGrad(h, Float32Array.of(1, tiny, tiny), Float32Array.of(1, 1, 1), dw);
  expect(dw[0]).toBe(1 + 2 * tiny);
  const k = convGeometry({
    batch: 1,
    inChannels: 1,
    outChannels: 1,
    inputSize: [1],
    kernelSize: 3,
    padding: 1,
  });
  const dx = new Float32Array(1);
  kernels.convInputGrad(
    { ...k, outputSize: [3], padding: [2] },
    Float32Array.of(1, 1, 1),
    Float32Array.of(tiny, tiny, 1),
    dx,
  );
  expect(dx[0]).toBe(1 + 2 * tiny);
});
