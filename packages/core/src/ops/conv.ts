// The convolution family: three ops, one per operand of the trilinear form
//
//     T(x, w, y) = Σ x[n, c, o·stride − padding + q·dilation] · w[k, c, q] · y[n, k, o].
//
// Each is the partial derivative of T in the operand it gives and bilinear in the other two, so the derivatives of each
// are the other two: derivatives of any order need no fourth op. A transposed convolution is `convInputGrad`; there is no
// op of its own for it, nor a kernel. ./conv-functions.ts offers them under PyTorch's names.

import { type ConvGeometry, type FloatArray, kernels } from '@adjoint/kernels-cpu';
import { DTypeError, formatShape, ShapeError } from '../errors.ts';
import type { OperandSpec, ResultSpec } from '../record.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { type Shape, sameShape, sizeOf } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { requireFloat } from './infer.ts';

/** What a convolution reads: shape (batch, inChannels, ...inputSize). */
const shapeOfX = (g: ConvGeometry): Shape => [g.batch, g.inChannels, ...g.inputSize];
/** The kernel: shape (outChannels, inChannels / groups, ...kernelSize), with groups along the first axis. */
const shapeOfW = (g: ConvGeometry): Shape => [g.outChannels, g.inChannels / g.groups, ...g.kernelSize];
/** What a convolution gives: shape (batch, outChannels, ...outputSize). */
const shapeOfY = (g: ConvGeometry): Shape => [g.batch, g.outChannels, ...g.outputSize];

// A multiplication and an addition per term of the trilinear form, whichever of the three is computed.
const flops = (_: readonly OperandSpec[], g: ConvGeometry): number =>
  2 * sizeOf(shapeOfY(g)) * sizeOf(shapeOfW(g).slice(1));

/** Convolution (cross-correlation): y of x and w. */
export const convOp = defineOp<readonly ['x', 'w'], ConvGeometry>({
  name: 'conv',
  operands: ['x', 'w'],
  infer: ([x, w], g) => inferBilinear('conv', x, 'x', shapeOfX(g), w, 'w', shapeOfW(g), shapeOfY(g)),
  forward: ([x, w], y, g) => kernels.convForward(g, floats(x), floats(w), y as FloatArray),
  vjps: [
    vjpRule('w', (y, w, { attrs }) => convInputGrad(w, y, attrs)),
    vjpRule('x', (y, x, { attrs }) => convWeightGrad(x, y, attrs)),
  ],
  recycles: true,
  forwardMode: 'multilinear',
  flops,
});

/** The adjoint of convolution in x: x of w and y. This is the transposed convolution. */
export const convInputGradOp = defineOp<readonly ['w', 'y'], ConvGeometry>({
  name: 'convInputGrad',
  operands: ['w', 'y'],
  infer: ([w, y], g) => inferBilinear('convInputGrad', w, 'w', shapeOfW(g), y, 'y', shapeOfY(g), shapeOfX(g)),
  forward: ([w, y], x, g) => kernels.convInputGrad(g, floats(w), floats(y), x as FloatArray),
  vjps: [
    vjpRule('y', (x, y, { attrs }) => convWeightGrad(x, y, attrs)),
    vjpRule('w', (x, w, { attrs }) => conv(x, w, attrs)),
  ],
  recycles: true,
  forwardMode: 'multilinear',
  flops,
});

/** The adjoint of convolution in w: w of x and y. */
export const convWeightGradOp = defineOp<readonly ['x', 'y'], ConvGeometry>({
  name: 'convWeightGrad',
  operands: ['x', 'y'],
  infer: ([x, y], g) =>
    inferBilinear('convWeightGrad', x, 'x', shapeOfX(g), y, 'y', shapeOfY(g), shapeOfW(g)),
  forward: ([x, y], w, g) => kernels.convWeightGrad(g, floats(x), floats(y), w as FloatArray),
  vjps: [
    vjpRule('y', (w, y, { attrs }) => convInputGrad(w, y, attrs)),
    vjpRule('x', (w, x, { attrs }) => conv(x, w, attrs)),
  ],
  recycles: true,
  forwardMode: 'multilinear',
  flops,
});

/** `∂T/∂y` at `(x, w)`, for a geometry that carries every extent. */
export function conv(x: Tensor, w: Tensor, geometry: ConvGeometry): Tensor {
  return apply(convOp, [x, w], geometry);
}

/** `∂T/∂x` at `(w, y)`: the adjoint of `conv` in its first operand, which is the transposed convolution of y. */
export function convInputGrad(w: Tensor, y: Tensor, geometry: ConvGeometry): Tensor {
  return apply(convInputGradOp, [w, y], geometry);
}

/** `∂T/∂w` at `(x, y)`: the adjoint of `conv` in its second operand. */
export function convWeightGrad(x: Tensor, y: Tensor, geometry: ConvGeometry): Tensor {
  return apply(convWeightGradOp, [x, y], geometry);
}

function floats(operand: { readonly data: unknown }): FloatArray {
  return operand.data as FloatArray;
}

function inferBilinear(
  op: string,
  a: OperandSpec,
  nameA: string,
  shapeA: Shape,
  b: OperandSpec,
  nameB: string,
  shapeB: Shape,
  shape: Shape,
): ResultSpec {
  requireFloat(op, nameA, a);
  requireShape(op, nameA, a, shapeA);
  requireShape(op, nameB, b, shapeB);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(
      `${nameA} is ${a.dtype} and ${nameB} is ${b.dtype}; convert one with to('${a.dtype}').`,
      {
        op,
        operand: nameB,
        actual: b.dtype,
        expected: a.dtype,
      },
    );
  }
  return { shape, dtype: a.dtype };
}

function requireShape(op: string, operand: string, spec: OperandSpec, expected: Shape): void {
  if (sameShape(spec.shape, expected)) return;
  throw new ShapeError(
    `${operand} has shape ${formatShape(spec.shape)}, and the geometry says ${formatShape(expected)}; make the geometry from the operands' own shapes.`,
    { op, operand, actual: spec.shape, expected: formatShape(expected) },
  );
}
