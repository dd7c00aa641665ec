// Who takes the tensors that nodes save for backward: the nodes, or whoever would rather compute them again.

import type { Tensor } from '../tensor.ts';
import type { Node } from './node.ts';

/** Takes what a node that was just recorded would save. */
export type Saver = (node: Node, tensors: (Tensor | null)[]) => void;

/** The saver in charge; null: nodes keep what they save. Only {@link withSaver} writes it. */
export const saving: { current: Saver | null } = { current: null };

/** Runs `fn`; what nodes recorded meanwhile would save goes to `saver`. */
export function withSaver<T>(saver: Saver, fn: () => T): T {
  const previous = saving.current;
  saving.current = saver;
  try {
    return fn();
  } finally {
    saving.current = previous;
  }
}
