// Tensors without layers: a straight line fitted by gradient descent, and by Newton's method with the Hessian that comes for free.
//
//     node --import tsx examples/tensors-alone.ts --steps 200

import { parseArgs } from 'node:util';
import {
  copy_,
  Generator,
  grad,
  hessian,
  linspace,
  mean,
  noGrad,
  randn,
  square,
  type Tensor,
  tensor,
} from '@adjoint/core';

const { values: options } = parseArgs({ options: { steps: { type: 'string', default: '200' } } });
const dtype = 'float64';
const x = linspace(-1, 1, 50, { dtype });
const y = x
  .mul(3)
  .sub(1)
  .add(randn([50], { dtype, generator: new Generator(0) }).mul(0.1));

const meanSquare = (line: Tensor): Tensor => {
  const [slope, offset] = line.unbind();
  return mean(square(x.mul(slope).add(offset).sub(y)));
};

const line = tensor([0, 0], { dtype, requiresGrad: true });
for (let step = 1; step <= Number(options.steps); step++) {
  const loss = meanSquare(line);
  line.grad = null;
  loss.backward();
  noGrad(() => line.add_(line.grad!.mul(-0.1)));
  if (step === 1 || step % 50 === 0) console.log(`step ${step}: loss ${loss.item().toFixed(6)}`);
}
const show = (values: Tensor): string =>
  Array.from(values.toTypedArray(), (value) => value.toFixed(4)).join(', ');
console.log(`descent: ${show(line)}`);

// The loss is a parabola, so one step of Newton's ends at its lowest point: solve H · step = gradient, two by two.
const start = tensor([0, 0], { dtype, requiresGrad: true });
const slope = grad(meanSquare(start), start).toTypedArray();
const [[a, b], [c, d]] = hessian(meanSquare, start).toArray() as number[][];
const determinant = a * d - b * c;
const step = [(d * slope[0] - b * slope[1]) / determinant, (a * slope[1] - c * slope[0]) / determinant];
noGrad(() => copy_(start, tensor([-step[0], -step[1]], { dtype })));
console.log(`Newton:  ${show(start)}`);
