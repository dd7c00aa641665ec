// An optimiser's state as plain data: options of groups, numbers and tensors per parameter; saved, checked and restored.

import { AdjointError, clone, formatShape, noGrad, Tensor } from '@adjoint/core';
import type { BaseOptions, Group, Optimizer } from './optimizer.ts';
import { ParamState } from './param-state.ts';

/** A group in a state dict: its options, and its parameters by number. */
export interface GroupState {
  readonly params: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** What an optimiser's `stateDict` gives: JSON but for the tensors. */
export interface OptimizerState {
  /** Name of the optimiser. */
  readonly optimizer: string;
  readonly groups: readonly GroupState[];
  /** By number of the parameter: what is kept of it. */
  readonly state: Readonly<Record<string, Readonly<Record<string, number | Tensor>>>>;
}

/** A state that does not fit an optimiser; every flaw is in `problems`. */
export class OptimizerStateError extends AdjointError {
  override readonly name = 'OptimizerStateError';
  readonly problems: readonly string[];

  constructor(optimizer: string, problems: readonly string[]) {
    super(`the state does not fit, and nothing was loaded.\n  ${problems.join('\n  ')}`, {
      op: `${optimizer}.loadStateDict`,
      operand: 'state',
    });
    this.problems = problems;
  }
}

/** Options and state of an optimiser. */
export function saveOptimizerState<Options extends BaseOptions>(
  optimizer: Optimizer<Options>,
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

/** Checks all of `state` against the optimiser, then takes it over. */
export function loadOptimizerState<Options extends BaseOptions>(
  optimizer: Optimizer<Options>,
  state: OptimizerState,
  check: (options: Options) => void,
): void {
  const problems = flawsOf(optimizer, state);
  if (problems.length > 0) throw new OptimizerStateError(optimizer.name, problems);
  for (const { options } of state.groups) check(options as unknown as Options);
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
          noGrad(() => clone(value)),
        );
    }
    optimizer.state.set(parameter, restored);
  }
}

function flawsOf<Options extends BaseOptions>(
  optimizer: Optimizer<Options>,
  state: OptimizerState,
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
    if (parameter === undefined)
      problems.push(`it has a parameter ${number}, and there are ${parameters.length}`);
    else
      for (const [name, value] of Object.entries(kept))
        if (
          value instanceof Tensor &&
          value.ndim === parameter.ndim &&
          String(value.shape) !== String(parameter.shape)
        )
          problems.push(
            `'${name}' of parameter ${number} is ${formatShape(value.shape)}, and the parameter is ${formatShape(parameter.shape)}`,
          );
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
