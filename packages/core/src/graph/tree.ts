// Tensors in arrays and objects: what a traced function may return, taken apart and put together again.

import { ArgumentError } from '../errors.ts';
import { Tensor } from '../tensor.ts';

/** A structure taken apart. */
export interface Tree {
  readonly leaves: readonly Tensor[];
  /** Per leaf, where it stands: `loss`, `[0]`, `state.h[1]`; empty for a tensor that is all there is. */
  readonly paths: readonly string[];
  /** The same structure with other tensors, one per leaf. */
  readonly build: (leaves: readonly Tensor[]) => unknown;
}

/**
 * Takes arrays and plain objects of tensors apart, to any depth.
 *
 * @throws ArgumentError for anything else, naming where it stands.
 */
export function takeApart(value: unknown, op: string): Tree {
  const leaves: Tensor[] = [];
  const paths: string[] = [];
  const visit = (part: unknown, path: string): ((tensors: readonly Tensor[]) => unknown) => {
    if (part instanceof Tensor) {
      const index = leaves.push(part) - 1;
      paths.push(path);
      return (tensors) => tensors[index];
    }
    if (Array.isArray(part)) {
      const builders = part.map((item, i) => visit(item, `${path}[${i}]`));
      return (tensors) => builders.map((build) => build(tensors));
    }
    if (isPlainObject(part)) {
      const builders = Object.entries(part).map(
        ([key, item]) => [key, visit(item, path === '' ? key : `${path}.${key}`)] as const,
      );
      return (tensors) => Object.fromEntries(builders.map(([key, build]) => [key, build(tensors)]));
    }
    throw notTensors(part, path, op);
  };
  const build = visit(value, '');
  return { leaves, paths, build };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notTensors(part: unknown, path: string, op: string): ArgumentError {
  const where = path === '' ? '' : ` at ${path}`;
  if (part instanceof Promise) {
    part.catch(() => {});
    return new ArgumentError(
      `the function returned a promise${where}; pass a synchronous function and await outside of it.`,
      { op, operand: 'fn', actual: 'an asynchronous function', expected: 'a synchronous function' },
    );
  }
  const found = part === null ? 'null' : typeof part === 'object' ? part.constructor.name : typeof part;
  return new ArgumentError(
    `the function returned ${found}${where}; return tensors, in arrays and plain objects if there are several.`,
    { op, operand: 'fn', actual: found, expected: 'tensors' },
  );
}
