// Forward mode: tangents travel with the values, one op at a time, while the function runs.
//
// Nothing is recorded for it. Each op is told of right after it ran, when all that its derivative needs is still at
// hand; its record says how the tangents of its operands make that of its result. Tangents are computed by ops, so a
// graph is recorded for them as for everything else, and forward mode of forward mode needs nothing of its own.

import { allocate, isFloat } from '../dtype.ts';
import { formatShape, GradientError, ShapeError } from '../errors.ts';
import { add } from '../ops/arithmetic.ts';
import { cast } from '../ops/cast.ts';
import { expand } from '../ops/expand-sum.ts';
import { contiguous } from '../ops/layout.ts';
import { type AnyOp, isNoGradient } from '../registry.ts';
import { sameShape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import type { Observer, OpRun } from '../tape/observer.ts';
import { Storage, Tensor } from '../tensor.ts';

/** Tangents by tensor; an observer that carries them through every op it sees. */
export class Tangents implements Observer {
  private readonly tangents = new WeakMap<Tensor, Tensor>();

  /** Says in which direction a tensor moves. */
  set(tensor: Tensor, tangent: Tensor): void {
    this.tangents.set(tensor, tangent);
  }

  /** How a tensor moves with those that were set; null if it does not depend on them. */
  of(tensor: Tensor): Tensor | null {
    return this.tangents.get(tensor) ?? null;
  }

  opRan(run: OpRun): void {
    if (!isFloat(run.output.dtype)) return;
    const tangents = run.operands.map((operand) => this.of(operand));
    if (tangents.every((tangent) => tangent === null)) return;
    const tangent = tangentOf(run, tangents);
    if (tangent !== null) this.set(run.output, conform(run, tangent));
  }
}

function tangentOf(run: OpRun, tangents: readonly (Tensor | null)[]): Tensor | null {
  const { op, operands, attrs, output } = run;
  const mode = op.forwardMode;
  if (typeof mode === 'function') return mode(tangents, operands, output, { attrs });
  if (typeof mode === 'object') {
    throw new GradientError(
      `it has no forward mode: ${mode.reason}. Reverse mode (grad, vjp) may have a rule.`,
      { op: op.name, operand: 'forwardMode' },
    );
  }
  tangents.forEach((tangent, i) => {
    if (tangent !== null) requireRule(op, i);
  });
  if (mode === 'linear') {
    const moved = operands.map((operand, i) =>
      isNoGradient(op.vjpOf(i)) ? operand : laidOut(op, tangents[i] ?? zeroFor(operand)),
    );
    return apply(op, moved, attrs);
  }
  let total: Tensor | null = null;
  tangents.forEach((tangent, i) => {
    if (tangent === null) return;
    const part =
      mode === 'multilinear'
        ? apply(
            op,
            operands.map((operand, k) => (k === i ? tangent : operand)),
            attrs,
          )
        : diagonal(run, i, tangent);
    total = total === null ? part : add(total, part);
  });
  return total;
}

// A diagonal derivative is its own transpose: the rule for the cotangent does for the tangent.
function diagonal({ op, attrs, output, slot }: OpRun, index: number, tangent: Tensor): Tensor {
  const rule = op.vjpOf(index);
  if (isNoGradient(rule)) throw noRule(op, index, rule.reason);
  const saved = op.slots[Math.min(index, op.slots.length - 1)].map(slot);
  return rule.rule(expand(cast(tangent, output.dtype), output.shape), saved, { attrs }, index);
}

// Rules of views compute strides from the operand's; the public functions on top of them see to a layout that they can
// take, which the tangent need not have.
function laidOut(op: AnyOp, tangent: Tensor): Tensor {
  return op.view === null ? tangent : contiguous(tangent);
}

// Zeros that promote as the operand does.
function zeroFor({ shape, dtype, isNumber }: Tensor): Tensor {
  const strides = shape.map(() => 0);
  return new Tensor(new Storage(allocate(dtype, 1)), shape, strides, 0, dtype, isNumber);
}

function requireRule(op: AnyOp, index: number): void {
  const rule = op.vjpOf(index);
  if (isNoGradient(rule)) throw noRule(op, index, rule.reason);
}

function noRule(op: AnyOp, index: number, reason: string): GradientError {
  return new GradientError(`operand ${op.operandName(index)} has no derivative: ${reason}`, {
    op: op.name,
    operand: op.operandName(index),
  });
}

function conform({ op, output }: OpRun, tangent: Tensor): Tensor {
  if (!sameShape(tangent.shape, output.shape)) {
    throw new ShapeError(
      `its forward mode gave a tangent of shape ${formatShape(tangent.shape)} for a result of shape ${formatShape(output.shape)}; correct forwardMode in the op's record.`,
      {
        op: op.name,
        operand: 'forwardMode',
        actual: tangent.shape,
        expected: formatShape(output.shape),
      },
    );
  }
  return cast(tangent, output.dtype);
}
