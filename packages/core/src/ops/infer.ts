// Shape and dtype rules that many records share.

import { type DType, isFloat, resultType, toFloatDType } from '../dtype.ts';
import { DTypeError, formatShape, noTensor, ShapeError } from '../errors.ts';
import type { OperandSpec, ResultSpec } from '../record.ts';
import { broadcastShapes, type Shape, sameShape, sizeOf } from '../shape.ts';

type Infer = (operands: readonly OperandSpec[]) => ResultSpec;

/** The common type of two operands. @throws DTypeError if that is bool. */
export function arithmeticDType(op: string, a: OperandSpec, b: OperandSpec): DType {
  const dtype = resultType(a, b);
  if (dtype === 'bool') throw boolError(op);
  return dtype;
}

/** Two operands broadcast; the result has their common type, which is not bool. */
export function inferArithmetic(op: string): Infer {
  return (operands) => {
    const a = operands[0];
    const b = operands[1];
    const dtype = arithmeticDType(op, a, b);
    return { shape: broadcastShapes(a.shape, b.shape, op), dtype, compute: dtype };
  };
}

/** Two operands broadcast; the result has their common type, which may be bool. */
export function inferCommon(op: string): Infer {
  return (operands) => {
    const a = operands[0];
    const b = operands[1];
    const dtype = resultType(a, b);
    return { shape: broadcastShapes(a.shape, b.shape, op), dtype, compute: dtype };
  };
}

/** Two operands broadcast; the result is floating-point, float32 for integers. */
export function inferFloatBinary(op: string): Infer {
  return (operands) => {
    const a = operands[0];
    const b = operands[1];
    const dtype = toFloatDType(resultType(a, b));
    return { shape: broadcastShapes(a.shape, b.shape, op), dtype, compute: dtype };
  };
}

/** Two operands broadcast and are compared in their common type; the result is bool. */
export function inferComparison(op: string): Infer {
  return ([a, b]) => ({
    shape: broadcastShapes(a.shape, b.shape, op),
    dtype: 'bool',
    compute: resultType(a, b),
  });
}

/** One operand; the result has its shape and type, which is not bool. */
export function inferSame(op: string): Infer {
  return (operands) => {
    const { shape, dtype } = operands[0];
    if (dtype === 'bool') throw boolError(op);
    return { shape, dtype };
  };
}

/** One operand; the result has its shape and is floating-point, float32 for integers and bool. */
export function inferFloat(operands: readonly OperandSpec[]): ResultSpec {
  const { shape, dtype: own } = operands[0];
  const dtype = toFloatDType(own);
  return { shape, dtype, compute: dtype };
}

/** Floating-point operations of what only moves elements, or converts them. */
export const noFlops = (): number => 0;

/** Floating-point operations of a reduction: one per element that goes in. */
export function flopsPerElement([x]: readonly OperandSpec[]): number {
  return sizeOf(x.shape);
}

/** @throws DTypeError unless the operand is floating-point. */
export function requireFloat(op: string, operand: string, spec: OperandSpec): void {
  if (isFloat(spec?.dtype)) return;
  // Not every function that looks at the type first knows that it looks at a tensor.
  if (spec?.dtype === undefined) throw noTensor(op, operand, spec);
  throw new DTypeError(
    `${operand} is ${spec.dtype}; convert it to a floating-point type first, e.g. to('float32').`,
    {
      op,
      operand,
      actual: spec.dtype,
      expected: 'a floating-point dtype',
    },
  );
}

/** @throws DTypeError unless the operand is floating-point; ShapeError unless it has the shape that the rest of the call asks for. */
export function requireOperand(op: string, operand: string, spec: OperandSpec, expected: Shape): void {
  requireFloat(op, operand, spec);
  requireExtents(op, operand, spec, expected);
}

/** @throws ShapeError unless the operand, of whatever type, has the shape that the rest of the call asks for. */
export function requireExtents(op: string, operand: string, { shape }: OperandSpec, expected: Shape): void {
  if (sameShape(shape, expected)) return;
  throw new ShapeError(
    `${operand} has shape ${formatShape(shape)}; the rest of the call (other operands, geometry) asks for ${formatShape(expected)}.`,
    { op, operand, actual: shape, expected: formatShape(expected) },
  );
}

function boolError(op: string): DTypeError {
  return new DTypeError(
    `arithmetic on bool is not defined; convert with to('int32'), or use the logical ops.`,
    {
      op,
      actual: 'bool',
      expected: 'a numeric dtype',
    },
  );
}

/** Throws for a tensor without axes, which `checkAxis` takes for one of a single axis. */
export function requireSomeAxis(op: string, operand: string, { shape }: OperandSpec): void {
  if (shape.length > 0) return;
  throw new ShapeError(
    `${operand} has no axes; give a tensor of at least one, such as ${operand}.reshape([1]).`,
    {
      op,
      operand,
      actual: [],
      expected: 'at least one axis',
    },
  );
}
