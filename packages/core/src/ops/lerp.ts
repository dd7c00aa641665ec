// Linear interpolation between two tensors.

import { kernels } from '@adjoint/kernels-cpu';
import { resultType, toFloatDType } from '../dtype.ts';
import { defineOp, vjpRule } from '../registry.ts';
import { broadcastShapes } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Tensor } from '../tensor.ts';
import { mul, sub } from './arithmetic.ts';
import { type Operand, toOperand } from './operand.ts';

/** `start + weight · (end - start)`, computed from the nearer end, so that the weights 0 and 1 give the ends themselves. */
export const lerpOp = defineOp({
  name: 'lerp',
  operands: ['start', 'end', 'weight'],
  infer: ([start, end, weight]) => {
    const ends = broadcastShapes(start.shape, end.shape, 'lerp');
    const shape = broadcastShapes(ends, weight.shape, 'lerp');
    const common = { dtype: resultType(start, end), shape: ends, isNumber: false };
    const dtype = toFloatDType(resultType(common, weight));
    return { shape, dtype, compute: dtype };
  },
  forward: ([start, end, weight], out, _, shape) => kernels.lerp(start, end, weight, out, shape),
  layout: 'strided',
  broadcasts: true,
  vjps: [
    vjpRule('weight', (g, weight) => mul(g, sub(1, weight))),
    vjpRule('weight', (g, weight) => mul(g, weight)),
    vjpRule('start', 'end', (g, start, end) => mul(g, sub(end, start))),
  ],
  recycles: true,
  forwardMode: 'elementwise',
});

/**
 * `start + weight · (end - start)`, element by element, with broadcasting; weights outside [0, 1] extrapolate. Integers give
 * float32. PyTorch's `torch.lerp`.
 *
 * @throws ShapeError if the shapes do not broadcast.
 * @example
 * lerp(tensor([0, 10]), tensor([1, 20]), 0.5).toArray(); // [0.5, 15]
 */
export function lerp(start: Tensor, end: Operand, weight: Operand): Tensor {
  return apply(lerpOp, [start, toOperand(end, start), toOperand(weight, start)], undefined);
}
