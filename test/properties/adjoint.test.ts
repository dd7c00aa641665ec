// The adjoint relation, exactly: <conv(x, w), y> = <x, convTranspose(y, w)> = <w, weightGrad(x, y)>.

import { type DType, grad, type Tensor, tensor } from '@adjoint/core';
import { conv, convInputGrad, convWeightGrad } from '@adjoint/core/conv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asGiven,
  type ConvCase,
  convByDims,
  convCases,
  convTransposeByDims,
  dot,
  integers,
  optionsOf,
  shapeOfW,
  shapeOfX,
  shapeOfY,
} from './conv-cases.ts';

const floatTypes: readonly DType[] = ['float64', 'float32'];

function operands(c: ConvCase, dtype: DType): { x: Tensor; w: Tensor; y: Tensor } {
  return {
    x: integers(asGiven(shapeOfX(c.geometry), c), c, 1, dtype),
    w: integers(shapeOfW(c.geometry), c, 2, dtype),
    y: integers(asGiven(shapeOfY(c.geometry), c), c, 3, dtype),
  };
}

describe.each(floatTypes)('the trilinear form in %s', (dtype) => {
  it('has equal values through all three of its derivatives', () => {
    fc.assert(
      fc.property(convCases(), (c) => {
        const g = c.geometry;
        const x = integers(shapeOfX(g), c, 1, dtype);
        const w = integers(shapeOfW(g), c, 2, dtype);
        const y = integers(shapeOfY(g), c, 3, dtype);
        const forward = dot(conv(x, w, g), y);
        expect(dot(x, convInputGrad(w, y, g))).toBe(forward);
        expect(dot(w, convWeightGrad(x, y, g))).toBe(forward);
      }),
      { numRuns: 300 },
    );
  });

  it('holds between the public functions, batched or not, with outputPadding and with outputSize', () => {
    fc.assert(
      fc.property(convCases(), (c) => {
        const { x, w, y } = operands(c, dtype);
        const convTranspose = convTransposeByDims[c.dims - 1];
        const padded = convTranspose(y, w, { ...optionsOf(c), outputPadding: c.outputPadding });
        const sized = convTranspose(y, w, { ...optionsOf(c), outputSize: c.geometry.inputSize });
        expect(padded.shape).toEqual(x.shape);
        expect(sized.toArray()).toEqual(padded.toArray());
        if (!c.invertible) return;
        const forward = convByDims[c.dims - 1](x, w, optionsOf(c));
        expect(forward.shape).toEqual(y.shape);
        expect(dot(forward, y)).toBe(dot(x, padded));
      }),
      { numRuns: 300 },
    );
  });

  it('makes the backward of convTranspose the forward of conv, and its weight gradient that of conv', () => {
    fc.assert(
      fc.property(convCases(), (c) => {
        const { x: gradOutput, w, y } = operands(c, dtype);
        w.requiresGrad = true;
        y.requiresGrad = true;
        const output = convTransposeByDims[c.dims - 1](y, w, {
          ...optionsOf(c),
          outputPadding: c.outputPadding,
        });
        const [gradY, gradW] = grad(output, [y, w], { gradOutput });
        const batchedX = gradOutput.reshape(shapeOfX(c.geometry));
        const batchedY = y.detach().reshape(shapeOfY(c.geometry));
        const expectedY = conv(batchedX, w.detach(), c.geometry).reshape(y.shape);
        expect(gradY.toArray()).toEqual(expectedY.toArray());
        expect(gradW.toArray()).toEqual(convWeightGrad(batchedX, batchedY, c.geometry).toArray());
      }),
      { numRuns: 200 },
    );
  });
});

describe('the dense matrices', () => {
  // Column j of the matrix of a linear map is its value at the j-th unit vector.
  function matrixOf(map: (x: Tensor) => Tensor, shape: readonly number[]): number[][] {
    const size = shape.reduce((a, b) => a * b, 1);
    return Array.from({ length: size }, (_, j) => {
      const unit = new Float64Array(size);
      unit[j] = 1;
      return Array.from(map(tensor(unit, { shape })).toTypedArray());
    });
  }

  it('of convTranspose is the transpose of that of conv', () => {
    fc.assert(
      fc.property(convCases({ maxDims: 2, maxSize: 3, maxBatch: 1, maxGroups: 2 }), (c) => {
        const g = c.geometry;
        const w = integers(shapeOfW(g), c, 2);
        const convTranspose = convTransposeByDims[c.dims - 1];
        const columns = matrixOf((x) => conv(x, w, g), shapeOfX(g));
        const transposed = matrixOf(
          (y) => convTranspose(y, w, { ...optionsOf(c), outputPadding: c.outputPadding }),
          shapeOfY(g),
        );
        const rows = transposed.length;
        expect(columns).toEqual(
          columns.map((_, j) => Array.from({ length: rows }, (_, i) => transposed[i][j])),
        );
      }),
      { numRuns: 60 },
    );
  });
});
