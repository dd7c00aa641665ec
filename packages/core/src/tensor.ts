// Tensor: an ordinary typed array seen through a shape, strides and an offset, and its place in the graph.
//
// The garbage collector owns the array; nothing is ever disposed. Ops are functions in ./ops; ./methods.ts, which the
// root entry loads, puts them on this class as methods.

import { kernels, type NumericArray } from '@adjoint/kernels-cpu';
import { type DType, isFloat, isHalf } from './dtype.ts';
import { ArgumentError, DTypeError, formatShape, GradientError, noTensor } from './errors.ts';
import { formatTensor } from './format.ts';
import { decodeHalf } from './half.ts';
import { isRowMajor, rowMajorStrides, type Shape, sizeOf } from './shape.ts';
import { Node } from './tape/node.ts';
import { tracing } from './tape/tracing.ts';
import { allocateUnfilled } from './unfilled.ts';

/** An array and the count of changes made to it in place; views share one storage. */
export class Storage {
  readonly data: NumericArray;
  /** Grows by one with each change in place. */
  version = 0;
  /** The op that made the last change in place, for the error that a stale saved tensor causes. */
  lastMutation = '';
  /** How many cotangents of a backward pass lie in the array, if nobody but the engine has seen it; else -1. See tape/recycling.ts. */
  holders = -1;

  constructor(data: NumericArray) {
    this.data = data;
  }

  /** Whether there is an array; a tensor that stands for a result while a graph is traced has none. */
  get hasValues(): boolean {
    return true;
  }
}

// Nodes of leaves whose requiresGrad was turned off: graphs that were recorded before still end in them, so they are what
// the leaf gets back when it is turned on again.
const retired = new WeakMap<Tensor, Node>();

/** Nested arrays of numbers, as deep as the tensor has axes. */
export type NestedArray = number | NestedArray[];

/**
 * An n-dimensional array of one element type, and, if it requires a gradient, a point of the graph that computed it.
 *
 * Make one with `tensor`, `zeros`, `randn` and their like rather than by this constructor, which adopts its arguments
 * unchecked.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * sum(mul(x, x)).backward();
 * x.grad!.toArray(); // [[2, 4], [6, 8]]
 */
export class Tensor {
  /** The array, and how often it was changed in place; views share it. */
  readonly storage: Storage;
  /** Number of elements along each axis; `[]` for a single number. */
  readonly shape: Shape;
  /** Elements to step per index, per axis; 0 on an expanded axis. */
  readonly strides: readonly number[];
  /** Index in `data` of the first element. */
  readonly offset: number;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Made from a plain number beside a tensor; such an operand does not widen the result's type. */
  readonly isNumber: boolean;
  /** Where this tensor stands in the graph; null if no gradient flows through it. */
  node: Node | null = null;
  /** The gradient accumulated by `backward()`; only leaves have one. */
  grad: Tensor | null = null;

  constructor(
    storage: Storage,
    shape: Shape,
    strides: readonly number[],
    offset: number,
    dtype: DType,
    isNumber = false,
  ) {
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.isNumber = isNumber;
  }

