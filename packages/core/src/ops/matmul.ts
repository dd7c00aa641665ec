// Matrix product: one record for stacks of matrices, and a function that gives it vectors too.

import { kernels } from '@adjoint/kernels-cpu';
import { resultType } from '../dtype.ts';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { broadcastShapes, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { reshape, transpose } from './layout.ts';

/** `a (..., m, k) · b (..., k, n)`; the leading axes broadcast. Bilinear: the derivative in each is a product with the other. */
export const matmulOp = defineOp({
  name: 'matmul',
  operands: ['a', 'b'],
  infer: ([a, b]) => {
    const inner = a.shape[a.shape.length - 1];
    const rows = b.shape[b.shape.length - 2];
    if (inner !== rows) {
      throw new ShapeError(
        `a has ${inner} columns (shape ${formatShape(a.shape)}) and b has ${rows} rows (shape ${formatShape(b.shape)}); they must be equal.`,
        { op: 'matmul', operand: 'b', actual: b.shape, expected: `${inner} rows` },
      );
    }
    const dtype = resultType(a, b);
    if (dtype === 'bool') {
      throw new DTypeError(
        "products of bool matrices are not defined; convert with to('int32') or to('float32').",
        {
          op: 'matmul',
          actual: 'bool',
          expected: 'a numeric dtype',
        },
      );
    }
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
    return {
      shape: [...batch, a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]],
      dtype,
      compute: dtype,
    };
  },
  forward: ([a, b], out, _, shape) => kernels.matmul(a, b, out, shape),
  layout: 'strided',
  broadcasts: true,
  flops: ([a], _, { shape }) => 2 * sizeOf(shape) * a.shape[a.shape.length - 1],
  vjps: [vjpRule('b', (g, b) => matmul(g, transpose(b))), vjpRule('a', (g, a) => matmul(transpose(a), g))],
  forwardMode: 'multilinear',
});

/**
 * The matrix product. PyTorch's `torch.matmul`: vectors count as a row on the left and as a column on the right, and
 * that axis is dropped from the result; leading axes broadcast.
 *
 * @param a of shape (..., m, k) or (k,).
 * @param b of shape (..., k, n) or (k,).
 * @throws ShapeError if the inner sizes differ, the leading axes do not broadcast, or an operand has no axes.
 * @example
 * matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray(); // [3, 7]
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) {
    const operand = a.ndim === 0 ? 'a' : 'b';
    throw new ShapeError(
      `${operand} has no axes; a matrix product takes vectors and matrices, use mul for numbers.`,
      {
        op: 'matmul',
        operand,
        actual: [],
        expected: 'at least one axis',
      },
    );
  }
  const left = a.ndim === 1 ? reshape(a, [1, a.size]) : a;
  const right = b.ndim === 1 ? reshape(b, [b.size, 1]) : b;
  const product = apply(matmulOp, [left, right], undefined);
  if (a.ndim > 1 && b.ndim > 1) return product;
  const shape = product.shape.filter(
    (_, i) => !(a.ndim === 1 && i === product.ndim - 2) && !(b.ndim === 1 && i === product.ndim - 1),
  );
  return reshape(product, shape);
}
