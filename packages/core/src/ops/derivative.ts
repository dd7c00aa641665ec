// Derivatives that have a kernel: one pass in place of the ops that a rule is written in, where nobody differentiates the rule itself.

import { kernels, type NumericArray, type Strided } from '@adjoint/kernels-cpu';
import { defineOp, noGradient, type RuleContext, type VjpRule, vjpRule } from '../registry.ts';
import type { Shape } from '../shape.ts';
import { apply } from '../tape/apply.ts';
import { isFollowed } from '../tape/followed.ts';
import type { Tensor } from '../tensor.ts';

/** A kernel that multiplies a cotangent by a derivative. Not the kernel itself: which tier runs may change. */
type RunDerivative = (g: Strided, a: Strided, out: NumericArray, shape: Shape, p: number, q: number) => void;

/** The derivatives that have a kernel, by the function they are of. */
const derivatives = {
  leakyRelu: (g, a, out, shape, p) => kernels.leakyReluGrad(g, a, out, shape, p),
  elu: (g, a, out, shape, p, q) => kernels.eluGrad(g, a, out, shape, p, q),
  celu: (g, a, out, shape, p) => kernels.celuGrad(g, a, out, shape, p),
  clamp: (g, a, out, shape, p, q) => kernels.clampGrad(g, a, out, shape, p, q),
  hardtanh: (g, a, out, shape, p, q) => kernels.hardtanhGrad(g, a, out, shape, p, q),
  hardsigmoid: (g, a, out, shape) => kernels.hardsigmoidGrad(g, a, out, shape),
  hardswish: (g, a, out, shape) => kernels.hardswishGrad(g, a, out, shape),
  sigmoid: (g, a, out, shape) => kernels.sigmoidGrad(g, a, out, shape),
  tanh: (g, a, out, shape) => kernels.tanhGrad(g, a, out, shape),
  logSigmoid: (g, a, out, shape) => kernels.logSigmoidGrad(g, a, out, shape),
  softplus: (g, a, out, shape, p, q) => kernels.softplusGrad(g, a, out, shape, p, q),
  silu: (g, a, out, shape) => kernels.siluGrad(g, a, out, shape),
  mish: (g, a, out, shape) => kernels.mishGrad(g, a, out, shape),
  gelu: (g, a, out, shape) => kernels.geluGrad(g, a, out, shape),
  geluTanh: (g, a, out, shape) => kernels.geluTanhGrad(g, a, out, shape),
} satisfies Readonly<Record<string, RunDerivative>>;

interface DerivativeAttrs {
  readonly run: RunDerivative;
  /** The parameters of the function, as its kernel takes them. */
  readonly p: number;
  readonly q: number;
}

const unfollowed = noGradient(
  'it stands for the formula of a derivative where nobody differentiates that; differentiate the function itself, with createGraph.',
);

// A cotangent times the derivative of a function of one number. It runs where nobody follows, so nobody ever meets it: it is no op of the
// framework's, and has no derivatives.
const derivativeOp = defineOp<readonly ['g', 'a'], DerivativeAttrs>({
  name: 'derivative',
  operands: ['g', 'a'],
  infer: ([g, a]) => ({ shape: a.shape, dtype: g.dtype }),
  forward: ([g, a], out, { run, p, q }, shape) => run(g, a, out, shape, p, q),
  layout: 'strided',
  vjps: [unfollowed, unfollowed],
  recycles: true,
  forwardMode: unfollowed,
});

/**
 * The rule of a function whose derivative has a kernel, which reads `saved`: its operand or its 'output'. Where somebody follows it is
 * `formula`, in ops, which has derivatives of its own.
 */
export function derivativeRule<Attrs>(
  of: keyof typeof derivatives,
  saved: 'x' | 'output',
  formula: (g: Tensor, a: Tensor, context: RuleContext<Attrs>) => Tensor,
  parameters: (attrs: Attrs) => readonly [p: number, q: number] = () => [0, 0],
): VjpRule<Attrs> {
  const run: RunDerivative = derivatives[of];
  return vjpRule<Attrs>(saved, (g, a, context) => {
    if (isFollowed()) return formula(g, a, context);
    const [p, q] = parameters(context.attrs);
    return apply(derivativeOp, [g, a], { run, p, q });
  });
}
