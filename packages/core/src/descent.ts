// Steps of optimisers on arrays: what an optimiser does, by `modify_`, to a parameter and to what it keeps of it.

import { type DescentKernels, kernels } from '@adjoint/kernels-cpu';

/**
 * One step each of SGD, Adam and RMSprop on plain arrays, as `@adjoint/nn/optim` does them: values, gradient and what is kept
 * between steps, all Float32Array or all Float64Array.
 *
 * @throws OperandError if an array has another length than `values`.
 * @example
 * const values = Float32Array.of(1, 2);
 * const numbers = { lr: 0.5, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
 * descent.sgdStep(values, Float32Array.of(1, -1), null, 'first', numbers);
 * Array.from(values); // [0.5, 2.5]
 */
export const descent: DescentKernels = kernels;
