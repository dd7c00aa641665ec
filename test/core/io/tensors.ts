// Tensors of every dtype, shape and layout, made of any bits, and what a file must hold of them.
import { type DType, dtypes, expand, permute, slice, type Tensor } from '@adjoint/core';
import fc from 'fast-check';
import { fromArray } from '../../../packages/core/src/tensor.ts';

const WIDTH: Record<DType, number> = {
  bool: 1,
  uint8: 1,
  int32: 4,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};
const ARRAY = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** A tensor that holds `bytes`, row by row. */
export function tensorOf(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const data = new ARRAY[dtype](Uint8Array.from(bytes).buffer);
  return fromArray(data, shape, dtype);
}

/** The bits of a tensor's elements in row-major order, read through its strides one by one, as hexadecimal numbers. */
export function bitsOf(x: Tensor): string[] {
  const bytes = new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength);
  const width = WIDTH[x.dtype];
  const bits: string[] = [];
  const visit = (axis: number, at: number): void => {
    if (axis === x.shape.length) {
      const element = bytes.subarray(at * width, (at + 1) * width);
      bits.push(Buffer.from(element).toString('hex'));
    } else for (let i = 0; i < x.shape[axis]; i++) visit(axis + 1, at + i * x.strides[axis]);
  };
  visit(0, x.offset);
  return bits;
}

/** All there is to a tensor in a file. */
export function essence(x: Tensor): unknown {
  return { dtype: x.dtype, shape: [...x.shape], bits: bitsOf(x) };
}

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** Any bits, NaNs with payloads among them, contiguous. */
export const contiguousTensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), shapes)
  .chain(([dtype, shape]) => {
    const length = WIDTH[dtype] * shape.reduce((a, b) => a * b, 1);
    const byte = dtype === 'bool' ? { max: 1 } : {};
    return fc
      .uint8Array({ ...byte, minLength: length, maxLength: length })
      .map((bytes) => tensorOf(dtype, shape, bytes));
  });

/** Those, and views of them: axes in another order, rows left out, offsets, rows that repeat. */
export const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(contiguousTensors, fc.boolean(), fc.boolean(), fc.boolean())
  .map(([x, turned, thinned, repeated]) => {
    let view = x;
    if (turned) view = permute(view, view.shape.map((_, axis) => axis).reverse());
    if (thinned)
      view = slice(
        view,
        view.shape.map((size) => (size > 1 ? { start: 1, step: 2 } : null)),
      );
    return repeated ? expand(view, [2, ...view.shape]) : view;
  });

/** Names that a reader may stumble over, and any others. */
export const names = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', '10', '9', 'a.b', '', 'é', '\uffff', '\u{1f600}', '"\\\n'),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
);
