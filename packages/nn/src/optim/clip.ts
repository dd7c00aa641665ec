// Gradient clipping: by the norm of all gradients together, or by the value of each element.

import {
  AdjointError,
  ArgumentError,
  modify_,
  noGrad,
  requireOptions,
  requireTensor,
  Tensor,
} from '@adjoint/core';
import { requireOneOf } from '../layers/options.ts';
import { requireOption } from './checks.ts';

/** Options of {@link clipGradNorm_}. */
export interface ClipGradNormOptions {
  /** Which norm: 2 (default), 1, Infinity or any positive number. */
  readonly normType?: number | undefined;
  /** What to do when the norm is NaN or infinite: 'keep' (default) scales with it all the same, 'throw' throws. */
  readonly nonFinite?: 'keep' | 'throw' | undefined;
}

/**
 * Scales all gradients together so that their norm, as one vector, is at most `maxNorm`. PyTorch's `clip_grad_norm_`.
 *
 * The norm is summed in float64 whatever the type of the gradients. As in PyTorch the factor is maxNorm / (norm + 1e-6), at most 1.
 *
 * @param parameters what has gradients to clip; a single parameter may stand by itself.
 * @returns the norm before.
 * @throws ArgumentError for an illegal norm; AdjointError for a norm that is not finite, if asked for. Gradients are then unchanged.
 * @example
 * const layer = new Linear(4, 1);
 * sum(layer.forward(full([8, 4], 100))).backward();
 * clipGradNorm_(layer.parameters(), 1);
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): number {
  requireOptions('clipGradNorm_', options, { normType: 'number', nonFinite: 'string' });
  const { normType = 2, nonFinite = 'keep' } = options;
  requireOneOf('clipGradNorm_', 'nonFinite', nonFinite, ['keep', 'throw']);
  const op = 'clipGradNorm_';
  requireOption(op, 'maxNorm', maxNorm, 0);
  if (!(normType > 0)) {
    throw new ArgumentError(`normType is ${normType}; give a positive number or Infinity.`, {
      op,
      operand: 'normType',
      actual: normType,
      expected: 'a positive number',
    });
  }
  const gradients = listed(op, parameters).flatMap(({ grad }) => (grad === null ? [] : [grad]));
  let norm = 0;
  for (const gradient of gradients) {
    for (const value of gradient.toTypedArray()) {
      const size = Math.abs(value);
      if (normType === Infinity) norm = Math.max(norm, size);
      else norm += normType === 2 ? size * size : size ** normType;
    }
  }
  if (normType !== Infinity) norm = normType === 2 ? Math.sqrt(norm) : norm ** (1 / normType);
  if (nonFinite === 'throw' && !Number.isFinite(norm)) {
    throw new AdjointError(
      `the norm of the gradients is ${norm}; look for the op that made it so, or lower the learning rate.`,
      {
        op,
        operand: 'grad',
        actual: norm,
        expected: 'a finite norm',
      },
    );
  }
  const factor = Math.min(1, maxNorm / (norm + 1e-6));
  if (factor === 1) return norm;
  for (const gradient of gradients)
    noGrad(() =>
      modify_(gradient, op, (values) => {
        for (let i = 0; i < values.length; i++) values[i] *= factor;
      }),
    );
  return norm;
}

/**
 * Cuts each element of all gradients off at ±`clipValue`. PyTorch's `clip_grad_value_`.
 *
 * @throws ArgumentError unless `clipValue` is a number that is not negative.
 * @example
 * const layer = new Linear(4, 1);
 * sum(layer.forward(full([8, 4], 100))).backward();
 * clipGradValue_(layer.parameters(), 0.5);
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  requireOption('clipGradValue_', 'clipValue', clipValue, 0);
  for (const { grad } of listed('clipGradValue_', parameters)) {
    if (grad === null) continue;
    noGrad(() =>
      modify_(grad, 'clipGradValue_', (values) => {
        for (let i = 0; i < values.length; i++)
          values[i] = Math.min(Math.max(values[i], -clipValue), clipValue);
      }),
    );
  }
}

function listed(op: string, parameters: Tensor | Iterable<Tensor>): Tensor[] {
  if (
    typeof parameters !== 'object' ||
    parameters === null ||
    !(parameters instanceof Tensor || Symbol.iterator in parameters)
  ) {
    throw new ArgumentError(
      'parameters cannot be iterated; pass model.parameters(), with parentheses, or one parameter.',
      {
        op,
        operand: 'parameters',
        actual: parameters,
        expected: 'parameters',
      },
    );
  }
  const list = parameters instanceof Tensor ? [parameters] : [...parameters];
  for (const [i, parameter] of list.entries()) requireTensor(op, `parameters[${i}]`, parameter);
  return list;
}
