// Hooks: looking at a gradient on its way back, or putting another in its place.

import { DTypeError, formatShape, GradientError, ShapeError } from '../errors.ts';
import { sameShape } from '../shape.ts';
import { requireTensor, type Tensor } from '../tensor.ts';

/** Sees the gradient of a tensor; what it returns, if anything, takes the gradient's place. */
export type GradientHook = (gradient: Tensor) => Tensor | undefined;

/** A hook in place. */
export interface HookHandle {
  /** Takes the hook away; harmless if it is gone. */
  remove(): void;
}

/**
 * Calls `hook` with the gradient of `x` in every backward pass that computes it: once per pass, when the gradient is
 * complete. PyTorch's `Tensor.register_hook`.
 *
 * Hooks of one tensor run in the order of registration. They may run backward passes of their own.
 *
 * @param hook returns nothing, or a tensor of the same shape and dtype that is used in the gradient's place.
 * @throws GradientError if `x` requires no gradient. Backward throws ShapeError or DTypeError for a replacement that does
 *   not fit.
 * @example
 * const x = tensor([1, 2], { requiresGrad: true });
 * const handle = registerHook(x, (gradient) => mul(gradient, 10));
 * grad(sum(x), x).toArray(); // [10, 10]
 * handle.remove();
 * grad(sum(x), x).toArray(); // [1, 1]
 */
export function registerHook(x: Tensor, hook: GradientHook): HookHandle {
  requireTensor('registerHook', 'x', x);
  const { node } = x;
  if (node === null) {
    throw new GradientError(
      `the tensor of shape ${formatShape(x.shape)} requires no gradient, so none will come by; set requiresGrad, or register the hook on a tensor computed from one that has it.`,
      { op: 'registerHook', operand: 'x', expected: 'a tensor that requires a gradient' },
    );
  }
  const checked: GradientHook = (gradient) => {
    const replacement = hook(gradient) ?? undefined;
    if (replacement !== undefined) requireSame(replacement, gradient);
    return replacement;
  };
  node.hooks = [...(node.hooks ?? []), checked];
  return {
    remove: () => {
      const rest = node.hooks?.filter((other) => other !== checked) ?? [];
      node.hooks = rest.length > 0 ? rest : null;
    },
  };
}

function requireSame(replacement: Tensor, gradient: Tensor): void {
  requireTensor('registerHook', 'what a hook returned', replacement);
  if (!sameShape(replacement.shape, gradient.shape)) {
    throw new ShapeError(
      `a hook returned shape ${formatShape(replacement.shape)} for a gradient of shape ${formatShape(gradient.shape)}; they must be the same.`,
      {
        op: 'registerHook',
        operand: 'hook',
        actual: replacement.shape,
        expected: formatShape(gradient.shape),
      },
    );
  }
  if (replacement.dtype !== gradient.dtype) {
    throw new DTypeError(
      `a hook returned ${replacement.dtype} for a gradient of ${gradient.dtype}; convert it with to('${gradient.dtype}').`,
      { op: 'registerHook', operand: 'hook', actual: replacement.dtype, expected: gradient.dtype },
    );
  }
}
