// Parameters as one vector, for methods that take all of them together: line searches, natural gradients, evolution strategies.

import {
  ArgumentError,
  cat,
  copy_,
  flatten,
  formatShape,
  noGrad,
  requireMutable,
  requireTensor,
  ShapeError,
  Tensor,
} from '@adjoint/core';

/**
 * All elements of the parameters one after another, as one vector, through which gradients flow. PyTorch's
 * `nn.utils.parameters_to_vector`.
 *
 * @param parameters such as `model.parameters()`, or their gradients; at least one.
 * @throws ArgumentError for an empty list, or for what is no tensor.
 * @example
 * parametersToVector(new Linear(3, 2).parameters()).shape; // [8]
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat(
    listed('parametersToVector', parameters).map((parameter) => flatten(parameter, { startAxis: 0 })),
  );
}

/**
 * Copies a vector's elements into the parameters, one after another: the inverse of {@link parametersToVector}. PyTorch's
 * `nn.utils.vector_to_parameters`. Under `noGrad`: parameters stay leaves.
 *
 * @throws ArgumentError for an empty list, or for what is no tensor, or a parameter with expanded axes; ShapeError unless the vector has one axis,
 *   and as many elements as all parameters together; GradientError for the result of an op among the parameters. Nothing is changed then.
 * @example
 * const [model, other] = [new Linear(3, 2), new Linear(3, 2)];
 * vectorToParameters(parametersToVector(model.parameters()), other.parameters());
 * equal(other.weight, model.weight); // true
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  const op = 'vectorToParameters';
  requireTensor(op, 'vector', vector);
  const list = listed(op, parameters);
  const total = list.reduce((sum, { size }) => sum + size, 0);
  if (vector.ndim !== 1 || vector.size !== total) {
    throw new ShapeError(
      `the vector has shape ${formatShape(vector.shape)}, and the parameters have ${total} elements; give one axis of as many.`,
      { op, operand: 'vector', actual: vector.shape, expected: formatShape([total]) },
    );
  }
  noGrad(() => {
    for (const [i, parameter] of list.entries()) requireMutable(op, `parameters[${i}]`, parameter);
    // The vector may be made of views of the parameters themselves.
    const values = vector.detach().clone();
    let start = 0;
    for (const parameter of list) {
      copy_(parameter, values.narrow(0, start, parameter.size).reshape(parameter.shape));
      start += parameter.size;
    }
  });
}

function listed(op: string, parameters: Iterable<Tensor>): readonly Tensor[] {
  const iterable =
    typeof parameters === 'object' &&
    parameters !== null &&
    !(parameters instanceof Tensor) &&
    Symbol.iterator in parameters;
  const list = iterable ? [...parameters] : [];
  if (list.length === 0) {
    throw new ArgumentError('there are no parameters; pass model.parameters(), or a list of tensors.', {
      op,
      operand: 'parameters',
      actual: parameters,
      expected: 'at least one tensor',
    });
  }
  for (const [i, parameter] of list.entries()) requireTensor(op, `parameters[${i}]`, parameter);
  return list;
}
