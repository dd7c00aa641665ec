// A module as a function of its parameters: what gradients of gradients, Jacobians and fast weights are taken of.

import {
  ArgumentError,
  formatShape,
  requireArgument,
  requireTensor,
  ShapeError,
  type Tensor,
} from '@adjoint/core';
import { type Member, Module, standIns } from './module.ts';
import type { Buffer, Parameter } from './parameter.ts';
import type { StateDict } from './state.ts';

/**
 * Calls `forward` with other tensors in the place of parameters and buffers, which are put back afterwards. PyTorch's
 * `torch.func.functional_call`.
 *
 * Derivatives flow to the given tensors, which may be results of ops: so a module is a function that `jacobian`, `hvp` or `vmap` can
 * take, and steps of an inner training can be differentiated. What is not named stays; what stands in two places is exchanged in both.
 * A buffer that `forward` updates (running statistics) is changed in the given tensor. Calls may be nested.
 *
 * @param tensors by path, as `namedParameters` and `namedBuffers` have them, each of the shape of what it stands for.
 * @param inputs of `forward`.
 * @throws ArgumentError for what is no plain object, for a path that the module does not have, for two tensors in the place of one
 *   that is shared, or if `forward` is asynchronous; ShapeError for a tensor of another shape. Nothing is exchanged then.
 * @example
 * const model = new Linear(2, 1);
 * const x = ones([3, 2]);
 * const loss = (weight: Tensor) => functionalCall(model, { weight }, x).square().mean();
 * hessian(loss, zeros([1, 2])).shape; // [1, 2, 1, 2]
 */
export function functionalCall<M extends Module>(
  module: M,
  tensors: StateDict,
  ...inputs: Parameters<M['forward']>
): ReturnType<M['forward']> {
  const exchanges = exchangesOf(module, tensors);
  const before = exchanges.map(({ member }) => member.value);
  // A call within forward exchanges what stands in already, and ends before this one.
  const news = exchanges.map(({ tensor }) => tensor).filter((tensor) => !standIns.has(tensor));
  try {
    for (const tensor of news) standIns.add(tensor);
    for (const { member, tensor } of exchanges) member.replace(tensor as Parameter);
    const result = module.forward(...(inputs as never[]));
    if (result instanceof Promise) throw asynchronousError(result);
    return result as ReturnType<M['forward']>;
  } finally {
    exchanges.forEach(({ member }, i) => {
      member.replace(before[i]);
    });
    for (const tensor of news) standIns.delete(tensor);
  }
}

interface Exchange {
  readonly member: Member<Parameter | Buffer>;
  readonly tensor: Tensor;
}

// Every place of everything that is named by one of its places.
function exchangesOf(module: Module, tensors: StateDict): readonly Exchange[] {
  const op = 'functionalCall';
  requireRecord(op, tensors);
  requireArgument(op, 'module', module, Module);
  const placed = module.placedTensors();
  const chosen = new Map<Parameter | Buffer, { readonly path: string; readonly tensor: Tensor }>();
  for (const [path, tensor] of Object.entries(tensors)) {
    requireTensor(op, `tensors['${path}']`, tensor);
    const place = placed.find((candidate) => candidate.path === path);
    if (place === undefined) {
      const paths = placed.map((candidate) => candidate.path).join(', ');
      throw new ArgumentError(`the module has no parameter or buffer '${path}'; it has ${paths}.`, {
        op,
        operand: path,
        actual: path,
        expected: paths,
      });
    }
    const { value } = place.member;
    if (String(tensor.shape) !== String(value.shape)) {
      throw new ShapeError(
        `tensors['${path}'] has shape ${formatShape(tensor.shape)}, and stands for ${formatShape(value.shape)}; they must be the same.`,
        { op, operand: path, actual: tensor.shape, expected: formatShape(value.shape) },
      );
    }
    const other = chosen.get(value);
    if (other !== undefined && other.tensor !== tensor) {
      throw new ArgumentError(
        `'${other.path}' and '${path}' are one tensor in the module; give one for both, under either path.`,
        { op, operand: path, expected: `the tensor given for '${other.path}'` },
      );
    }
    chosen.set(value, { path, tensor });
  }
  return placed.flatMap(({ member }) => {
    const choice = chosen.get(member.value);
    return choice === undefined ? [] : [{ member, tensor: choice.tensor }];
  });
}

// A Map or a list of pairs has no entries of its own: nothing would be exchanged.
function requireRecord(op: string, tensors: unknown): void {
  const prototype =
    typeof tensors === 'object' && tensors !== null ? Object.getPrototypeOf(tensors) : undefined;
  if (prototype === Object.prototype || prototype === null) return;
  throw new ArgumentError(
    'tensors is no plain object; give one with a tensor per path, as Object.fromEntries makes it of pairs or of a Map.',
    { op, operand: 'tensors', actual: tensors, expected: 'an object of tensors by path' },
  );
}

function asynchronousError(result: Promise<unknown>): ArgumentError {
  // Its parameters are back before it goes on, so whatever it comes to is of no use.
  result.catch(() => {});
  return new ArgumentError(
    'forward returned a promise; a module can be called so only if it computes at once.',
    {
      op: 'functionalCall',
      operand: 'module',
      expected: 'a synchronous forward',
    },
  );
}
