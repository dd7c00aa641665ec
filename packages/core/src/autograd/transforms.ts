// Functional transforms: derivatives of functions rather than of recorded tensors. All nest, in each other and in themselves.

import { isFloat } from '../dtype.ts';
import { DTypeError, formatShape, GradientError, requireFunction, ShapeError } from '../errors.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { onesLike, zerosLike } from '../ops/create.ts';
import { sum } from '../ops/expand-sum.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sameShape } from '../shape.ts';
import { enableGrad } from '../tape/mode.ts';
import { observe } from '../tape/observer.ts';
import type { Tensor } from '../tensor.ts';
import { grad } from './backward.ts';
import { Tangents } from './forward.ts';
import {
  type Alike,
  alias,
  inFormOf,
  listOf,
  type TensorFunction,
  type Tensors,
  variable,
  withoutGraph,
} from './variables.ts';

/** Options of the transforms by reverse mode. */
export interface TransformOptions {
  /** Keep the results in the graph, so that they can be differentiated by `grad` and `backward`. Default false. */
  readonly createGraph?: boolean | undefined;
}

/**
 * The value of a function of one output element, and its gradients. JAX's `value_and_grad`, applied.
 *
 * @param fn takes the inputs in order, returns a tensor of one element.
 * @param inputs one floating-point tensor or several; they need not require a gradient, and `.grad` stays as it is.
 * @returns the value, and a gradient per input (zeros where there is no dependence), in the form of `inputs`.
 * @throws GradientError if the value has more than one element or an op has no gradient; DTypeError for integer inputs.
 * @example
 * const [value, gradient] = valueAndGrad((x) => sum(mul(x, x)), tensor([1, 2]));
 * value.item(); // 5
 * gradient.toArray(); // [2, 4]
 */
export function valueAndGrad<const I extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: I,
  options: TransformOptions = noOptions,
): [Tensor, Alike<I>] {
  requireOptions('valueAndGrad', options, { createGraph: 'boolean' });
  return pullBack('valueAndGrad', fn, inputs, null, options);
}

/**
 * The value of a function and the product of a cotangent with its Jacobian, by reverse mode. PyTorch's
 * `torch.autograd.functional.vjp`.
 *
 * @param fn takes the inputs in order, returns a tensor or a list.
 * @param cotangents of the outputs' shapes and dtypes; may be left out for a single output of one element.
 * @returns the value, and `vᵀ J` per input, in the form of `inputs`.
 * @throws ShapeError, DTypeError for cotangents that do not fit; else as {@link valueAndGrad}.
 * @example
 * const [, pulled] = vjp((x) => mul(x, x), tensor([1, 2]), tensor([10, 1]));
 * pulled.toArray(); // [20, 4]
 */
export function vjp<const R extends Tensors, const I extends Tensors>(
  fn: TensorFunction<R>,
  inputs: I,
  cotangents?: Alike<R>,
  options: TransformOptions = noOptions,
): [Alike<R>, Alike<I>] {
  requireOptions('vjp', options, { createGraph: 'boolean' });
  return pullBack('vjp', fn, inputs, cotangents ?? null, options);
}

/**
 * The value of a function and the product of its Jacobian with a tangent, by forward mode: one run, no graph. PyTorch's
 * `torch.func.jvp`.
 *
 * `detach` stops tangents; `noGrad` does not, as in PyTorch. What is computed from inputs that require a gradient is
 * recorded, tangents too.
 *
 * @param tangents one per input, of its shape and dtype.
 * @returns the value, and `J u` per output (zeros where there is no dependence), in the form of the function's result.
 * @throws GradientError if an op on the way has no forward mode; ShapeError, DTypeError for tangents that do not fit.
 * @example
 * const [value, pushed] = jvp((x) => mul(x, x), tensor([1, 2]), tensor([1, 10]));
 * pushed.toArray(); // [2, 40]
 */
export function jvp<const R extends Tensors>(
  fn: TensorFunction<R>,
  inputs: Tensors,
  tangents: Tensors,
): [Alike<R>, Alike<R>] {
  requireFunction('jvp', 'fn', fn);
  const points = listOf(inputs, 'jvp', 'inputs');
  const directions = listOf(tangents, 'jvp', 'tangents');
  requireFit('jvp', 'tangents', 'inputs', directions, points);
  const carried = new Tangents();
  const variables = points.map(alias);
  variables.forEach((x, i) => {
    carried.set(x, directions[i]);
  });
  const result = observe(carried, () => fn(...variables));
  const outputs = listOf(result, 'jvp', "the function's result");
  return [
    inFormOf(result, outputs),
    inFormOf(
      result,
      outputs.map((output) => carried.of(output) ?? zerosLike(output)),
    ),
  ];
}

