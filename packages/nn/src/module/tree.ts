// The tree of modules: the parts that fields hold, and what stands where below them. A part that is shared stands in several places.

import { ArgumentError } from '@adjoint/core';

/** What a field holds: its name within the holder (for an element of an array, `field.index`), and a way to exchange it. */
export interface Held<T> {
  /** Name of the field; for an element of an array, `field.index`. */
  readonly name: string;
  /** What it holds now. */
  readonly value: T;
  /** Puts something else in its place. */
  readonly replace: (value: T) => void;
}

/** What has children of its own kind, as modules have. */
export interface Branching<M> {
  namedChildren(): readonly (readonly [string, M])[];
}

/** The parts in the fields of `holder`, in their order, and in arrays in them. */
export function* membersOf<T>(
  fields: Iterable<readonly [string, unknown]>,
  holder: object,
  isPart: (value: unknown) => value is T,
): Generator<Held<T>> {
  for (const [name, value] of fields) {
    if (isPart(value)) {
      yield { name, value, replace: (next) => void Reflect.set(holder, name, next) };
    } else if (Array.isArray(value)) {
      for (const element of membersOf(Object.entries(value), value, isPart))
        yield { ...element, name: `${name}.${element.name}` };
    }
  }
}

/** Every place of a module in the tree below `module`, parents first; a cycle, which would have no end, is an error. */
export function* placedModules<M extends Branching<M>>(
  module: M,
  path = '',
  above: readonly M[] = [],
): Generator<{ readonly path: string; readonly module: M }> {
  if (above.includes(module)) {
    throw new ArgumentError(
      `the module at '${path}' contains itself; keep a reference to a parent in a #private field, which is not registered.`,
      { op: 'Module', operand: path, expected: 'a tree of modules' },
    );
  }
  yield { path, module };
  for (const [name, child] of module.namedChildren())
    yield* placedModules(child, pathBelow(path, name), [...above, module]);
}

/** The path of what is called `name` in the module at `path`. */
export function pathBelow(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Each thing once, under the first of its paths. */
export function distinct<T extends object>(named: readonly (readonly [string, T])[]): [string, T][] {
  const seen = new Set<T>();
  return named.flatMap(([path, value]) => {
    if (seen.has(value)) return [];
    seen.add(value);
    return [[path, value] as [string, T]];
  });
}
