// State dicts: a module's values by path, taken out and put back, under Adjoint's names and layouts or PyTorch's.

import {
  AdjointError,
  copy_,
  formatShape,
  noGrad,
  requireArgument,
  requireOptions,
  reshape,
  Tensor,
} from '@adjoint/core';
import { requireOneOf } from '../layers/options.ts';
import { Buffer, type Parameter } from './parameter.ts';

/** Tensors by path. */
export type StateDict = Readonly<Record<string, Tensor>>;

/** Options of `stateDict`. */
export interface StateOptions {
  /**
   * 'adjoint' (default): names and shapes as they are in the module. 'pytorch': as PyTorch's `load_state_dict` takes them,
   * with names in snake_case, bias (out) and grouped convolution weights without the axis of groups.
   */
  readonly layout?: 'adjoint' | 'pytorch' | undefined;
}

/** Options of `loadStateDict`. */
export interface LoadOptions {
  /** Whether missing and unexpected keys are errors; mis-shaped ones always are. Default true. */
  readonly strict?: boolean | undefined;
}

/** Keys that `loadStateDict` passed over; both lists are empty unless `strict` is false. */
export interface LoadReport {
  /** Keys of the module that the state lacks. */
  readonly missing: readonly string[];
  /** Keys of the state that the module lacks. */
  readonly unexpected: readonly string[];
}

/** A key whose value does not fit. */
export interface Mismatch {
  /** The key. */
  readonly key: string;
  /** The shape that it has; null for what is no tensor. */
  readonly actual: readonly number[] | null;
  /** The shapes that would do. */
  readonly expected: readonly (readonly number[])[];
}

/** A state dict that does not fit a module; every flaw is in it. */
export class StateDictError extends AdjointError {
  override readonly name = 'StateDictError';
  /** Keys of the module that the state lacks. */
  readonly missing: readonly string[];
  /** Keys of the state that the module lacks. */
  readonly unexpected: readonly string[];
  /** Keys whose values do not fit. */
  readonly mismatched: readonly Mismatch[];

  constructor(module: string, { missing, unexpected }: LoadReport, mismatched: readonly Mismatch[]) {
    const lines: string[] = [];
    if (missing.length > 0) lines.push(`missing: ${missing.join(', ')}`);
    if (unexpected.length > 0) lines.push(`unexpected: ${unexpected.join(', ')}`);
    for (const { key, actual, expected } of mismatched)
      lines.push(
        `mis-shaped: ${key} is ${actual === null ? 'no tensor' : formatShape(actual)}, expected ${expected.map(formatShape).join(' or ')}`,
      );
    super(
      `the state dict does not fit ${module}, and nothing was loaded.\n  ${lines.join('\n  ')}\n` +
        'Load it into a module of the same structure; { strict: false } passes over missing and unexpected keys.',
      { op: 'loadStateDict', operand: 'state' },
    );
    this.missing = missing;
    this.unexpected = unexpected;
    this.mismatched = mismatched;
  }
}

/** A parameter or buffer at its place in what has state. */
interface PlacedState {
  readonly path: string;
  readonly owner: { torchShape(name: string): readonly number[] | null };
  readonly member: { readonly name: string; readonly value: Parameter | Buffer };
}

/** What state dicts are taken out of and put back into, as modules are. */
export interface Stateful {
  placedTensors(): readonly PlacedState[];
}

/** The values of a module's parameters and persistent buffers by path. */
export function saveState(root: Stateful, options: StateOptions): StateDict {
  requireOptions('stateDict', options, { layout: 'string' });
  const { layout = 'adjoint' } = options;
  requireOneOf('stateDict', 'layout', layout, ['adjoint', 'pytorch']);
  const state: Record<string, Tensor> = {};
  for (const { path, owner, member } of persistent(root)) {
    const value = member.value.detach();
    const name = layout === 'pytorch' ? snakeCase(path) : path;
    const shape = layout === 'pytorch' ? owner.torchShape(member.name) : null;
    if (Object.hasOwn(state, name)) {
      throw new AdjointError(`'${path}' and another field are both '${name}' in snake_case; rename one.`, {
        op: 'stateDict',
        operand: path,
        expected: 'names that differ in snake_case',
      });
    }
    state[name] = shape === null ? value : reshape(value, shape);
  }
  return state;
}

/** Checks all of `state` against the module, then copies it in. */
export function loadState(root: Stateful, state: StateDict, options: LoadOptions): LoadReport {
  requireOptions('loadStateDict', options, { strict: 'boolean' });
  requireArgument('loadStateDict', 'state', state, Object);
  const { strict = true } = options;
  const places = new Map(persistent(root).map((placed) => [placed.path, placed]));
  const fromSnakeCase = new Map([...places.keys()].map((path) => [snakeCase(path), path]));
  const found = new Map<string, Tensor>();
  const unexpected: string[] = [];
  const mismatched: Mismatch[] = [];
  for (const [key, value] of Object.entries(state)) {
    const path = places.has(key) ? key : fromSnakeCase.get(key);
    if (path === undefined || found.has(path)) unexpected.push(key);
    else {
      found.set(path, value);
      const shapes = legalShapes(places.get(path)!);
      const actual = value instanceof Tensor ? value.shape : null;
      if (actual === null || !shapes.some((shape) => String(shape) === String(actual)))
        mismatched.push({ key, actual, expected: shapes });
    }
  }
  const missing = [...places.keys()].filter((path) => !found.has(path));
  if (mismatched.length > 0 || (strict && (missing.length > 0 || unexpected.length > 0)))
    throw new StateDictError(root.constructor.name, { missing, unexpected }, mismatched);
  noGrad(() => {
    for (const [path, value] of found) {
      const target = places.get(path)!.member.value;
      copy_(target, reshape(value, target.shape));
    }
  });
  return { missing, unexpected };
}

function persistent(root: Stateful): PlacedState[] {
  return root
    .placedTensors()
    .filter(({ member }) => !(member.value instanceof Buffer) || member.value.persistent);
}

function legalShapes({ owner, member }: PlacedState): (readonly number[])[] {
  const torch = owner.torchShape(member.name);
  return torch === null ? [member.value.shape] : [member.value.shape, torch];
}

function snakeCase(path: string): string {
  return path.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
