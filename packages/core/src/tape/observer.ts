// Watching ops as they run: what forward mode, anomaly detection, explanations and checks are built on.
//
// The tape tells an observer of every op, recorded or not, right after it ran, while all its operands are at hand; backward
// tells it of every derivative rule. Observers nest. What one does in answer is seen by those around it and not by
// itself: so forward mode of forward mode is a derivative of a derivative.

import type { AnyOp } from '../registry.ts';
import type { Tensor } from '../tensor.ts';
import type { Node } from './node.ts';

/** An op that ran. */
export interface OpRun {
  readonly op: AnyOp;
  readonly operands: readonly Tensor[];
  readonly attrs: unknown;
  readonly output: Tensor;
  /** The tensor that derivative rules know by this slot: an operand, the output, or what the forward rule kept. */
  readonly slot: (slot: number) => Tensor;
}

/** What ops and rules are reported to; each part may be left out. */
export interface Observer {
  opRan?(run: OpRun): void;
  /** Backward is about to run the derivative rule of operand `index` of `node`. */
  ruleStarts?(node: Node, index: number, cotangent: Tensor): void;
  /** It gave `result`, not yet brought to the operand's shape and dtype. */
  ruleRan?(node: Node, index: number, cotangent: Tensor, result: Tensor): void;
  /** What it gave has been added to the operand's cotangent; or it failed. */
  ruleEnds?(node: Node, index: number): void;
}

interface Watch {
  readonly observer: Observer;
  readonly outer: Watch | null;
}

/** The innermost observer; the tape looks here once per op. Only the functions below write it. */
export const watching: { current: Watch | null } = { current: null };

/** Runs `fn` and reports to `observer` every op and rule that runs meanwhile. */
export function observe<T>(observer: Observer, fn: () => T): T {
  const outer = watching.current;
  watching.current = { observer, outer };
  try {
    return fn();
  } finally {
    watching.current = outer;
  }
}

/** As {@link observe}, but what runs meanwhile is hidden from the observers around. */
export function observeAlone<T>(observer: Observer, fn: () => T): T {
  const outer = watching.current;
  watching.current = { observer, outer: null };
  try {
    return fn();
  } finally {
    watching.current = outer;
  }
}

/** Reports to every observer, the outermost first: its answer to an op is there when the inner ones ask for it. */
export function report(tell: (observer: Observer) => void): void {
  const innermost = watching.current;
  try {
    reportTo(innermost, tell);
  } finally {
    watching.current = innermost;
  }
}

function reportTo(watch: Watch | null, tell: (observer: Observer) => void): void {
  if (watch === null) return;
  reportTo(watch.outer, tell);
  watching.current = watch.outer;
  tell(watch.observer);
}
