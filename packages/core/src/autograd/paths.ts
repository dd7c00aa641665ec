// Walks over the recorded graph, iterative as backward is: a chain of a million ops must not overflow the stack.

import type { Node } from '../tape/node.ts';

/** Every node that `root` was computed from, and itself. */
export function ancestors(root: Node): Set<Node> {
  const found = new Set([root]);
  for (const node of found) {
    for (const parent of node.parents) if (parent !== null) found.add(parent);
  }
  return found;
}

/** Whether `root` was computed from `source`, or is it. */
export function leadsTo(root: Node, source: Node): boolean {
  return ancestors(root).has(source);
}
