// Derivatives that have a kernel: what they have in common as ops. Each multiplies a cotangent by the derivative of a function of one number,
// in one pass, and is linear in the cotangent. Whoever runs backward runs these, so its bits do not depend on who looks on.

import type { NumericArray, Strided } from '@adjoint/kernels-cpu';
import type { OperandSpec, ResultSpec, VjpRule } from '../record.ts';
import { defineOp, type Op, vjpRule } from '../registry.ts';
import type { Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './arithmetic.ts';
import { zerosLike } from './create.ts';
import { requireFloat, requireOperand } from './infer.ts';

/** What makes up the record of a derivative `f'`. */
interface Derivative<Attrs> {
  /** Its name: that of the function and `Grad`. */
  readonly name: string;
  /** What the derivative is written in: the operand `x` of the function, or its result `y`. */
  readonly of: 'x' | 'y';
  /** Calls its kernel, for `g · f'(a)`. A function, not the kernel itself: which tier runs may change. */
  readonly run: (g: Strided, a: Strided, out: NumericArray, attrs: Attrs, shape: Shape) => void;
  /** Its own derivative, in ops: `gh · f''(a)`. Left out where that is 0 everywhere, as for straight lines. */
  readonly bend?: (gh: Tensor, a: Tensor, attrs: Attrs) => Tensor;
}

/**
 * The record of a derivative as an op of two operands, `g` and what the derivative is written in: `g · f'(a)`. The attributes are those of the
 * function.
 */
export function derivativeOp<Attrs = undefined>({ name, of, run, bend }: Derivative<Attrs>): Op<Attrs> {
  const inA: VjpRule<Attrs> =
    bend === undefined
      ? vjpRule((h) => zerosLike(h))
      : vjpRule('g', of, (h, g, a, { attrs }) => bend(mul(h, g), a, attrs));
  const op: Op<Attrs> = defineOp<readonly ['g', 'x' | 'y'], Attrs>({
    name,
    operands: ['g', of],
    infer: (operands) => inferDerivative(name, of, operands),
    forward: (operands, out, attrs, shape) => run(operands[0], operands[1], out, attrs, shape),
    layout: 'strided',
    vjps: [vjpRule(of, (h, a, { attrs }) => apply(op, [h, a], attrs)), inA],
    recycles: true,
    forwardMode: 'elementwise',
  });
  return op;
}

function inferDerivative(name: string, of: string, operands: readonly OperandSpec[]): ResultSpec {
  const [g, a] = operands;
  requireFloat(name, of, a);
  requireOperand(name, 'g', g, a.shape);
  return { shape: a.shape, dtype: g.dtype };
}