  /**
   * The array behind the tensor, in storage form (16-bit floats as their bits). Views share it. Do not write to it: unlike `copy_`
   * that goes unnoticed, and derivatives that saved the old values are then wrong. Small arrays share their `buffer` with others: to
   * transfer one to a worker, transfer what `toTypedArray` gives.
   */
  get data(): NumericArray {
    return this.storage.data;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Whether gradients flow to this tensor. */
  get requiresGrad(): boolean {
    return this.node !== null;
  }

  /**
   * Turns a tensor into a leaf that collects gradients, or ends that.
   *
   * @throws DTypeError for element types that are not floating-point.
   * @throws GradientError when turned off on the result of an op (use `detach()`).
   */
  set requiresGrad(value: boolean) {
    if (value === (this.node !== null)) return;
    if (!value) {
      if (!this.isLeaf) {
        throw new GradientError(
          `the tensor of shape ${formatShape(this.shape)} is the result of '${this.node!.name}', not a leaf; use detach() to get it without its graph.`,
          { op: 'requiresGrad' },
        );
      }
      retired.set(this, this.node!);
      this.node = null;
      return;
    }
    if (!isFloat(this.dtype)) {
      throw new DTypeError(
        `only floating-point tensors can require a gradient, and this one is ${this.dtype}; convert it with to('float32') first.`,
        { op: 'requiresGrad', actual: this.dtype, expected: 'a floating-point dtype' },
      );
    }
    this.node = retired.get(this) ?? Node.leaf(this);
  }

  /** Sets `requiresGrad` and returns the tensor, for use in an expression (PyTorch `requires_grad_`). */
  requiresGrad_(value = true): this {
    this.requiresGrad = value;
    return this;
  }

  /** Whether the tensor was made by the user rather than computed by a recorded op. */
  get isLeaf(): boolean {
    return this.node === null || this.node.leaf !== null;
  }

  /** Whether the elements lie one after another in row-major order. */
  get isContiguous(): boolean {
    return isRowMajor(this.shape, this.strides);
  }

  /** The same values without the graph: shares the array, requires no gradient. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape, this.strides, this.offset, this.dtype);
  }

  /**
   * The elements in row-major order, as a fresh ordinary array of the type they compute in (float32 for 16-bit floats).
   *
   * @example
   * tensor([1, 2, 3]).toTypedArray(); // Float32Array [1, 2, 3]
   */
  toTypedArray(): NumericArray {
    tracing.current?.reads('toTypedArray', this);
    // The array first: a tensor without values says so before anything of its size is allocated.
    const { data, shape, strides, offset } = this;
    const stored = allocateUnfilled(this.dtype, this.size);
    kernels.copy({ data, shape, strides, offset }, stored);
    return isHalf(this.dtype) ? decodeHalf(this.dtype, stored as Uint16Array) : stored;
  }

  /** The elements as nested arrays of numbers (a plain number for a 0-d tensor). */
  toArray(): NestedArray {
    tracing.current?.reads('toArray', this);
    const flat = this.toTypedArray();
    let next = 0;
    const build = (axis: number): NestedArray =>
      axis === this.shape.length
        ? flat[next++]
        : Array.from({ length: this.shape[axis] }, () => build(axis + 1));
    return build(0);
  }

  /**
   * The value of a tensor of one element.
   *
   * @throws ArgumentError if there is more or less than one element.
   */
  item(): number {
    if (this.size !== 1) {
      throw new ArgumentError(
        `the tensor of shape ${formatShape(this.shape)} has ${this.size} elements, not one; reduce it or index it first.`,
        { op: 'item', operand: 'tensor', actual: this.shape, expected: 'exactly one element' },
      );
    }
    tracing.current?.reads('item', this);
    const stored = this.data[this.offset];
    return isHalf(this.dtype) ? decodeHalf(this.dtype, Uint16Array.of(stored))[0] : stored;
  }

  /** The values, shortened as NumPy does, with dtype and graph where they are not the default. */
  toString(): string {
    return formatTensor(this);
  }

  /**
   * What JavaScript's own operators see: the value of a tensor of one element, else an error. `x + 1` and `x > 1` cannot be ops,
   * for the language has no operator overloading.
   *
   * @throws ArgumentError for a tensor of more or less than one element, except as part of a template string.
   */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === 'string') return formatTensor(this);
    if (this.size === 1) return this.item();
    throw new ArgumentError(
      `an operator such as + or > was used on a tensor of shape ${formatShape(this.shape)}; use the functions add, sub, mul, div, gt, lt, eq … or, for text, toString().`,
      { op: 'operator', operand: 'tensor', actual: this.shape, expected: 'one element' },
    );
  }

  /** What `JSON.stringify` writes: shape, dtype, and the values in row-major order (NaN and infinities become null). */
  toJSON(): { shape: Shape; dtype: DType; data: number[] } {
    return { shape: this.shape, dtype: this.dtype, data: Array.from(this.toTypedArray()) };
  }

  /** What `console.log` and `util.inspect` show in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return formatTensor(this);
  }
}

/** A contiguous tensor that adopts `data`, whose length is the size of `shape`. */
export function fromArray(data: NumericArray, shape: Shape, dtype: DType): Tensor {
  return new Tensor(new Storage(data), shape, rowMajorStrides(shape), 0, dtype);
}

/**
 * Checks that an operand is a tensor: plain JavaScript lets an array pass, or nothing. For functions and layers of your own that look
 * at a shape before they call an op; ops look themselves.
 *
 * @param op the function, as errors name it.
 * @throws ArgumentError that names the operand and what it is.
 * @example
 * const head = (x: Tensor) => {
 *   requireTensor('head', 'x', x);
 *   return x.slice([{ stop: 2 }]);
 * };
 * head(tensor([1, 2, 3])).toArray(); // [1, 2]
 */
export function requireTensor(op: string, operand: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw noTensor(op, operand, value);
}
