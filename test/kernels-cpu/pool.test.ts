// Pooling against its definition on an input that is really padded, and PyTorch's rules of geometry.

import { GeometryError, kernels, type PoolGeometry, poolGeometry } from '@adjoint/kernels-cpu';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { poolGeometries } from './arbitraries.ts';
import { flatten, indices } from './trilinear.ts';

/** The taps of window `o` of one plane: flat positions inside the input, and how many the padded input has. */
function windowOf(g: PoolGeometry, o: readonly number[]): { inside: number[]; padded: number } {
  const inside: number[] = [];
  let padded = 0;
  for (const q of indices(g.kernelSize)) {
    const i = o.map(
      (position, axis) => position * g.stride[axis] - g.padding[axis] + q[axis] * g.dilation[axis],
    );
    if (i.every((p, axis) => p >= 0 && p < g.inputSize[axis])) inside.push(flatten(i, g.inputSize));
    if (i.every((p, axis) => p >= -g.padding[axis] && p < g.inputSize[axis] + g.padding[axis])) padded++;
  }
  return { inside, padded };
}

const count = (extents: readonly number[]) => extents.reduce((p, q) => p * q, 1);

function mixed(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => ((i * 7919 + seed) % 23) / 4 - 2);
}

test('maxPool is the largest element of each window and where it stands first', () => {
  fc.assert(
    fc.property(poolGeometries(), fc.nat(100), (g, seed) => {
      const [plane, outPlane] = [count(g.inputSize), count(g.outputSize)];
      const planes = g.batch * g.channels;
      const x = mixed(planes * plane, seed);
      const y = new Float64Array(planes * outPlane).fill(Number.NaN);
      const at = new Int32Array(y.length).fill(-7);
      kernels.maxPool(g, x, y, at);
      for (let p = 0; p < planes; p++) {
        for (const o of indices(g.outputSize)) {
          const k = p * outPlane + flatten(o, g.outputSize);
          const { inside } = windowOf(g, o);
          const values = inside.map((i) => x[p * plane + i]);
          expect(y[k]).toBe(Math.max(...values));
          expect(at[k]).toBe(inside[values.indexOf(y[k])]);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('NaN wins, and padding never does', () => {
  const g = poolGeometry({ batch: 1, channels: 1, inputSize: [4], kernelSize: 2, padding: 1 });
  const y = new Float32Array(3);
  const at = new Int32Array(3);
  kernels.maxPool(g, Float32Array.of(-5, Number.NaN, -3, -2), y, at);
  expect([...y]).toEqual([-5, Number.NaN, -2]);
  expect([...at]).toEqual([0, 1, 3]);
  kernels.maxPool(g, new Float32Array(4).fill(-Infinity), y, at);
  expect([...y]).toEqual([-Infinity, -Infinity, -Infinity]);
  expect([...at]).toEqual([0, 1, 3]);
});

test('maxPoolInputGrad is the adjoint of reading at the places of the largest elements', () => {
  fc.assert(
    fc.property(poolGeometries(), fc.nat(100), (g, seed) => {
      const [plane, outPlane] = [count(g.inputSize), count(g.outputSize)];
      const planes = g.batch * g.channels;
      const x = mixed(planes * plane, seed);
      const y = mixed(planes * outPlane, seed + 1);
      const [px, py] = [x.slice().fill(Number.NaN), y.slice().fill(Number.NaN)];
      const places = new Int32Array(y.length);
      kernels.maxPool(g, x, py, places);
      kernels.maxPoolInputGrad(g, y, places, px);
      // Sums of quarters: exact.
      const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
      expect(inner(px, x)).toBe(inner(py, y));
      expect(px.reduce((sum, value) => sum + value, 0)).toBe(y.reduce((sum, value) => sum + value, 0));
    }),
    { numRuns: 200 },
  );
});

test('avgPool divides the sum by what the options count', () => {
  fc.assert(
    fc.property(poolGeometries(), fc.nat(100), (g, seed) => {
      const [plane, outPlane] = [count(g.inputSize), count(g.outputSize)];
      const planes = g.batch * g.channels;
      const x = mixed(planes * plane, seed);
      const y = new Float64Array(planes * outPlane).fill(Number.NaN);
      kernels.avgPool(g, x, y);
      for (let p = 0; p < planes; p++) {
        for (const o of indices(g.outputSize)) {
          const { inside, padded } = windowOf(g, o);
          const sum = inside.reduce((total, i) => total + x[p * plane + i], 0);
          const divisor = g.divisorOverride ?? (g.countIncludePad ? padded : inside.length);
          expect(y[p * outPlane + flatten(o, g.outputSize)]).toBe(sum / divisor);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('avgPoolInputGrad is the adjoint of avgPool', () => {
  fc.assert(
    fc.property(poolGeometries(), fc.nat(100), (g, seed) => {
      const planes = g.batch * g.channels;
      const x = mixed(planes * count(g.inputSize), seed);
      const y = mixed(planes * count(g.outputSize), seed + 1);
      const [px, py] = [x.slice().fill(Number.NaN), y.slice().fill(Number.NaN)];
      kernels.avgPool(g, x, py);
      kernels.avgPoolInputGrad(g, y, px);
      const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
      expect(inner(px, x)).toBeCloseTo(inner(py, y), 10);
    }),
    { numRuns: 200 },
  );
});

test('ceilMode: the last window starts inside the input or its left padding', () => {
  const size = (input: number, kernelSize: number, stride: number, padding: number) =>
    poolGeometry({ batch: 1, channels: 1, inputSize: [input], kernelSize, stride, padding, ceilMode: true })
      .outputSize[0];
  // Numbers from torch.nn.functional.max_pool1d(..., ceil_mode=True).
  expect(size(7, 2, 2, 0)).toBe(4);
  expect(size(6, 3, 2, 1)).toBe(4);
  expect(size(5, 2, 4, 1)).toBe(2);
  expect(size(1, 2, 3, 1)).toBe(1);
  expect(size(4, 2, 3, 1)).toBe(2);
});

test('ceilMode windows past the padding do not count there', () => {
  // Numbers from torch.nn.functional.avg_pool1d(x, kernelSize, 2, 1, ceil_mode=True).
  const mean = (kernelSize: number, x: number[]) => {
    const options = { batch: 1, channels: 1, kernelSize, stride: 2, padding: 1, ceilMode: true };
    const g = poolGeometry({ ...options, inputSize: [x.length] });
    const y = new Float64Array(g.outputSize[0]);
    kernels.avgPool(g, Float64Array.from(x), y);
    return [...y];
  };
  expect(mean(3, [1, 2, 3, 4])).toEqual([1, 3, 2]);
  expect(mean(2, [1, 2, 3])).toEqual([0.5, 2.5]);
});

test('illegal geometries', () => {
  const options = { op: 'maxPool2d', batch: 1, channels: 1, inputSize: [5, 5], kernelSize: 2 };
  const message = (extra: object) => {
    try {
      poolGeometry({ ...options, ...extra });
    } catch (error) {
      if (error instanceof GeometryError) return error.message;
    }
    return 'nothing was thrown';
  };
  expect(message({ padding: [1, 2] })).toMatch(
    /^maxPool2d: padding\[1\] is 2, expected at most half.*floor\(2 \/ 2\) = 1/,
  );
  expect(message({ kernelSize: 6 })).toMatch(/^maxPool2d: inputSize\[0\] is 5, expected at least 6/);
  expect(message({ divisorOverride: 0 })).toMatch(
    /^maxPool2d: divisorOverride is 0, expected an integer >= 1/,
  );
  expect(message({ ceilMode: 1 })).toMatch(/^maxPool2d: ceilMode is 1, expected true or false/);
  expect(message({ countIncludePad: 'yes' })).toMatch(/^maxPool2d: countIncludePad is 'yes'/);
  // Positions −1 and 1: both are padding, and PyTorch would return an index outside the input.
  expect(message({ inputSize: [1, 5], padding: [1, 0], dilation: [2, 1] })).toMatch(
    /^maxPool2d: dilation\[0\] is 2, expected .* every window holds an element .* starts at -1/,
  );
});
