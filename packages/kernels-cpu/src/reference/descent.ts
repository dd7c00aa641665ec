// Steps of optimisers, element by element.

import type { DescentKernels } from '../kernels/descent.ts';

export const descentKernels: DescentKernels = {
  sgdStep(values, gradient, velocity, which, numbers) {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = numbers;
    const sign = maximize ? -1 : 1;
    if (velocity === null) {
      for (let i = 0; i < values.length; i++)
        values[i] -= lr * (sign * gradient[i] + weightDecay * values[i]);
      return;
    }
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i] + weightDecay * values[i];
      velocity[i] = which === 'first' ? g : momentum * velocity[i] + (1 - dampening) * g;
      values[i] -= lr * (nesterov ? g + momentum * velocity[i] : velocity[i]);
    }
  },

  adamStep(values, gradient, mean, square, largest, numbers) {
    const { lr, betas, eps, coupled, kept, maximize, step } = numbers;
    const [beta1, beta2] = betas;
    const stepSize = lr / (1 - beta1 ** step);
    const correction = Math.sqrt(1 - beta2 ** step);
    const sign = maximize ? -1 : 1;
    const spread = largest ?? square;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] * kept;
      const g = sign * gradient[i] + coupled * value;
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      if (largest !== null) largest[i] = Math.max(largest[i], square[i]);
      values[i] = value - (stepSize * mean[i]) / (Math.sqrt(spread[i]) / correction + eps);
    }
  },

  rmspropStep(values, gradient, square, mean, velocity, numbers) {
    const { lr, alpha, eps, weightDecay, momentum, maximize } = numbers;
    const sign = maximize ? -1 : 1;
    for (let i = 0; i < values.length; i++) {
      const g = sign * gradient[i] + weightDecay * values[i];
      square[i] = alpha * square[i] + (1 - alpha) * g * g;
      let spread = square[i];
      if (mean !== null) {
        mean[i] = alpha * mean[i] + (1 - alpha) * g;
        spread -= mean[i] * mean[i];
      }
      let step = g / (Math.sqrt(spread) + eps);
      if (velocity !== null) {
        velocity[i] = momentum * velocity[i] + step;
        step = velocity[i];
      }
      values[i] -= lr * step;
    }
  },
};