/**
 * The value of a function of one output element, and the product of its Hessian with a vector, without the Hessian.
 * PyTorch's `torch.autograd.functional.hvp`.
 *
 * @param vectors one per input, of its shape and dtype.
 * @returns the value, and `H v` per input, in the form of `inputs`.
 * @throws as {@link vjp}.
 * @example
 * const [, product] = hvp((x) => sum(mul(mul(x, x), x)), tensor([1, 2]), tensor([1, 1]));
 * product.toArray(); // [6, 12]
 */
export function hvp<const I extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: I,
  vectors: Alike<I>,
  options: TransformOptions = noOptions,
): [Tensor, Alike<I>] {
  requireOptions('hvp', options, { createGraph: 'boolean' });
  requireFunction('hvp', 'fn', fn);
  const directions = listOf(vectors, 'hvp', 'vectors');
  requireFit('hvp', 'vectors', 'inputs', directions, listOf(inputs, 'hvp', 'inputs'));
  const values: Tensor[] = [];
  const slopeAlong = (...points: Tensor[]): Tensor => {
    const [value, gradients] = pullBack('hvp', fn, points, null, { createGraph: true });
    values.push(value);
    return contract(gradients, directions);
  };
  const [, product] = pullBack('hvp', slopeAlong, inputs, null, options);
  return [options.createGraph ? values[0] : withoutGraph(values[0]), product];
}

// The one way through reverse mode. Without cotangents the output must have one element.
function pullBack<R extends Tensors, I extends Tensors>(
  op: string,
  fn: TensorFunction<R>,
  inputs: I,
  cotangents: Tensors | null,
  { createGraph = false }: TransformOptions,
): [Alike<R>, Alike<I>] {
  requireFunction(op, 'fn', fn);
  const variables = listOf(inputs, op, 'inputs').map((x) => variable(x, { tied: createGraph }));
  const result = enableGrad(() => fn(...variables));
  const outputs = listOf(result, op, "the function's result");
  const directions =
    cotangents === null ? [unitCotangent(op, outputs)] : listOf(cotangents, op, 'cotangents');
  requireFit(op, 'cotangents', 'outputs', directions, outputs);
  const gradients = enableGrad(() => {
    const [root, gradOutput] =
      outputs.length === 1 ? [outputs[0], directions[0]] : [contract(outputs, directions), undefined];
    if (root.node === null) return variables.map((x) => zerosLike(x));
    return grad(root, variables, {
      createGraph,
      unused: 'zeros',
      ...(gradOutput === undefined ? {} : { gradOutput }),
    });
  });
  const value = inFormOf(result, createGraph ? outputs : outputs.map(withoutGraph));
  return [value, inFormOf(inputs, gradients)];
}

/** `Σ <a[i], b[i]>`, of tensors that may differ in dtype from pair to pair. */
function contract(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  return a.map((x, i) => sum(mul(x, b[i]))).reduce((total, term) => add(total, term));
}

function unitCotangent(op: string, outputs: readonly Tensor[]): Tensor {
  if (outputs.length === 1 && outputs[0].size === 1) return onesLike(outputs[0]);
  const shapes = outputs.map(({ shape }) => formatShape(shape)).join(', ');
  throw new GradientError(
    `the function's result has shape ${shapes}; reduce it to one element (sum, mean)${op === 'vjp' ? ' or pass cotangents of that shape' : ''}.`,
    { op, operand: 'fn', actual: outputs.map(({ shape }) => shape), expected: 'one element' },
  );
}

function requireFit(
  op: string,
  operand: string,
  beside: string,
  given: readonly Tensor[],
  wanted: readonly Tensor[],
): void {
  if (given.length !== wanted.length) {
    throw new ShapeError(
      `there are ${given.length} ${operand} for ${wanted.length} ${beside}; give one each.`,
      {
        op,
        operand,
        actual: given.length,
        expected: String(wanted.length),
      },
    );
  }
  given.forEach(({ shape, dtype }, i) => {
    const like = wanted[i];
    if (!sameShape(shape, like.shape)) {
      throw new ShapeError(
        `${operand}[${i}] has shape ${formatShape(shape)} and ${beside}[${i}] ${formatShape(like.shape)}; they must be the same.`,
        { op, operand: `${operand}[${i}]`, actual: shape, expected: formatShape(like.shape) },
      );
    }
    if (dtype !== like.dtype || !isFloat(dtype)) {
      throw new DTypeError(
        `${operand}[${i}] is ${dtype} and ${beside}[${i}] ${like.dtype}; both must be of one floating-point type.`,
        { op, operand: `${operand}[${i}]`, actual: dtype, expected: like.dtype },
      );
    }
  });
}
