// What a user's project with every check of the compiler turned on asks of our types: a fixed number of tensors is destructured without
// a check of each, and an option that may be undefined is passed on as it is. Compiled by tarballs.test.ts against the packed packages.
import {
  apply,
  defineOp,
  type FloatDType,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  mul,
  narrow,
  randn,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vjpRule,
  vmap,
} from '@adjoint/core';
import { gradcheck } from '@adjoint/core/check';
import { Parameter } from '@adjoint/nn';
import { randomSplit, TensorDataset } from '@adjoint/nn/data';

export const fmaOp = defineOp({
  name: 'fma',
  operands: ['x', 'y', '...rest'],
  infer: ([x, y, ...rest]) => ({ shape: x.shape, dtype: rest[0]?.dtype ?? y.dtype }),
  forward: ([x, y], out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x.data[i]) * Number(y.data[i]);
  },
  vjps: [vjpRule('y', (g, y) => mul(g, y)), vjpRule('x', (g, x) => mul(g, x)), vjpRule((g) => g)],
  forwardMode: ([tx, ty], [x, y]) => (tx === null ? mul(x, ty ?? 0) : mul(tx, y)),
});

const a = tensor([1, 2], { requiresGrad: true });
const b = new Parameter(tensor([3, 4]));
const [ga, gb] = grad(sum(apply(fmaOp, [a, b], undefined)), [a, b]);
const [, [va, vb]] = valueAndGrad((x, y) => sum(mul(x, y)), [a, b]);
const [, [pa, pb]] = vjp((x, y) => sum(mul(x, y)), [a, b]);
const [, [ha, hb]] = hvp((x, y) => sum(mul(x, y)), [a, b], [a, b]);
const [ja, jb] = jacobian((x, y) => mul(x, y), [a, b]);
const [[haa], [, hbb]] = hessian((x, y) => sum(mul(x, y)), [a, b]);
const [[left, right]] = jvp((x) => [narrow(x, 0, 0, 1), narrow(x, 0, 1, 1)], a, a);
const [twice, thrice] = vmap((x) => [mul(x, 2), mul(x, 3)])(a);
export const tensors: Tensor[] = [
  ...[ga, gb, va, vb, pa, pb, ha, hb, ja, jb, haa, hbb],
  ...[left, right, twice, thrice],
];
// A gradient with respect to a parameter is no parameter.
export const single: Tensor = valueAndGrad((x) => sum(x), b)[1];

const [training, testing] = randomSplit(new TensorDataset(a), [0.5, 0.5]);
export const lengths: number[] = [training.length, testing.length];

/** Hands its own options on. */
export function passesOn(options: {
  dtype?: FloatDType | undefined;
  axis?: number | undefined;
  step?: number | undefined;
}): Tensor {
  const x = randn([2, 3], { dtype: options.dtype });
  gradcheck((y) => sum(y), [x], { step: options.step });
  return x.softmax({ axis: options.axis }).sum({ axes: options.axis });
}
