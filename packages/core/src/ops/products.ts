// Products of vectors and matrices beside matmul: bmm, dot, outer, and the affine map of a linear layer.

import { kernels, type Strided } from '@adjoint/kernels-cpu';
import { resultType } from '../dtype.ts';
import { formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { add, addOver, mul } from './arithmetic.ts';
import { expand, sum } from './expand-sum.ts';
import { arithmeticDType, requireExtents } from './infer.ts';
import { reshape, transpose } from './layout.ts';
import { matmul } from './matmul.ts';

/**
 * `x (n, in) · weight (out, in)ᵀ`: a product that knows its second operand as layers store it, so that the gradient of the weight
 * comes out in the weight's own layout. Bilinear.
 */
export const linearOp = defineOp({
  name: 'linear',
  operands: ['x', 'weight'],
  infer: (operands) => {
    const x = operands[0];
    const weight = operands[1];
    if (x.shape.length !== 2 || weight.shape.length !== 2 || x.shape[1] !== weight.shape[1])
      throw misfit(x.shape, weight.shape);
    const dtype = arithmeticDType('linear', x, weight);
    return { shape: [x.shape[0], weight.shape[0]], dtype, compute: dtype };
  },
  forward: (inputs, out, _, shape) => kernels.matmul(inputs[0], turned(inputs[1]), out, shape),
  layout: 'strided',
  flops: linearFlops,
  vjps: [
    vjpRule('weight', (g, weight) => matmul(g, weight)),
    vjpRule('x', (g, x) => matmul(transpose(g), x)),
  ],
  recycles: true,
  forwardMode: 'multilinear',
});

/**
 * `x (n, in) · weight (out, in)ᵀ + bias (out,)`: a linear layer in one product, to whose sums the bias is added before they are rounded to what
 * the result is stored in.
 */
export const affineOp = defineOp({
  name: 'affine',
  operands: ['x', 'weight', 'bias'],
  infer: (operands) => {
    const [x, weight, bias] = operands;
    const { shape, dtype: ofProduct } = linearOp.infer([x, weight], undefined);
    requireExtents('affine', 'bias', bias, [shape[1]]);
    const dtype = resultType({ shape, dtype: ofProduct, isNumber: false }, bias);
    return { shape, dtype, compute: dtype };
  },
  forward: (inputs, out, _, shape) => kernels.matmul(inputs[0], turned(inputs[1]), out, shape, inputs[2]),
  layout: 'strided',
  flops: (operands, _, { shape }) => linearFlops(operands) + sizeOf(shape),
  vjps: [
    vjpRule('weight', (g, weight) => matmul(g, weight)),
    vjpRule('x', (g, x) => matmul(transpose(g), x)),
    vjpRule((g) => sum(g, { axes: 0 })),
  ],
  recycles: true,
  forwardMode: ([dx, dWeight, dBias], [x, weight], output) =>
    [
      dx && apply(linearOp, [dx, weight], undefined),
      dWeight && apply(linearOp, [x, dWeight], undefined),
      dBias && expand(dBias, output.shape),
    ]
      .filter((term) => term !== null)
      .reduce((total, term) => add(total, term)),
});

function linearFlops([x, weight]: readonly OperandSpec[]): number {
  return 2 * x.shape[0] * x.shape[1] * weight.shape[0];
}

const turned = ({ data, shape, strides, offset }: Strided): Strided => ({
  data,
  shape: [shape[1], shape[0]],
  strides: [strides[1], strides[0]],
  offset,
});

const misfit = (x: readonly number[], weight: readonly number[]): ShapeError =>
  new ShapeError(
    `x has shape ${formatShape(x)} and weight ${formatShape(weight)}; they must be (..., in) and (out, in), with the same in.`,
    { op: 'linear', operand: 'weight', actual: weight, expected: `(out, ${x[x.length - 1]})` },
  );

/**
 * The matrix products of two stacks of equal length. PyTorch's `torch.bmm`.
 *
 * @param a of shape (n, i, k).
 * @param b of shape (n, k, j).
 * @returns shape (n, i, j).
 * @throws ShapeError unless both have three axes, equal lengths and fitting inner sizes; `matmul` broadcasts.
 * @example
 * bmm(ones([2, 1, 3]), ones([2, 3, 1])).toArray(); // [[[3]], [[3]]]
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  requireRank('bmm', 'a', a, 3);
  requireRank('bmm', 'b', b, 3);
  if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(
      `a has shape ${formatShape(a.shape)} and b ${formatShape(b.shape)}; they must be (n, i, k) and (n, k, j), with the same n and k (matmul broadcasts n).`,
      {
        op: 'bmm',
        operand: 'b',
        actual: b.shape,
        expected: `(${a.shape[0]}, ${a.shape[2]}, j)`,
      },
    );
  }
  return matmul(a, b);
}

/**
 * The inner product of two vectors of equal length; 0 of empty ones. PyTorch's `torch.dot`.
 *
 * @throws ShapeError unless both have one axis, of the same size.
 * @example
 * dot(tensor([1, 2]), tensor([3, 4])).item(); // 11
 */
export function dot(a: Tensor, b: Tensor): Tensor {
  requireRank('dot', 'a', a, 1);
  requireRank('dot', 'b', b, 1);
  if (a.size !== b.size) {
    throw new ShapeError(`a has ${a.size} elements and b ${b.size}; they must have as many.`, {
      op: 'dot',
      operand: 'b',
      actual: b.shape,
      expected: formatShape(a.shape),
    });
  }
  return matmul(a, b);
}

/**
 * The products of each element of one vector with each of another. PyTorch's `torch.outer`.
 *
 * @param a of shape (i,).
 * @param b of shape (j,).
 * @returns shape (i, j).
 * @throws ShapeError unless both have one axis.
 * @example
 * outer(tensor([1, 2]), tensor([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  requireRank('outer', 'a', a, 1);
  requireRank('outer', 'b', b, 1);
  return mul(reshape(a, [a.size, 1]), b);
}

/**
 * `x · weightᵀ + bias` over the last axis. PyTorch's `F.linear`.
 *
 * @param x of shape (..., in).
 * @param weight of shape (out, in); or (in,), which drops the last axis of the result.
 * @param bias of shape (out,), or () beside a weight of one axis. Default: none.
 * @returns shape (..., out).
 * @throws ShapeError if the sizes do not fit.
 * @example
 * linear(tensor([1, 2]), tensor([[3, 4], [5, 6]]), tensor([10, 20])).toArray(); // [21, 37]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  requireTensor('linear', 'x', x);
  requireTensor('linear', 'weight', weight);
  if (bias !== undefined && bias !== null) requireTensor('linear', 'bias', bias);
  const features = weight.shape[weight.ndim - 1];
  if (x.ndim < 1 || weight.ndim < 1 || weight.ndim > 2 || x.shape[x.ndim - 1] !== features) {
    throw misfit(x.shape, weight.shape);
  }
  const out = weight.shape.slice(0, -1);
  if (bias && (bias.ndim !== out.length || bias.shape[0] !== out[0])) {
    throw new ShapeError(
      `bias has shape ${formatShape(bias.shape)} and weight ${formatShape(weight.shape)}; there must be a bias for each output.`,
      { op: 'linear', operand: 'bias', actual: bias.shape, expected: formatShape(out) },
    );
  }
  if (weight.ndim === 1) {
    const product = matmul(x, weight);
    // The product is this function's own: the sum may take its array.
    return bias ? addOver(product, bias) : product;
  }
  if (x.ndim === 2) return ofMatrices(x, weight, bias);
  // One product of two matrices, whatever the leading axes: the weight's gradient is then one product too.
  const lead = x.shape.slice(0, -1);
  const rows = lead.reduce((product, size) => product * size, 1);
  return reshape(ofMatrices(reshape(x, [rows, features]), weight, bias), [...lead, ...out]);
}

function ofMatrices(x: Tensor, weight: Tensor, bias: Tensor | null | undefined): Tensor {
  return bias ? apply(affineOp, [x, weight, bias], undefined) : apply(linearOp, [x, weight], undefined);
}

function requireRank(op: string, operand: string, x: Tensor, rank: number): void {
  requireTensor(op, operand, x);
  if (x.ndim === rank) return;
  throw new ShapeError(
    `${operand} has shape ${formatShape(x.shape)}; it takes ${rank} ${rank === 1 ? 'axis' : 'axes'}, and matmul takes any number.`,
    { op, operand, actual: x.shape, expected: `${rank} axes` },
  );
}
