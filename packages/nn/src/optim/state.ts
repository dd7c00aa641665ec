// An optimiser's state as plain data: options of groups, numbers and tensors per parameter; saved, checked and restored.

import {
  AdjointError,
  cast,
  clone,
  type DType,
  formatShape,
  noGrad,
  requireArgument,
  Tensor,
} from '@adjoint/core';
import type { BaseOptions, Group } from './groups.ts';
import { ParamState } from './param-state.ts';

/** A group in a state dict: its options, and its parameters by number. */
export interface GroupState {
  /** Numbers of its parameters, counted through all groups. */
  readonly params: readonly number[];
  /** Its options by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What an optimiser's `stateDict` gives: JSON but for the tensors. */
export interface OptimizerState {
  /** Name of the optimiser. */
  readonly optimizer: string;
  /** The groups, in order. */
  readonly groups: readonly GroupState[];
  /** By number of the parameter: what is kept of it. */
  readonly state: Readonly<Record<string, Readonly<Record<string, number | Tensor>>>>;
}

/** A state that does not fit an optimiser; every flaw is in `problems`. */
export class OptimizerStateError extends AdjointError {
  override readonly name = 'OptimizerStateError';
  /** What does not fit, one sentence each. */
  readonly problems: readonly string[];

  constructor(optimizer: string, problems: readonly string[]) {
    super(`the state does not fit, and nothing was loaded.\n  ${problems.join('\n  ')}`, {
      op: `${optimizer}.loadStateDict`,
      operand: 'state',
    });
    this.problems = problems;
  }
}

/** What state is taken out of and put back into, as optimisers are. */
export interface Stateful<Options> {
  readonly name: string;
  readonly groups: readonly Group<Options>[];
  readonly parameters: readonly Tensor[];
  readonly state: Map<Tensor, ParamState>;
}

/** Options and state of an optimiser. */
export function saveOptimizerState<Options extends BaseOptions>(
  optimizer: Stateful<Options>,
): OptimizerState {
  const parameters = optimizer.parameters;
  const numbers = new Map(parameters.map((parameter, i) => [parameter, i]));
  const state: Record<string, Record<string, number | Tensor>> = {};
  parameters.forEach((parameter, i) => {
    const kept = optimizer.state.get(parameter);
    if (kept !== undefined) state[i] = Object.fromEntries([...kept.numbers, ...kept.tensors]);
  });
  const groups = optimizer.groups.map(({ params, ...options }) => ({
    params: params.map((parameter) => numbers.get(parameter)!),
    options,
  }));
  return { optimizer: optimizer.name, groups, state };
}

/** Shape and dtype of a tensor that is kept. */
export interface TensorSpec {
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its dtype. */
  readonly dtype: DType;
}

/** What a state must obey beside the structure of the optimiser. */
export interface StateRules<Options> {
  /** Throws for options that mean nothing. */
  readonly options: (options: Options) => void;
  /** What the tensors that are kept of a parameter look like. */
  readonly spec: (parameter: Tensor) => TensorSpec;
}

/** Checks all of `state` against the optimiser, then takes it over. */
export function loadOptimizerState<Options extends BaseOptions>(
  optimizer: Stateful<Options>,
  state: OptimizerState,
  rules: StateRules<Options>,
): void {
  requireArgument(optimizer.name, 'state', state, Object);
  requireArgument(optimizer.name, 'state.groups', state.groups, 'list');
  requireArgument(optimizer.name, 'state.state', state.state, Object);
  const problems = flawsOf(optimizer, state, rules);
  if (problems.length > 0) throw new OptimizerStateError(optimizer.name, problems);
  for (const { options } of state.groups) rules.options(options as unknown as Options);
  optimizer.groups.forEach((group, i) => {
    Object.assign(group, structuredClone(state.groups[i].options));
  });
  const parameters = optimizer.parameters;
  optimizer.state.clear();
  for (const [number, kept] of Object.entries(state.state)) {
    const parameter = parameters[Number(number)];
    const restored = new ParamState(parameter.shape, parameter.dtype);
    for (const [name, value] of Object.entries(kept)) {
      if (typeof value === 'number') restored.numbers.set(name, value);
      else
        restored.tensors.set(
          name,
          noGrad(() => clone(cast(value, rules.spec(parameter).dtype))),
        );
    }
    optimizer.state.set(parameter, restored);
  }
}

function flawsOf<Options extends BaseOptions>(
  optimizer: Stateful<Options>,
  state: OptimizerState,
  rules: StateRules<Options>,
): string[] {
  const problems: string[] = [];
  if (state.optimizer !== optimizer.name)
    problems.push(`it is of ${JSON.stringify(state.optimizer)}, and this is ${optimizer.name}`);
  if (state.groups.length !== optimizer.groups.length)
    problems.push(`it has ${state.groups.length} groups, and there are ${optimizer.groups.length}`);
  optimizer.groups.forEach((group, i) => {
    const saved = state.groups[i];
    if (saved !== undefined) problems.push(...groupFlaws(group, saved, i));
  });
  const parameters = optimizer.parameters;
  for (const [number, kept] of Object.entries(state.state)) {
    const parameter = parameters[Number(number)];
    if (parameter === undefined) {
      problems.push(`it has a parameter ${number}, and there are ${parameters.length}`);
      continue;
    }
    const { shape } = rules.spec(parameter);
    for (const [name, value] of Object.entries(kept)) {
      if (typeof value === 'number' || (value instanceof Tensor && String(value.shape) === String(shape)))
        continue;
      const actual = value instanceof Tensor ? formatShape(value.shape) : typeof value;
      problems.push(`'${name}' of parameter ${number} is ${actual}, expected ${formatShape(shape)}`);
    }
  }
  return problems;
}

function groupFlaws<Options extends BaseOptions>(
  group: Group<Options>,
  saved: GroupState,
  i: number,
): string[] {
  const problems: string[] = [];
  if (saved.params.length !== group.params.length)
    problems.push(`group ${i} has ${saved.params.length} parameters, and there are ${group.params.length}`);
  const { params: _, ...options } = group;
  for (const name of Object.keys(options))
    if (!(name in saved.options)) problems.push(`group ${i} lacks the option '${name}'`);
  for (const name of Object.keys(saved.options))
    if (!(name in options)) problems.push(`group ${i} has an unknown option '${name}'`);
  return problems;
}
