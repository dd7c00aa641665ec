// The numbers of a step under flat names, as logs want them.

import { requireArgument } from '@adjoint/core';
import type { TrainStep } from './step.ts';

/** Numbers by name. */
export type Scalars = Readonly<Record<string, number>>;

/**
 * All numbers that a step tells, by flat names: `loss`, `lr`, `gradNorm`, metrics as `train/<name>`, evaluation as
 * `eval/<name>` (numbers only, nested ones by `/`), diagnostics as `gradients/<parameter>`, `updates/<parameter>` and
 * `dead/<parameter>`.
 *
 * @example
 * const model = new Linear(1, 1);
 * const options = { model, data: [[ones([1, 1]), ones([1, 1])]], loss: mseLoss, epochs: 1 };
 * const run = train({ ...options, optimizer: new SGD(model.parameters(), { lr: 0.5 }) });
 * const { value: step } = await run.next();
 * scalarsOf(step).lr; // 0.5
 */
export function scalarsOf(step: TrainStep): Scalars {
  requireArgument('scalarsOf', 'step', step, Object);
  requireArgument('scalarsOf', 'step.metrics', step.metrics, Object);
  const { loss, lr, gradNorm, metrics, evaluation, diagnostics } = step;
  const scalars: Record<string, number> = { loss, lr };
  if (gradNorm !== null) scalars.gradNorm = gradNorm;
  collect('train', metrics, scalars);
  if (evaluation !== null) collect('eval', evaluation, scalars);
  for (const parameter of diagnostics?.parameters ?? []) {
    const { name, gradNorm: norm, updateRatio, deadUnits } = parameter;
    if (norm !== null) scalars[`gradients/${name}`] = norm;
    scalars[`updates/${name}`] = updateRatio;
    if (deadUnits !== null) scalars[`dead/${name}`] = deadUnits.dead / deadUnits.units;
  }
  return scalars;
}

// Of plain objects the numbers; arrays, such as confusion matrices, are no scalars.
function collect(
  prefix: string,
  values: Readonly<Record<string, unknown>>,
  into: Record<string, number>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const path = `${prefix}/${name}`;
    if (typeof value === 'number') into[path] = value;
    else if (
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype
    ) {
      collect(path, value as Readonly<Record<string, unknown>>, into);
    }
  }
}
