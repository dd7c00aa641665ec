// Steps of optimisers on a machine. Few elements stay in JavaScript: a call has its price.

import type { AdamNumbers, DescentKernels, RmspropNumbers, SgdNumbers } from '../kernels/descent.ts';
import type { FloatArray } from '../kernels.ts';
import { descentKernels as reference } from '../reference/descent.ts';
import type { Machine, UnitKernel } from './machine.ts';
import { reads, runUnits, updates } from './units.ts';

/** Runs a step on a machine: the gradient is read, the rest updated. False if the reference must do it. */
function runStep(
  machine: Machine,
  kernel: UnitKernel,
  own: readonly number[],
  values: FloatArray,
  gradient: FloatArray,
  kept: readonly (FloatArray | null)[],
): boolean {
  const state = kept.filter((array) => array !== null);
  const alike = (array: FloatArray): boolean => array.constructor === values.constructor;
  if (!alike(gradient) || !state.every(alike)) return false;
  const arrays = [updates(values, 1), reads(gradient, 1), ...state.map((array) => updates(array, 1))];
  return runUnits(machine, kernel, values.length, own, arrays);
}

const flag = (condition: boolean): number => (condition ? 1 : 0);
const signOf = ({ maximize }: { readonly maximize: boolean }): number => (maximize ? -1 : 1);

function sgdNumbers(velocity: FloatArray | null, which: 'first' | 'later', numbers: SgdNumbers): number[] {
  const { lr, momentum, dampening, weightDecay, nesterov } = numbers;
  const flags = [flag(velocity !== null), flag(which === 'first'), flag(nesterov)];
  return [...flags, signOf(numbers), lr, weightDecay, momentum, dampening];
}

function adamNumbers(largest: FloatArray | null, numbers: AdamNumbers): number[] {
  const { lr, betas, eps, coupled, kept, step } = numbers;
  const [beta1, beta2] = betas;
  const stepSize = lr / (1 - beta1 ** step);
  const correction = Math.sqrt(1 - beta2 ** step);
  return [flag(largest !== null), signOf(numbers), stepSize, correction, beta1, beta2, eps, coupled, kept];
}

function rmspropNumbers(
  mean: FloatArray | null,
  velocity: FloatArray | null,
  numbers: RmspropNumbers,
): number[] {
  const { lr, alpha, eps, weightDecay, momentum } = numbers;
  return [
    flag(mean !== null),
    flag(velocity !== null),
    signOf(numbers),
    lr,
    alpha,
    eps,
    weightDecay,
    momentum,
  ];
}

export function descent(machine: Machine): DescentKernels {
  const { worth } = machine;
  return {
    sgdStep(values, gradient, velocity, which, numbers) {
      const own = values.length < worth.step ? null : sgdNumbers(velocity, which, numbers);
      if (own === null || !runStep(machine, 'sgdStep', own, values, gradient, [velocity]))
        reference.sgdStep(values, gradient, velocity, which, numbers);
    },
    adamStep(values, gradient, mean, square, largest, numbers) {
      const own = values.length < worth.step ? null : adamNumbers(largest, numbers);
      if (own === null || !runStep(machine, 'adamStep', own, values, gradient, [mean, square, largest]))
        reference.adamStep(values, gradient, mean, square, largest, numbers);
    },
    rmspropStep(values, gradient, square, mean, velocity, numbers) {
      const own = values.length < worth.step ? null : rmspropNumbers(mean, velocity, numbers);
      if (own === null || !runStep(machine, 'rmspropStep', own, values, gradient, [square, mean, velocity]))
        reference.rmspropStep(values, gradient, square, mean, velocity, numbers);
    },
  };
}
