// One pass backward: visits the recorded nodes from the newest to the oldest and hands cotangents to their operands.
//
// It knows nothing of the ops but their records. It is iterative, so the length of a chain is limited by memory
// only. Broadcasting and promotion are undone here, in one place, and in no rule.

import { kernels } from '@adjoint/kernels-cpu';
import { formatShape, GradientError, noTensor, ShapeError } from '../errors.ts';
import { add } from '../ops/arithmetic.ts';
import { cast } from '../ops/cast.ts';
import { sumTo } from '../ops/expand-sum.ts';
import type { VjpRule } from '../record.ts';
import { type AnyOp, isNoGradient } from '../registry.ts';
import { broadcastsTo, sameShape } from '../shape.ts';
import { enableGrad, noGrad } from '../tape/mode.ts';
import type { Node } from '../tape/node.ts';
import { report, watching } from '../tape/observer.ts';
import { beginPass, closeScope, drop, endPass, hold, isOwnSum, openScope, share } from '../tape/recycling.ts';
import { tracing } from '../tape/tracing.ts';
import { Tensor } from '../tensor.ts';

// Each pass takes two marks: `seen` for a node that it reached, `seen + 1` for one that leads to a target.
let lastMark = 0;
let depth = 0;

// What an outer pass had written on a node that a nested pass (inside a rule or a hook) goes through as well.
interface Borrowed {
  readonly node: Node;
  readonly mark: number;
  readonly cotangent: Tensor | null;
}

/** The nodes that a pass is after; `missing` is told of one that the root does not depend on, before any rule runs. */
export interface Targets {
  readonly nodes: ReadonlySet<Node>;
  readonly missing: (node: Node) => void;
}

/** As the options of `backward`. */
interface PassOptions {
  readonly retainGraph?: boolean | undefined;
  readonly createGraph?: boolean | undefined;
}

/** Goes from a root, whose cotangent is `seed`, to the targets, or without any to all leaves; `emit` is given what arrives there. */
export function runPass(
  root: Node,
  seed: Tensor,
  targets: Targets | null,
  options: PassOptions,
  emit: (node: Node, cotangent: Tensor) => void,
): void {
  const createGraph = options.createGraph ?? false;
  // While a graph is traced nothing is freed: what was saved outside of it is not the trace's to free.
  const retain = tracing.current !== null || (options.retainGraph ?? createGraph);
  lastMark += 2;
  const seen = lastMark;
  const borrowed: Borrowed[] = [];
  const order = collect(root, seen, borrowed);
  const outer = beginPass();
  depth++;
  try {
    markUseful(order, seen, targets);
    const recycles = !createGraph && tracing.current === null;
    const visitAll = (): void => {
      receive(root, seed);
      for (let i = 0; i < order.length; i++) visit(order[i], seen, retain, recycles, targets, emit);
    };
    if (createGraph) enableGrad(visitAll);
    else noGrad(visitAll);
  } finally {
    depth--;
    endPass(outer);
    for (let i = 0; i < order.length; i++) order[i].cotangent = null;
    for (const { node, mark, cotangent } of borrowed) {
      node.mark = mark;
      node.cotangent = cotangent;
    }
  }
}

// All nodes that the root depends on, each after everything computed from it: ops from the newest to the oldest, then leaves.
function collect(root: Node, seen: number, borrowed: Borrowed[]): Node[] {
  const order: Node[] = [];
  const leaves: Node[] = [];
  const stack: Node[] = [];
  const reach = (node: Node): void => {
    if (depth > 0) borrowed.push({ node, mark: node.mark, cotangent: node.cotangent });
    node.mark = seen;
    node.cotangent = null;
    if (node.op === null) {
      leaves.push(node);
    } else {
      order.push(node);
      stack.push(node);
    }
  };
  reach(root);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { parents } = node;
    for (let i = 0; i < parents.length; i++) {
      const parent = parents[i];
      if (parent !== null && parent.mark !== seen) reach(parent);
    }
  }
  // A graph without branches is found in order.
  for (let i = 1; i < order.length; i++) {
    if (order[i].id > order[i - 1].id) {
      order.sort((a, b) => b.id - a.id);
      break;
    }
  }
  for (let i = 0; i < leaves.length; i++) order.push(leaves[i]);
  return order;
}

// Marks what leads to a target. Every edge between marked nodes will be gone through, so a rule or a target that is not
// there is found here, while nothing has been computed or freed yet.
function markUseful(order: readonly Node[], seen: number, targets: Targets | null): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const target = targets === null ? node.leaf !== null : targets.nodes.has(node);
    if (leadsOn(node, seen + 1) || target) node.mark = seen + 1;
  }
  if (targets === null) return;
  for (const node of targets.nodes) if (node.mark !== seen + 1) targets.missing(node);
}

function leadsOn({ op, parents }: Node, useful: number): boolean {
  let leads = false;
  for (let i = 0; i < parents.length; i++) {
    if (parents[i]?.mark !== useful) continue;
    requireRule(op!, i);
    leads = true;
  }
  return leads;
}

function requireRule(op: AnyOp, index: number): void {
  const rule = op.vjpOf(index);
  if (!isNoGradient(rule)) return;
  throw new GradientError(`operand ${op.operandName(index)} has no gradient: ${rule.reason}`, {
    op: op.name,
    operand: op.operandName(index),
  });
}

