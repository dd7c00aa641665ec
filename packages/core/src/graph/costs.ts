// What each step of a graph costs: FLOPs from the op's record, bytes from shapes and dtypes.

import { bytesPerElement } from '../dtype.ts';
import type { OperandSpec } from '../record.ts';
import { sizeOf } from '../shape.ts';
import { operandsOf, type Step } from './steps.ts';

/** The work and the memory of one step, or of all. */
export interface Cost {
  /** Floating-point operations; a multiplication and an addition are two. Other element-wise work counts one per element. */
  readonly flops: number;
  /** Bytes of the operands, each once. A view reads none. */
  readonly bytesRead: number;
  /** Bytes of the result, which is allocated. A view writes none. */
  readonly bytesWritten: number;
  /** Bytes that backward needs and that neither an earlier step nor the caller keeps anyway. */
  readonly bytesSaved: number;
}

const nothing: Cost = { flops: 0, bytesRead: 0, bytesWritten: 0, bytesSaved: 0 };

/** What one step costs. */
export function costOf(step: Step, steps: readonly Step[]): Cost {
  const read = (ids: readonly number[]): number =>
    [...new Set(ids)].reduce((total, id) => total + bytesOf(steps[id]), 0);
  switch (step.kind) {
    case 'op': {
      const { op, attrs, operands, bytesSaved } = step;
      if (op.view !== null) return { ...nothing, bytesSaved };
      const flops = op.flops(
        operands.map((id) => specOf(steps[id])),
        attrs,
        step,
      );
      return { flops, bytesRead: read(operands), bytesWritten: bytesOf(step), bytesSaved };
    }
    case 'made':
      return { ...nothing, bytesRead: read(operandsOf(step)), bytesWritten: bytesOf(step) };
    case 'write':
      return { ...nothing, bytesRead: read([step.operands[1]]), bytesWritten: bytesOf(step) };
    default:
      return nothing;
  }
}

/** The sum of costs. */
export function totalCost(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (total, cost) => ({
      flops: total.flops + cost.flops,
      bytesRead: total.bytesRead + cost.bytesRead,
      bytesWritten: total.bytesWritten + cost.bytesWritten,
      bytesSaved: total.bytesSaved + cost.bytesSaved,
    }),
    nothing,
  );
}

function bytesOf({ shape, dtype }: Step): number {
  return sizeOf(shape) * bytesPerElement[dtype];
}

function specOf(step: Step): OperandSpec {
  const { shape, dtype } = step;
  return { shape, dtype, isNumber: step.kind === 'captured' && step.tensor.isNumber };
}
