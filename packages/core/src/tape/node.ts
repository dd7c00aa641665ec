// A node of the recorded graph: which op ran, where its operands came from, and what its derivative rules will read.
//
// A node never holds an operand that no rule asked for, so memory is freed as soon as the user lets go of it.

import type { DType } from '../dtype.ts';
import { GradientError, MutationError } from '../errors.ts';
import type { AnyOp } from '../registry.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

let created = 0;

/** A step of the tape. Ids grow with time, so decreasing id is an order in which backward may visit nodes. */
export class Node {
  readonly id: number;
  /** The op that ran; null for a leaf. */
  readonly op: AnyOp | null;
  /** The op's parameters, as its rules receive them. */
  readonly attrs: unknown;
  /** Per operand, the node it came from, or null where no gradient is needed. */
  readonly parents: readonly (Node | null)[];
  /** Shape and dtype of the value that this node computed: what its cotangent must have. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** The tensor that collects the gradient; null unless this node is a leaf. */
  readonly leaf: Tensor | null;

  /** Saved tensors by slot: operands first, then the output, then what the forward rule kept; null where not saved. */
  private saved: (Tensor | null)[] | null = null;
  /** Their versions when they were saved; null while those are 0, as all are but of what is changed in place. */
  private versions: number[] | null = null;
  private freed = false;
  /** Computes the saved tensors again and hands them back by `restore`; null where they are kept. */
  private recompute: (() => void) | null = null;

  /** Functions that see, and may replace, the cotangent of this node's value. */
  hooks: ((cotangent: Tensor) => Tensor | undefined)[] | null = null;

  /** Scratch of the running backward pass: which pass has seen this node, and the cotangent gathered so far. */
  mark = 0;
  cotangent: Tensor | null = null;
  /** What the rules of the running visit came by; see RuleContext. */
  byproducts: readonly Tensor[] | null = null;

  constructor(
    op: AnyOp | null,
    attrs: unknown,
    parents: readonly (Node | null)[],
    shape: Shape,
    dtype: DType,
    leaf: Tensor | null,
  ) {
    this.id = ++created;
    this.op = op;
    this.attrs = attrs;
    this.parents = parents;
    this.shape = shape;
    this.dtype = dtype;
    this.leaf = leaf;
  }

  /** The node of a tensor that the user made. */
  static leaf(tensor: Tensor): Node {
    return new Node(null, undefined, [], tensor.shape, tensor.dtype, tensor);
  }

  /** What to call this node in a message. */
  get name(): string {
    return this.op === null ? 'leaf' : this.op.name;
  }

  /** Keeps the tensors of the given slots until the graph is freed. */
  save(tensors: (Tensor | null)[]): void {
    this.saved = tensors;
    for (let i = 0; i < tensors.length; i++) {
      const tensor = tensors[i];
      if (tensor === null || tensor.storage.version === 0) continue;
      this.versions ??= new Array<number>(tensors.length).fill(0);
      this.versions[i] = tensor.storage.version;
    }
  }

  /** Keeps nothing but the versions of the given slots, and a way to get the tensors when a rule asks for them. */
  defer(tensors: (Tensor | null)[], recompute: () => void): void {
    this.save(tensors);
    this.saved = null;
    this.recompute = recompute;
  }

  /** Takes back tensors that were deferred; they must be of the versions that they had. */
  restore(tensors: (Tensor | null)[]): void {
    if (!this.freed) this.saved = tensors;
  }

  /**
   * The saved tensor of a slot.
   *
   * @throws GradientError if the graph was freed by an earlier backward pass.
   * @throws MutationError if the tensor was changed in place since it was saved.
   */
  unpack(slot: number): Tensor {
    if (this.freed) throw freedError(this.name);
    if (this.saved === null) this.recompute!();
    const tensor = this.saved![slot]!;
    const version = this.versions === null ? 0 : this.versions[slot];
    if (tensor.storage.version !== version) throw staleError(this.op!, slot, tensor, version);
    return tensor;
  }

  /** Lets go of the saved tensors; a leaf has none and stays usable. */
  free(): void {
    if (this.op === null) return;
    this.saved = null;
    this.versions = null;
    this.recompute = null;
    this.freed = true;
  }

  /** The tensors that this node keeps alive for its backward rules. */
  get savedTensors(): readonly Tensor[] {
    return (this.saved ?? []).filter((tensor) => tensor !== null);
  }
}

function freedError(name: string): GradientError {
  return new GradientError(
    `the tensors that '${name}' saved were freed by an earlier backward pass through it; pass { retainGraph: true } to that pass to go through the graph again.`,
    { op: 'backward', operand: name },
  );
}

function staleError(op: AnyOp, slot: number, tensor: Tensor, version: number): MutationError {
  const which = op.slotName(slot);
  const { lastMutation, version: now } = tensor.storage;
  return new MutationError(
    `'${op.name}' saved its ${which} for backward at version ${version}, and '${lastMutation}' has since changed it in place ` +
      `(now version ${now}); run backward before the change, or change a copy (clone()).`,
    { op: op.name, operand: which, actual: now, expected: `version ${version}` },
  );
}
