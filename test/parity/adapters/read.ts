// Reading a case's arguments with their types checked, so that an adapter is one line.

import { Tensor } from '@adjoint/core';
import type { Adapter, Operand } from '../suite.ts';

/** The argument as a tensor. */
export function tensorOf(operand: Operand | undefined): Tensor {
  if (operand instanceof Tensor) return operand;
  throw new Error(`the fixture has ${operand} where the adapter reads a tensor`);
}

/** The argument as a tensor, or undefined where it is left out. */
export function optionalTensor(operand: Operand | undefined): Tensor | undefined {
  return operand === null || operand === undefined ? undefined : tensorOf(operand);
}

/** The argument as a list of tensors. */
export function tensorsOf(operand: Operand | undefined): Tensor[] {
  if (Array.isArray(operand)) return operand.map(tensorOf);
  throw new Error(`the fixture has ${operand} where the adapter reads a list of tensors`);
}

/** The argument as a tensor or a plain number. */
export function operandOf(operand: Operand | undefined): Tensor | number {
  return typeof operand === 'number' ? operand : tensorOf(operand);
}

/** An op of one tensor. */
export const unary =
  (op: (x: Tensor) => Tensor): Adapter =>
  ([x]) =>
    op(tensorOf(x));

/** An op of two operands, either of which may be a number. */
export const binary =
  (op: (a: Tensor | number, b: Tensor | number) => Tensor): Adapter =>
  ([a, b]) =>
    op(operandOf(a), operandOf(b));

/** An op of one tensor and an options object, with one result or several. */
export const withOptions =
  <Options>(op: (x: Tensor, options: Options) => Tensor | readonly Tensor[]): Adapter =>
  ([x], options) =>
    // The fixture's options are named as Adjoint's are; that they are of their types is what the case tests.
    op(tensorOf(x), options as Options);
