// Trees of state as JSON and tensors, and back: what a checkpoint makes of state dicts, counters and histories.
//
// Every value comes back as it was, bit for bit. JSON has no NaN, no infinities, no -0 and no undefined, and a tensor has no place
// in it: these stand as { "$": [kind, …] }, and an object that has a key "$" itself is written as its entries.

import { ArgumentError, type DType, Tensor, tensor } from '@adjoint/core';

/** JSON, and the tensors that it refers to by name. */
export interface PackedTree {
  readonly json: unknown;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** The deepest tree that is packed; far beyond that of any state, and not so deep that a walk overflows the stack. */
export const MAX_DEPTH = 100;

const MARK = '$';

// Typed arrays that may stand in a tree, as tensors with one axis of the type that each has the elements of.
const arrays = {
  Float32Array: { type: Float32Array, dtype: 'float32' },
  Float64Array: { type: Float64Array, dtype: 'float64' },
  Int32Array: { type: Int32Array, dtype: 'int32' },
  Uint8Array: { type: Uint8Array, dtype: 'uint8' },
} as const satisfies Record<string, { readonly type: unknown; readonly dtype: DType }>;

const specialNumbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

/**
 * Takes a tree apart. It may hold null, undefined, booleans, numbers, strings, arrays, plain objects, tensors, and arrays of
 * type Float32Array, Float64Array, Int32Array and Uint8Array. Tensors are named by their path; they are not copied.
 *
 * @throws ArgumentError that names the path of a value of any other kind (a function, a Date, a Map), or of a branch deeper
 * than {@link MAX_DEPTH}, as one that contains itself is.
 */
export function packTree(tree: unknown, op: string): PackedTree {
  const tensors: Record<string, Tensor> = Object.create(null);
  const keep = (path: string, value: Tensor): string => {
    // 'a.b' is the path of { a: { b } } and of { 'a.b' }.
    let name = path;
    for (let copy = 2; name in tensors; copy++) name = `${path}#${copy}`;
    tensors[name] = value;
    return name;
  };
  const refuse = (path: string, actual: string): ArgumentError =>
    new ArgumentError(
      `${path} is ${actual}; give null, booleans, numbers, strings, tensors or typed arrays, in arrays and plain objects.`,
      { op, operand: path, actual },
    );
  const pack = (value: unknown, path: string, depth: number): unknown => {
    if (depth > MAX_DEPTH)
      throw refuse(shorten(path), `nested deeper than ${MAX_DEPTH} levels, or contains itself`);
    if (value === undefined) return { [MARK]: ['undefined'] };
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return packNumber(value);
    if (value instanceof Tensor) return { [MARK]: ['tensor', keep(path, value.detach())] };
    for (const [kind, { type }] of Object.entries(arrays))
      if (value instanceof type) return { [MARK]: [kind, keep(path, tensor(value))] };
    if (Array.isArray(value))
      return Array.from(value, (element, i) => pack(element, `${path}.${i}`, depth + 1));
    if (!isPlainObject(value)) throw refuse(path, describe(value));
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      pack(item, path === '' ? key : `${path}.${key}`, depth + 1),
    ]);
    return MARK in value ? { [MARK]: ['object', entries] } : Object.fromEntries(entries);
  };
  return { json: pack(tree, '', 0), tensors };
}

function packNumber(value: number): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { [MARK]: ['number', Object.is(value, -0) ? '-0' : String(value)] };
}

/**
 * Puts a tree together again.
 *
 * @returns the tree, or a sentence that says what is wrong with it.
 */
export function unpackTree({
  json,
  tensors,
}: PackedTree): { readonly tree: unknown } | { readonly flaw: string } {
  try {
    return { tree: unpack(json, tensors, 0) };
  } catch (error) {
    if (error instanceof Flaw) return { flaw: error.message };
    throw error;
  }
}

class Flaw extends Error {}

function unpack(json: unknown, tensors: PackedTree['tensors'], depth: number): unknown {
  if (depth > 3 * MAX_DEPTH) throw new Flaw(`branches deeper than ${MAX_DEPTH} levels`);
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((element) => unpack(element, tensors, depth + 1));
  if (!Object.hasOwn(json, MARK)) {
    return Object.fromEntries(
      Object.entries(json).map(([key, item]) => [key, unpack(item, tensors, depth + 1)]),
    );
  }
  const marked: unknown = Reflect.get(json, MARK);
  const [kind, content] = Array.isArray(marked) ? (marked as unknown[]) : [];
  switch (kind) {
    case 'undefined':
      return undefined;
    case 'number':
      if (typeof content === 'string' && Object.hasOwn(specialNumbers, content))
        return specialNumbers[content];
      break;
    case 'object':
      if (Array.isArray(content) && content.every(isEntry))
        return Object.fromEntries(content.map(([key, item]) => [key, unpack(item, tensors, depth + 3)]));
      break;
    case 'tensor':
      return tensorNamed(content, tensors);
    default:
      if (typeof kind === 'string' && Object.hasOwn(arrays, kind)) {
        const { type, dtype } = arrays[kind as keyof typeof arrays];
        const values = tensorNamed(content, tensors);
        if (values.dtype === dtype && values.ndim === 1) return new type(values.toTypedArray());
      }
  }
  throw new Flaw(`a mark of no known kind: ${shorten(JSON.stringify(marked) ?? '')}`);
}

function tensorNamed(name: unknown, tensors: PackedTree['tensors']): Tensor {
  if (typeof name === 'string' && Object.hasOwn(tensors, name)) return tensors[name];
  throw new Flaw(`a tensor that is not in the file: ${shorten(JSON.stringify(name) ?? '')}`);
}

function isEntry(value: unknown): value is readonly [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return `an instance of ${value.constructor?.name || 'a class'}`;
  return typeof value === 'function' ? 'a function' : `a ${typeof value}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
