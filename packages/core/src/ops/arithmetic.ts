// Arithmetic of two operands, with broadcasting and promotion: the records that all other rules are written in.

import { kernels } from '@adjoint/kernels-cpu';
import { defineOp, vjpRule } from '../registry.ts';
import { apply, applyOver } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { inferArithmetic, inferFloatBinary, inferSame } from './infer.ts';
import { logicalAndOp, logicalOrOp } from './logic.ts';
import { type Operand, toOperand } from './operand.ts';

/** `a + b`. */
export const addOp = defineOp({
  name: 'add',
  operands: ['a', 'b'],
  infer: inferArithmetic('add'),
  forward: (inputs, out, _, shape) => kernels.add(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule((g) => g), vjpRule((g) => g)],
  recycles: true,
  forwardMode: 'linear',
});

/** `a - b`. */
export const subOp = defineOp({
  name: 'sub',
  operands: ['a', 'b'],
  infer: inferArithmetic('sub'),
  forward: (inputs, out, _, shape) => kernels.sub(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule((g) => g), vjpRule((g) => neg(g))],
  recycles: true,
  forwardMode: 'linear',
});

/** `a * b`. */
export const mulOp = defineOp({
  name: 'mul',
  operands: ['a', 'b'],
  infer: inferArithmetic('mul'),
  forward: (inputs, out, _, shape) => kernels.mul(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule('b', (g, b) => mul(g, b)), vjpRule('a', (g, a) => mul(g, a))],
  recycles: true,
  forwardMode: 'multilinear',
});

/** `a / b`, a true division: integers give float32. */
export const divOp = defineOp({
  name: 'div',
  operands: ['a', 'b'],
  infer: inferFloatBinary('div'),
  forward: (inputs, out, _, shape) => kernels.div(inputs[0], inputs[1], out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [vjpRule('b', (g, b) => div(g, b)), vjpRule('b', 'output', (g, b, y) => neg(mul(g, div(y, b))))],
  recycles: true,
  forwardMode: 'elementwise',
});

/** `-x`. */
export const negOp = defineOp({
  name: 'neg',
  operands: ['x'],
  infer: inferSame('neg'),
  forward: ([x], out) => kernels.neg(x, out),
  layout: 'strided',
  vjps: [vjpRule((g) => neg(g))],
  recycles: true,
  forwardMode: 'linear',
});

/**
 * Adds, element by element, with broadcasting and type promotion; of two bools it is `logicalOr`. PyTorch's `torch.add`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * add(tensor([1, 2]), 10).toArray(); // [11, 12]
 */
export function add(a: Operand, b: Operand): Tensor {
  const left = toOperand(a, b);
  const right = toOperand(b, a);
  return apply(areBool(left, right) ? logicalOrOp : addOp, [left, right], undefined);
}

/**
 * `sum + b`, in the array of `sum` where that can be: for a result that no derivative rule reads and that the caller alone has
 * seen, and will not look at again.
 */
export function addOver(sum: Tensor, b: Tensor): Tensor {
  return applyOver(addOp, [sum, b], undefined);
}

/**
 * Subtracts, element by element, with broadcasting and type promotion. PyTorch's `torch.sub`.
 *
 * @throws ShapeError if the shapes do not broadcast; DTypeError for two bools.
 * @example
 * sub(10, tensor([1, 2])).toArray(); // [9, 8]
 */
export function sub(a: Operand, b: Operand): Tensor {
  return apply(subOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * Multiplies, element by element, with broadcasting and type promotion; of two bools it is `logicalAnd`. PyTorch's
 * `torch.mul`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * mul(tensor([[1], [2]]), tensor([3, 4])).toArray(); // [[3, 4], [6, 8]]
 */
export function mul(a: Operand, b: Operand): Tensor {
  const left = toOperand(a, b);
  const right = toOperand(b, a);
  return apply(areBool(left, right) ? logicalAndOp : mulOp, [left, right], undefined);
}

// From JavaScript an operand may be nothing at all; `apply` says so.
function areBool(a: Tensor, b: Tensor): boolean {
  return a?.dtype === 'bool' && b?.dtype === 'bool';
}

/**
 * Divides, element by element, with broadcasting; integers give float32. PyTorch's `torch.div`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * div(tensor([1, 2]), 4).toArray(); // [0.25, 0.5]
 */
export function div(a: Operand, b: Operand): Tensor {
  return apply(divOp, [toOperand(a, b), toOperand(b, a)], undefined);
}

/**
 * Changes the sign of each element. PyTorch's `torch.neg`.
 *
 * @throws DTypeError for bool.
 * @example
 * neg(tensor([1, -2])).toArray(); // [-1, 2]
 */
export function neg(x: Tensor): Tensor {
  return apply(negOp, [x], undefined);
}
