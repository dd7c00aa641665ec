// Conversion between element types.

import { kernels } from '@adjoint/kernels-cpu';
import { checkDType, type DType, isHalf } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import { convertInto } from '../half.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { rowMajorStrides } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { noFlops } from './infer.ts';

// Of a type that all others hold.
const zero = { data: new Uint8Array(1), shape: [], strides: [], offset: 0 };

/**
 * The same values in another type: floats to integers truncate, floats to narrower floats round to nearest even once,
 * anything to bool is `x != 0`. Between floating-point types it is linear but for rounding, and its gradient is the
 * cotangent converted back; to and from the other types no gradient passes.
 */
export const castOp = defineOp<readonly ['x'], { readonly to: DType; readonly from: DType }>({
  name: 'cast',
  operands: ['x'],
  infer: ([x], { to, from }) => {
    if (x.dtype !== from) {
      throw new DTypeError(
        `x has dtype ${x.dtype}, and the attribute from says ${from}; call cast, which reads it off.`,
        {
          op: 'cast',
          operand: 'x',
          actual: x.dtype,
          expected: from,
        },
      );
    }
    return { shape: x.shape, dtype: to };
  },
  forward: ([x], out, { from, to }, shape) => {
    if (to !== 'bool') {
      convertInto(x, from, out, to);
    } else if (isHalf(from)) {
      const data = new Float32Array(out.length);
      convertInto(x, from, data, 'float32');
      kernels.notEqual({ ...x, data, strides: rowMajorStrides(shape), offset: 0 }, zero, out, shape);
    } else {
      kernels.notEqual(x, zero, out, shape);
    }
  },
  halves: 'bits',
  layout: 'strided',
  vjps: [vjpRule((g, { attrs }) => cast(g, attrs.from))],
  recycles: true,
  forwardMode: 'linear',
  flops: noFlops,
});

/**
 * Converts to another element type; the same tensor if it has it already. PyTorch's `Tensor.to(dtype)`.
 *
 * @throws DTypeError if `dtype` is not one of the seven types.
 * @example
 * cast(tensor([1.5, -2.5]), 'int32').toArray(); // [1, -2]
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkDType(dtype, 'cast');
  requireTensor('cast', 'x', x);
  return x.dtype === dtype ? x : apply(castOp, [x], { to: dtype, from: x.dtype });
}

/** Computes in float32 where the operand is a 16-bit float, whose range sums and squares would leave; the result is rounded once. */
export function inFloat32(x: Tensor, f: (wide: Tensor) => Tensor): Tensor {
  return isHalf(x.dtype) ? cast(f(cast(x, 'float32')), x.dtype) : f(x);
}
