// What convolutions are, said without their formula: shifts, deltas, groups, dilation, and batches of one.

import { cat, conv2d, convTranspose2d, narrow, type Tensor, tensor, zeros } from '@adjoint/core';
import { assertGradcheck, assertGradgradcheck } from '@adjoint/core/check';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asGiven,
  type ConvCase,
  convByDims,
  convCases,
  convTransposeByDims,
  integers,
  optionsOf,
  reals,
  shapeOfW,
  shapeOfX,
  shapeOfY,
} from './conv-cases.ts';

const transposed = (c: ConvCase, y: Tensor, w: Tensor, bias?: Tensor): Tensor =>
  convTransposeByDims[c.dims - 1](y, w, { ...optionsOf(c), outputPadding: c.outputPadding, bias });

describe('groups', () => {
  it('are the concatenation of convolutions of slices, in both directions and both weight layouts', () => {
    fc.assert(
      fc.property(convCases({ maxDims: 2 }), (c) => {
        const g = c.geometry;
        const y = integers(shapeOfY(g), c, 1);
        const w = integers(shapeOfW(g), c, 2);
        const slices = Array.from({ length: c.groups }, (_, i) => {
          const size = c.inChannels / c.groups;
          return transposed({ ...c, groups: 1 }, narrow(y, 1, i * size, size), narrow(w, 0, i * size, size));
        });
        const whole = transposed(c, y, w);
        expect(whole.toArray()).toEqual(cat(slices, { axis: 1 }).toArray());
        const [first, ...rest] = w.shape;
        expect(transposed(c, y, w.reshape([c.groups, first / c.groups, ...rest])).toArray()).toEqual(
          whole.toArray(),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('an unbatched input', () => {
  it('is a batch of one, and a batch of none gives none', () => {
    fc.assert(
      fc.property(convCases(), (c) => {
        const g = c.geometry;
        const w = integers(shapeOfW(g), c, 2);
        const y = integers(shapeOfY({ ...g, batch: 1 }), c, 1);
        const alone = transposed({ ...c, batch: 1 }, y.reshape(y.shape.slice(1)), w);
        expect([alone.toArray()]).toEqual(transposed({ ...c, batch: 1 }, y, w).toArray());
        const none = transposed(
          { ...c, batch: 0 },
          zeros(shapeOfY({ ...g, batch: 0 }), { dtype: 'float64' }),
          w,
        );
        expect(none.shape).toEqual([0, ...alone.shape]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('dilation', () => {
  it('is a kernel with zeros between its elements', () => {
    fc.assert(
      fc.property(convCases({ maxDims: 1 }), (c) => {
        const [kernel] = c.kernelSize;
        const [dilation] = c.dilation;
        const w = integers(shapeOfW(c.geometry), c, 2);
        const [rows, columns] = w.shape;
        const stuffed = new Float64Array(rows * columns * (dilation * (kernel - 1) + 1));
        const width = dilation * (kernel - 1) + 1;
        w.toTypedArray().forEach((value, i) => {
          stuffed[Math.floor(i / kernel) * width + (i % kernel) * dilation] = value;
        });
        const wide = tensor(stuffed, { shape: [rows, columns, width] });
        const y = integers(shapeOfY(c.geometry), c, 1);
        const outputSize = c.geometry.inputSize;
        const { conv, convTranspose } = { conv: convByDims[0], convTranspose: convTransposeByDims[0] };
        const { stride, padding, groups } = c;
        const [smallest] = [outputSize[0] - c.outputPadding[0]];
        // Without dilation the legal interval of outputSize may be shorter: compare what both have.
        const legal = Math.min(outputSize[0], smallest + stride[0] - 1);
        fc.pre(legal >= 1);
        expect(convTranspose(y, wide, { stride, padding, groups, outputSize: legal }).toArray()).toEqual(
          convTranspose(y, w, { stride, padding, groups, dilation, outputSize: legal }).toArray(),
        );
        const x = integers(shapeOfX(c.geometry), c, 3);
        expect(conv(x, wide, { stride, padding, groups }).toArray()).toEqual(
          conv(x, w, { stride, padding, groups, dilation }).toArray(),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('a delta kernel', () => {
  it('spreads the input by the stride, at the place of the delta', () => {
    fc.assert(
      fc.property(
        fc.record({
          height: fc.integer({ min: 1, max: 4 }),
          width: fc.integer({ min: 1, max: 4 }),
          stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          at: fc.tuple(fc.nat(), fc.nat()),
          seed: fc.nat(),
        }),
        ({ height, width, stride, kernel, at, seed }) => {
          const place = [at[0] % kernel[0], at[1] % kernel[1]];
          const delta = new Float64Array(kernel[0] * kernel[1]);
          delta[place[0] * kernel[1] + place[1]] = 1;
          const y = integers([1, 1, height, width], { seed }, 1);
          const x = convTranspose2d(y, tensor(delta, { shape: [1, 1, ...kernel] }), { stride });
          const values = y.toArray() as number[][][][];
          const expected = (x.toArray() as number[][][][])[0][0].map((row, h) =>
            row.map((_, v) => {
              const [i, j] = [(h - place[0]) / stride[0], (v - place[1]) / stride[1]];
              return values[0][0][i]?.[j] ?? 0;
            }),
          );
          expect(x.toArray()).toEqual([[expected]]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a shift', () => {
  it('of the input by one shifts the output of convTranspose by the stride', () => {
    fc.assert(
      fc.property(convCases({ maxDims: 2, maxBatch: 2 }), fc.nat(), (c, which) => {
        const axis = which % c.dims;
        const padding = new Array<number>(c.dims).fill(0);
        const open = { ...c, padding, outputPadding: padding };
        const y = integers(shapeOfY(c.geometry), c, 1);
        const w = integers(shapeOfW(c.geometry), c, 2);
        const band = y.shape.map((size, i) => (i === axis + 2 ? 1 : size));
        const shifted = cat([zeros(band, { dtype: 'float64' }), y], { axis: axis + 2 });
        const before = transposed(open, y, w);
        const after = transposed(open, shifted, w);
        const stride = c.stride[axis];
        const kept = before.shape[axis + 2];
        expect(narrow(after, axis + 2, stride, kept).toArray()).toEqual(before.toArray());
      }),
      { numRuns: 100 },
    );
  });

  it('of the output by one is a shift of the input of conv by the stride', () => {
    const x = integers([1, 2, 9, 12], { seed: 5 }, 1);
    const w = integers([3, 2, 3, 2], { seed: 5 }, 2);
    const whole = conv2d(x, w, { stride: [2, 3] });
    const cut = conv2d(narrow(x, 3, 3, 9), w, { stride: [2, 3] });
    expect(cut.toArray()).toEqual(narrow(whole, 3, 1, whole.shape[3] - 1).toArray());
  });
});

describe('first and second derivatives', () => {
  it('of both are right in every operand', () => {
    fc.assert(
      fc.property(convCases({ maxDims: 2, maxSize: 3, maxBatch: 2, maxGroups: 2 }), (c) => {
        const g = c.geometry;
        const w = reals(shapeOfW(g), c, 2);
        const y = reals(asGiven(shapeOfY(g), c), c, 3);
        const bias = reals([c.outChannels], c, 4);
        const up = (a: Tensor, b: Tensor, d: Tensor) => transposed(c, a, b, d);
        assertGradcheck(up, [y, w, bias]);
        assertGradgradcheck(up, [y, w, bias]);
        const x = reals(asGiven(shapeOfX(g), c), c, 5);
        const downBias = reals([c.inChannels], c, 6);
        const down = (a: Tensor, b: Tensor, d: Tensor) =>
          convByDims[c.dims - 1](a, b, { ...optionsOf(c), bias: d });
        assertGradcheck(down, [x, w, downBias]);
        assertGradgradcheck(down, [x, w, downBias]);
      }),
      { numRuns: 25 },
    );
  });
});
