// Records of functions of one number, whose derivative is a function of one number too: what they have in common.

import type { NumericArray, Strided } from '@adjoint/kernels-cpu';
import type { NoGradient, VjpRule } from '../record.ts';
import { defineOp, type Op } from '../registry.ts';
import { inferFloat, inferSame } from './infer.ts';

/** Calls the kernel of a function of one number. A function, not the kernel itself: which tier runs may change. */
export type RunUnary = (x: Strided, out: NumericArray) => void;

/** A function of one number with a floating-point result: integers and bool give float32. */
export function floatUnary(
  name: string,
  run: RunUnary,
  rule: VjpRule<undefined> | NoGradient,
): Op<undefined> {
  return defineOp({
    name,
    operands: ['x'],
    infer: inferFloat,
    forward: (inputs, out) => run(inputs[0], out),
    layout: 'strided',
    vjps: [rule],
    forwardMode: 'elementwise',
    recycles: true,
  });
}

/** A function of one number whose result has the operand's type: integers stay integers, bool is an error. */
export function sameUnary(name: string, run: RunUnary, rule: VjpRule<undefined>): Op<undefined> {
  return defineOp({
    name,
    operands: ['x'],
    infer: inferSame(name),
    forward: (inputs, out) => run(inputs[0], out),
    layout: 'strided',
    vjps: [rule],
    forwardMode: 'elementwise',
    recycles: true,
  });
}
