// The parts of a run that a checkpoint keeps: modules, optimisers, generators, each by its name in the file.

import { ArgumentError, defaultGenerator, type Generator } from '@adjoint/core';

/** What has a state that can be taken out and put back: modules, optimisers, schedulers, and classes of yours. */
export interface Stateful {
  /** The state: null, booleans, numbers, strings, tensors and typed arrays, in arrays and plain objects. */
  stateDict(): unknown;
  /** Takes over a state, or throws and changes nothing. */
  loadStateDict(state: unknown): unknown;
}

/** One part, or several by name, where a run has two models or optimisers. */
export type Parts = Stateful | Readonly<Record<string, Stateful>>;

/** The live objects of a training run. */
export interface TrainingParts {
  /** The model, or several by name. */
  readonly model?: Parts | undefined;
  /** The optimiser, or several by name. */
  readonly optimizer?: Parts | undefined;
  /** The scheduler, or several by name; early stopping is one, too. */
  readonly scheduler?: Parts | undefined;
  /** Averaged weights. */
  readonly ema?: Parts | undefined;
  /** The position in the data. */
  readonly loader?: Parts | undefined;
  /** Generators by name. The default generator is kept under the name `default` without being listed. */
  readonly generators?: Readonly<Record<string, Generator>> | undefined;
}

/** The names of the parts, but for generators. */
export const slots = ['model', 'optimizer', 'scheduler', 'ema', 'loader'] as const;

/** What {@link partsOf} looks at itself: each may be several, by name. */
export const slotKinds = {
  model: 'own',
  optimizer: 'own',
  scheduler: 'own',
  ema: 'own',
  loader: 'own',
} as const;

/** The name of the generator that every checkpoint keeps. */
export const DEFAULT_GENERATOR = 'generators.default';

/** A part as checkpoints see it, be it a module or a generator. */
export interface Part {
  readonly get: () => unknown;
  readonly set: (state: unknown) => void;
}

/** The parts by the names under which a checkpoint keeps them. */
export function partsOf(content: TrainingParts, op: string): Map<string, Part> {
  const parts = new Map<string, Part>();
  const add = (name: string, part: unknown): void => {
    if (isStateful(part)) {
      parts.set(name, { get: () => part.stateDict(), set: (state) => void part.loadStateDict(state) });
      return;
    }
    throw new ArgumentError(
      `${name} has no stateDict() and loadStateDict(); give a module, an optimiser or the like.`,
      {
        op,
        operand: name,
        actual: part,
      },
    );
  };
  for (const slot of slots) {
    const value = content[slot];
    if (value === undefined) continue;
    if (isStateful(value) || !isRecord(value)) add(slot, value);
    else for (const [name, part] of Object.entries(value)) add(`${slot}.${name}`, part);
  }
  for (const [name, generator] of Object.entries({ default: defaultGenerator, ...content.generators })) {
    parts.set(`generators.${name}`, {
      get: () => generator.getState(),
      set: (state) => generator.setState(state as ReturnType<Generator['getState']>),
    });
  }
  return parts;
}

function isStateful(value: unknown): value is Stateful {
  if (typeof value !== 'object' || value === null) return false;
  return 'stateDict' in value && typeof value.stateDict === 'function' && 'loadStateDict' in value;
}

/** Whether a value is a plain object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}
