// What an optimiser step did to each parameter: norms, the size of the update, units that learn nothing, the first number that is none.

import { requireArgument, type Tensor } from '@adjoint/core';
import { ConvBase } from '../layers/conv-base.ts';
import { Linear } from '../layers/linear.ts';
import { Module } from '../module/module.ts';
import type { Parameter } from '../module/parameter.ts';

/** What is known of one parameter after a step. */
export interface ParameterDiagnostics {
  /** The parameter's path in the model. */
  readonly name: string;
  /** The Euclidean norm of the gradient that the step used; null without a gradient. */
  readonly gradNorm: number | null;
  /** The norm of the values before the step. */
  readonly weightNorm: number;
  /** The norm of what the step added, over `weightNorm`; healthy is about 1e-3. Infinite where the values were 0. */
  readonly updateRatio: number;
  /**
   * Output units whose whole weight gradient is exactly 0: nothing that the step saw made them learn, as behind a relu that was never
   * above 0. Null where the parameter is not the weight of a Linear or convolution, or has no gradient.
   */
  readonly deadUnits: { readonly dead: number; readonly units: number } | null;
}

/** Where the first number stands that is NaN or infinite. */
export interface NonFinite {
  /** The parameter's path in the model. */
  readonly name: string;
  /** Whether it is in the parameter's gradient or in its values. */
  readonly where: 'gradient' | 'weight';
  /** Its number in row-major order. */
  readonly index: number;
  /** The number: NaN, or an infinity. */
  readonly value: number;
}

/** What {@link diagnose} finds. */
export interface Diagnostics {
  /** In the order of `model.namedParameters()`. */
  readonly parameters: readonly ParameterDiagnostics[];
  /** Of gradients, then of values after the step; null if all is finite. See `detectAnomaly` for the op that it comes from. */
  readonly firstNonFinite: NonFinite | null;
}

/**
 * Runs a step and tells what it did to the parameters.
 *
 * @param step makes the step; the gradients that it leaves in the parameters are those that are looked at.
 * @example
 * const model = new Linear(3, 2);
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * sum(model.forward(ones([1, 3]))).backward();
 * const { parameters, firstNonFinite } = diagnose(model, () => optimizer.step());
 * firstNonFinite; // null
 * parameters[0].gradNorm; // 2.449489743: √6
 */
export function diagnose(model: Module, step: () => void): Diagnostics {
  requireArgument('diagnose', 'model', model, Module);
  requireArgument('diagnose', 'step', step, 'function');
  const named = model.namedParameters();
  const before = named.map(([, parameter]) => parameter.toTypedArray());
  step();
  const axes = unitAxes(model);
  const parameters = named.map(([name, parameter], i): ParameterDiagnostics => {
    const after = parameter.toTypedArray();
    const weightNorm = norm(before[i].length, (k) => before[i][k]);
    const update = norm(after.length, (k) => after[k] - before[i][k]);
    const { grad } = parameter;
    const gradient = grad?.toTypedArray();
    const unit = axes.get(parameter);
    return {
      name,
      gradNorm: gradient === undefined ? null : norm(gradient.length, (k) => gradient[k]),
      weightNorm,
      updateRatio: update === 0 ? 0 : update / weightNorm,
      deadUnits: grad === null || unit === undefined ? null : deadUnits(grad, unit),
    };
  });
  return { parameters, firstNonFinite: firstNonFinite(named) };
}

function firstNonFinite(named: readonly (readonly [string, Parameter])[]): NonFinite | null {
  for (const where of ['gradient', 'weight'] as const) {
    for (const [name, parameter] of named) {
      const values = (where === 'gradient' ? parameter.grad : parameter)?.toTypedArray() ?? [];
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) return { name, where, index, value: values[index] };
    }
  }
  return null;
}

function norm(count: number, at: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += at(k) ** 2;
  return Math.sqrt(sum);
}

/** The axes of a weight that number its output units. */
function unitAxes(model: Module): Map<Tensor, readonly number[]> {
  const axes = new Map<Tensor, readonly number[]>();
  for (const { owner, member } of model.placedTensors()) {
    if (member.name !== 'weight') continue;
    if (owner instanceof Linear) axes.set(member.value, [0]);
    if (!(owner instanceof ConvBase)) continue;
    const axis = owner.transposed ? 1 : 0;
    axes.set(member.value, owner.groups === 1 ? [axis] : [0, axis + 1]);
  }
  return axes;
}

function deadUnits(
  gradient: Tensor,
  axes: readonly number[],
): { readonly dead: number; readonly units: number } {
  const rest = gradient.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const rows = gradient
    .detach()
    .permute([...axes, ...rest])
    .toTypedArray();
  const units = axes.reduce((product, axis) => product * gradient.shape[axis], 1);
  const length = rows.length / units;
  let dead = 0;
  for (let unit = 0; unit < units; unit++) {
    if (rows.subarray(unit * length, (unit + 1) * length).every((value) => value === 0)) dead++;
  }
  return { dead, units };
}
