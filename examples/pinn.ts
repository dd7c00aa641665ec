// Solves a differential equation with a network whose loss holds its own second derivative: u″ = −π² sin(πx), u(0) = u(1) = 0.
//
//     node --import tsx examples/pinn.ts --steps 40
//
// M. Raissi et al., "Physics-informed neural networks", 2019.

import { parseArgs } from 'node:util';
import {
  grad,
  linspace,
  manualSeed,
  mseLoss,
  mul,
  noGrad,
  sin,
  sub,
  type Tensor,
  zerosLike,
} from '@adjoint/core';
import { Linear, Module, Sequential, Tanh } from '@adjoint/nn';
import { LBFGS } from '@adjoint/nn/optim';
import { train } from '@adjoint/nn/train';

/** u(x) = x (1 − x) · network(x): what it is at both ends is built in. */
class Solution extends Module {
  readonly network = new Sequential(
    new Linear(1, 20, { dtype: 'float64' }),
    new Tanh(),
    new Linear(20, 20, { dtype: 'float64' }),
    new Tanh(),
    new Linear(20, 1, { dtype: 'float64' }),
  );

  forward(x: Tensor): Tensor {
    return mul(mul(x, sub(1, x)), this.network.forward(x));
  }
}

/** u″ + π² sin(πx), which is 0 where the equation holds. The derivatives have graphs, so the loss can be derived once more. */
function residual(u: Module & { forward(x: Tensor): Tensor }, points: Tensor): Tensor {
  const x = points.detach().requiresGrad_();
  const slope = grad(u.forward(x).sum(), x, { createGraph: true });
  const curvature = grad(slope.sum(), x, { createGraph: true });
  return curvature.add(sin(x.mul(Math.PI)).mul(Math.PI ** 2));
}

const { values: options } = parseArgs({ options: { steps: { type: 'string', default: '40' } } });
manualSeed(0);
const model = new Solution();
const optimizer = new LBFGS(model.parameters(), { lineSearch: 'strongWolfe', maxIter: 10 });
const points = linspace(0, 1, 64, { dtype: 'float64' }).reshape([64, 1]);
const run = train({
  model,
  data: [points],
  forward: (x) => {
    const left = residual(model, x);
    return [left, zerosLike(left)];
  },
  loss: mseLoss,
  optimizer,
  steps: Number(options.steps),
});
for await (const { step, loss } of run) {
  if (step === 1 || step % 5 === 0)
    console.log(`step ${step}: mean square of the residual ${loss.toExponential(3)}`);
}

const x = linspace(0, 1, 101, { dtype: 'float64' }).reshape([101, 1]);
const error = noGrad(() =>
  model
    .forward(x)
    .sub(sin(x.mul(Math.PI)))
    .abs()
    .amax()
    .item(),
);
console.log(`largest distance from sin(πx): ${error.toExponential(3)}`);
