// Matrix product: one record for stacks of matrices, and a function that gives it vectors too.

import { kernels } from '@adjoint/kernels-cpu';
import { resultType } from '../dtype.ts';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { broadcastShapes, type Shape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { reshape, transpose } from './layout.ts';

/** `a (..., m, k) · b (..., k, n)`; the leading axes broadcast. Bilinear: the derivative in each is a product with the other. */
export const matmulOp = defineOp({
  name: 'matmul',
  operands: ['a', 'b'],
  infer: (operands) => {
    const a = operands[0];
    const b = operands[1];
    requireFit(a.shape, b.shape);
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
  forward: (inputs, out, _, shape) => kernels.matmul(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  broadcasts: true,
  flops: ([a], _, { shape }) => 2 * sizeOf(shape) * a.shape[a.shape.length - 1],
  vjps: [vjpRule('b', (g, b) => matmul(g, transpose(b))), vjpRule('a', (g, a) => matmul(transpose(a), g))],
  recycles: true,
  forwardMode: 'multilinear',
});

// The shapes are those that the caller gave, be they of matrices or vectors.
function requireFit(a: Shape, b: Shape): void {
  const inner = a[a.length - 1];
  const rows = b[Math.max(b.length - 2, 0)];
  if (inner !== rows) {
    const ofA = a.length === 1 ? 'elements' : 'columns';
    const ofB = b.length === 1 ? 'elements' : 'rows';
    throw new ShapeError(
      `a has ${inner} ${ofA} (shape ${formatShape(a)}) and b has ${rows} ${ofB} (shape ${formatShape(b)}); they must be equal.`,
      { op: 'matmul', operand: 'b', actual: b, expected: `${inner} ${ofB}` },
    );
  }
  for (let i = 3; i <= Math.min(a.length, b.length); i++) {
    const [sizeA, sizeB] = [a[a.length - i], b[b.length - i]];
    if (sizeA === sizeB || sizeA === 1 || sizeB === 1) continue;
    throw new ShapeError(
      `axis ${-i} is ${sizeA} in a (shape ${formatShape(a)}) and ${sizeB} in b (shape ${formatShape(b)}); axes before the last two must be equal, or one of them 1.`,
      { op: 'matmul', operand: 'b', actual: b, expected: `${sizeA} or 1 on axis ${-i}` },
    );
  }
}

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
  requireTensor('matmul', 'a', a);
  requireTensor('matmul', 'b', b);
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
  if (a.ndim === 1 || b.ndim === 1) requireFit(a.shape, b.shape);
  const left = a.ndim === 1 ? reshape(a, [1, a.size]) : a;
  const right = b.ndim === 1 ? reshape(b, [b.size, 1]) : b;
  const product = apply(matmulOp, [left, right], undefined);
  if (a.ndim > 1 && b.ndim > 1) return product;
  const shape = product.shape.filter(
    (_, i) => !(a.ndim === 1 && i === product.ndim - 2) && !(b.ndim === 1 && i === product.ndim - 1),
  );
  return reshape(product, shape);
}
