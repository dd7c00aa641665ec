// A bias is added in the array of the product, which nobody has seen: all that can be seen is as if it were added apart. Sums of a linear layer
// start from it, and are rounded once.

import {
  add,
  cast,
  checkpoint,
  conv2d,
  convTranspose2d,
  type DType,
  detectAnomaly,
  grad,
  linear,
  matmul,
  reshape,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '@adjoint/core';
import { describe, expect, test } from 'vitest';

function numbers(seed: number, shape: readonly number[], dtype: DType): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(seed + 1.3 * i));
  return tensor(values, { shape, dtype, requiresGrad: true });
}

type Layer = (x: Tensor, weight: Tensor, bias: Tensor) => Tensor;

const layers: Readonly<
  Record<
    string,
    { readonly shapes: readonly (readonly number[])[]; readonly fused: Layer; readonly apart: Layer }
  >
> = {
  conv2d: {
    shapes: [[2, 3, 6, 5], [4, 3, 3, 3], [4]],
    fused: (x, weight, bias) => conv2d(x, weight, { bias }),
    apart: (x, weight, bias) => add(conv2d(x, weight), reshape(bias, [4, 1, 1])),
  },
  convTranspose2d: {
    shapes: [[2, 3, 4, 5], [3, 4, 3, 3], [4]],
    fused: (x, weight, bias) => convTranspose2d(x, weight, { bias, stride: 2 }),
    apart: (x, weight, bias) => add(convTranspose2d(x, weight, { stride: 2 }), reshape(bias, [4, 1, 1])),
  },
};

const bits = (tensors: readonly Tensor[]): number[][] => tensors.map((x) => [...x.toTypedArray()]);

describe.each(Object.entries(layers))('%s', (_name, { shapes, fused, apart }) => {
  test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('in %s', (dtype) => {
    const run = (layer: Layer): number[][] => {
      const [x, weight, bias] = shapes.map((shape, i) => numbers(i, shape, dtype));
      const y = layer(x, weight, bias);
      const gradOutput = numbers(9, y.shape, dtype).detach();
      const first = grad(y, [x, weight, bias], { gradOutput, createGraph: true });
      const second = grad(sum(first[0]), weight, { retainGraph: true });
      // A bias that is the product of another layer, and operands that are used again, must not change.
      return bits([y, ...first, second, x, weight, bias, layer(x, weight, bias)]);
    };
    const wanted = run(apart);
    expect(run(fused)).toEqual(wanted);
    expect(detectAnomaly(() => run(fused))).toEqual(wanted);
    expect(run((...operands) => checkpoint(() => fused(...operands))())).toEqual(wanted);
  });
});

describe('linear', () => {
  /** Whole numbers and eighths, of which float32 and float64 hold all sums: only what is stored is rounded. */
  function eighths(step: number, shape: readonly number[], dtype: DType, unit: number): Tensor {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = Float64Array.from({ length: size }, (_, i) => (((i * step) % 63) - 31) * unit);
    return tensor(values, { shape, dtype, requiresGrad: true });
  }

  // Of one kind below the size at which machines take over, and of two above: there are tiles that stick out on both sides.
  test.each([
    ['float32', 5, 7, 3],
    ['float64', 5, 7, 3],
    ['float16', 5, 7, 3],
    ['bfloat16', 5, 7, 3],
    ['float32', 37, 300, 70],
    ['float64', 37, 300, 70],
    ['float16', 37, 300, 70],
    ['bfloat16', 37, 300, 70],
  ] as const)('in %s, %i × %i × %i', (dtype, rows, features, outputs) => {
    const operands = (type: DType): [Tensor, Tensor, Tensor] => [
      cast(eighths(37, [rows, features], dtype, 1), type),
      cast(eighths(29, [outputs, features], dtype, 1), type),
      cast(eighths(11, [outputs], dtype, 0.125), type),
    ];
    const run = (layer: Layer): number[][] => {
      const [x, weight, bias] = operands(dtype);
      const y = layer(x, weight, bias);
      const gradOutput = numbers(9, y.shape, dtype).detach();
      const first = grad(y, [x, weight, bias], { gradOutput, createGraph: true });
      const second = grad(sum(first[0]), weight, { retainGraph: true });
      return bits([...first, second, x, weight, bias]);
    };
    const apart: Layer = (x, weight, bias) => add(matmul(x, transpose(weight)), bias);
    const [y] = bits([linear(...operands(dtype))]);
    expect(y).toEqual(bits([cast(apart(...operands('float64')), dtype)])[0]);
    const wanted = run(apart);
    expect(run(linear)).toEqual(wanted);
    expect(detectAnomaly(() => run(linear))).toEqual(wanted);
    expect(run((...all) => checkpoint(() => linear(...all))())).toEqual(wanted);
  });
});