function visit(
  node: Node,
  seen: number,
  retain: boolean,
  recycles: boolean,
  targets: Targets | null,
  emit: (node: Node, cotangent: Tensor) => void,
): void {
  let cotangent = node.cotangent;
  if (cotangent === null || node.mark !== seen + 1) return;
  node.cotangent = null;
  if (node.hooks !== null) {
    share(cotangent);
    for (const hook of node.hooks) cotangent = hook(cotangent) ?? cotangent;
  }
  if (node.op === null || targets?.nodes.has(node)) emit(node, cotangent);
  if (node.op === null) return;
  const { op, parents } = node;
  const own = recycles && op.recycles && watching.current === null;
  if (!own) share(cotangent);
  // An error may have broken off an earlier visit.
  node.byproducts = null;
  let used = false;
  for (let i = 0; i < parents.length; i++) {
    const parent = parents[i];
    if (parent === null || parent.mark !== seen + 1) continue;
    if (own) ownStep(op, i, node, cotangent, parent);
    else if (watching.current === null) step(op, i, node, cotangent, parent);
    else watchedStep(op, i, node, cotangent, parent);
    used = true;
  }
  dropByproducts(node);
  drop(cotangent);
  if (used && !retain) node.free();
}

function dropByproducts(node: Node): void {
  const { byproducts } = node;
  if (byproducts === null) return;
  for (let i = 0; i < byproducts.length; i++) drop(byproducts[i]);
  node.byproducts = null;
}

// What is saved is asked for first: to compute it again may take anybody's code.
function ownStep(op: AnyOp, index: number, node: Node, cotangent: Tensor, parent: Node): void {
  if (op.cut !== null && addToCut(op.cut, node, cotangent, parent)) return;
  const saved = savedFor(op, index, node);
  const start = openScope();
  const { rule } = op.vjpOf(index) as VjpRule<unknown>;
  receive(parent, conform(op, index, rule(cotangent, saved, node, index), parent));
  closeScope(start);
}

function step(op: AnyOp, index: number, node: Node, cotangent: Tensor, parent: Node): void {
  receive(parent, conform(op, index, ruleResult(op, index, node, cotangent), parent));
}

function ruleResult(op: AnyOp, index: number, node: Node, cotangent: Tensor): Tensor {
  const { rule } = op.vjpOf(index) as VjpRule<unknown>;
  const result = rule(cotangent, savedFor(op, index, node), node, index);
  if (!(result instanceof Tensor))
    throw noTensor(op.name, `what the derivative rule of operand ${op.operandName(index)} gave`, result);
  return result;
}

const nothing: readonly Tensor[] = [];

function savedFor(op: AnyOp, index: number, node: Node): readonly Tensor[] {
  const slots = index < op.slots.length ? op.slots[index] : undefined;
  if (slots === undefined || slots.length === 0) return nothing;
  // Written out, since V8 makes such a list in place.
  if (slots.length === 1) return [node.unpack(slots[0])];
  return slots.map((slot) => node.unpack(slot));
}

function watchedStep(op: AnyOp, index: number, node: Node, cotangent: Tensor, parent: Node): void {
  report((observer) => observer.ruleStarts?.(node, index, cotangent));
  try {
    const result = ruleResult(op, index, node, cotangent);
    report((observer) => observer.ruleRan?.(node, index, cotangent, result));
    receive(parent, conform(op, index, result, parent));
  } finally {
    report((observer) => observer.ruleEnds?.(node, index));
  }
}

// Undoes broadcasting and promotion: the cotangent takes the shape and dtype of the operand.
function conform(op: AnyOp, index: number, cotangent: Tensor, parent: Node): Tensor {
  let result = cotangent;
  if (!sameShape(result.shape, parent.shape)) {
    if (!op.broadcasts || !broadcastsTo(parent.shape, result.shape)) {
      throw new ShapeError(
        `the derivative rule of operand ${op.operandName(index)} gave shape ${formatShape(result.shape)} for an operand of shape ${formatShape(parent.shape)}; correct the rule in the op's record.`,
        {
          op: op.name,
          operand: op.operandName(index),
          actual: result.shape,
          expected: formatShape(parent.shape),
        },
      );
    }
    result = sumTo(result, parent.shape);
  }
  return result.dtype === parent.dtype ? result : cast(result, parent.dtype);
}

// Adds the cotangent of a cut to its part of the engine's own array, if what came before lies in one. A sum with the zeros that the rule
// gives beside that part would have the same bits, but that it makes a negative zero a positive one.
function addToCut(cut: NonNullable<AnyOp['cut']>, node: Node, cotangent: Tensor, parent: Node): boolean {
  const before = parent.cotangent;
  if (before === null || !isOwnSum(before, 1)) return false;
  const { data } = before;
  const { strides, offset } = cut(before, node.attrs, node.shape);
  kernels.addTo(cotangent, { data, shape: node.shape, strides, offset });
  return true;
}

// Whose sum it is makes no difference to its bits: the engine's own array takes it, if what came before lies in one.
function receive(node: Node, cotangent: Tensor): void {
  const before = node.cotangent;
  if (before === null) {
    hold(cotangent);
    node.cotangent = cotangent;
  } else if (isOwnSum(before, 1) && before.storage !== cotangent.storage && watching.current === null) {
    kernels.add(before, cotangent, before.data, before.shape);
  } else {
    const sum = add(before, cotangent);
    hold(sum);
    node.cotangent = sum;
    drop(before);
  }
}
