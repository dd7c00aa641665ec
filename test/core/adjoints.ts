// The transpose of a linear function of one tensor, as its derivative gives it: what assertAdjoint compares with the function.

import { enableGrad, grad, type Shape, type Tensor, zeros } from '@adjoint/core';
import { type AdjointCheckOptions, assertAdjoint } from '@adjoint/core/check';

/** Asserts that backward through `forward` is its exact adjoint, and that backward through that gives `forward` again. */
export function assertLinear(
  forward: (x: Tensor) => Tensor,
  shape: Shape,
  options: AdjointCheckOptions = {},
): void {
  const dtype = options.dtype === 'int32' ? 'float64' : (options.dtype ?? 'float64');
  const backward = (y: Tensor): Tensor =>
    enableGrad(() => {
      const x = zeros(shape, { dtype, requiresGrad: true });
      return grad(forward(x), x, { gradOutput: y, unused: 'zeros' });
    });
  assertAdjoint(forward, backward, shape, options);
  const twice = (x: Tensor): Tensor =>
    enableGrad(() => {
      const leaf = zeros(shape, { dtype, requiresGrad: true });
      const y = zeros(forward(leaf).shape, { dtype, requiresGrad: true });
      const first = grad(forward(leaf), leaf, { gradOutput: y, createGraph: true, unused: 'zeros' });
      return grad(first, y, { gradOutput: x, unused: 'zeros' });
    });
  assertAdjoint(twice, backward, shape, options);
}
