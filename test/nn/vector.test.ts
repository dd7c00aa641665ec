// Parameters as one vector and back: every element in its place, gradients through it, and nothing half done.

import { ArgumentError, arange, grad, ones, randn, ShapeError, type Tensor, tensor } from '@adjoint/core';
import {
  functionalCall,
  Linear,
  Parameter,
  parametersToVector,
  Sequential,
  Tanh,
  vectorToParameters,
} from '@adjoint/nn';
import { describe, expect, test } from 'vitest';

const net = (): Sequential => new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 1)).to('float64');

describe('parametersToVector and vectorToParameters', () => {
  test('lay elements in the order of parameters(), in row-major order', () => {
    const [a, b] = [new Parameter(arange(0, 4).reshape([2, 2])), new Parameter(tensor(4))];
    expect(parametersToVector([a, b]).toArray()).toEqual([0, 1, 2, 3, 4]);
    vectorToParameters(tensor([9, 8, 7, 6, 5]), [a, b]);
    expect([a.toArray(), b.item()]).toEqual([
      [
        [9, 8],
        [7, 6],
      ],
      5,
    ]);
    expect(a.isLeaf && a.requiresGrad).toBe(true);
  });

  test('there and back changes nothing, and makes two models one function', () => {
    const [model, other] = [net(), net()];
    const x = randn([5, 3], { dtype: 'float64' });
    vectorToParameters(parametersToVector(model.parameters()), other.parameters());
    expect(other.forward(x).toArray()).toEqual(model.forward(x).toArray());
  });

  test('gradients flow through the vector', () => {
    const model = net();
    const x = randn([5, 3], { dtype: 'float64' });
    const loss = (): Tensor =>
      functionalCall(model, Object.fromEntries(model.namedParameters()), x).square().sum();
    const direction = randn([21], { dtype: 'float64' });
    const gradients = grad(loss(), model.parameters(), { createGraph: true });
    // A product of the Hessian with a vector, as natural gradients take them, against differences of gradients.
    const product = parametersToVector(
      grad(parametersToVector(gradients).mul(direction).sum(), model.parameters()),
    );
    const start = parametersToVector(model.parameters()).detach();
    const gradientAt = (step: number): Tensor => {
      vectorToParameters(start.add(direction.mul(step)), model.parameters());
      return parametersToVector(grad(loss(), model.parameters())).detach();
    };
    const numeric = gradientAt(1e-5).sub(gradientAt(-1e-5)).div(2e-5);
    expect(numeric.sub(product).norm().item()).toBeLessThan(1e-6 * product.norm().item());
  });

  test('a parameter that cannot be changed leaves those before it as they were', () => {
    const first = new Parameter(ones([2]));
    const computed = new Parameter(ones([3])).mul(2);
    expect(() => vectorToParameters(arange(0, 5), [first, computed])).toThrow(
      expect.objectContaining({ name: 'GradientError', op: 'vectorToParameters', operand: 'parameters[1]' }),
    );
    const expanded = ones([1]).expand([3]);
    expect(() => vectorToParameters(arange(0, 5), [first, expanded])).toThrow(
      expect.objectContaining({ name: 'ArgumentError', operand: 'parameters[1]' }),
    );
    expect(first.toArray()).toEqual([1, 1]);
  });

  test('what does not fit is refused before anything changes', () => {
    const model = net();
    const before = parametersToVector(model.parameters()).toArray();
    expect(() => vectorToParameters(ones([20]), model.parameters())).toThrow(ShapeError);
    expect(() =>
      vectorToParameters(
        ones([21]),
        model
          .parameters()
          .reverse()
          .concat([null as never]),
      ),
    ).toThrow(ArgumentError);
    expect(() => vectorToParameters(ones([3, 7]), model.parameters())).toThrow(
      /has shape \(3, 7\).*21 elements/,
    );
    for (const wrong of [[], new Linear(1, 1), 3, () => model.parameters(), ones([2])])
      expect(() => parametersToVector(wrong as never)).toThrow(
        /there are no parameters; pass model\.parameters\(\)/,
      );
    expect(parametersToVector(model.parameters()).toArray()).toEqual(before);
  });
});
