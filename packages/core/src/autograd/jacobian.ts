// Jacobians and Hessians in full: one pass of reverse mode per output element, or one run of forward mode per input element.

import { requireOneOf } from '../arguments.ts';
import { formatShape, GradientError, requireFunction } from '../errors.ts';
import { tensor, zeros } from '../ops/create.ts';
import { stack } from '../ops/join.ts';
import { reshape } from '../ops/layout.ts';
import { noOptions, requireOptions } from '../options.ts';
import { enableGrad } from '../tape/mode.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { grad } from './backward.ts';
import { jvp, type TransformOptions } from './transforms.ts';
import {
  type Alike,
  inFormOf,
  listOf,
  type TensorFunction,
  type Tensors,
  variable,
  withoutGraph,
} from './variables.ts';

/** Options of {@link jacobian}. */
export interface JacobianOptions extends TransformOptions {
  /**
   * `reverse` (default): one pass per output element. `forward`: one run per input element, better where inputs are few;
   * every op on the way must have a forward mode.
   */
  readonly mode?: 'reverse' | 'forward' | undefined;
}

/**
 * The Jacobian of a function. PyTorch's `torch.autograd.functional.jacobian`.
 *
 * @param fn takes the inputs in order, returns one tensor.
 * @returns per input a tensor whose shape is the output's followed by the input's, in the form of `inputs`.
 * @throws GradientError if an op on the way has no derivative; DTypeError for inputs that are not floating-point.
 * @example
 * jacobian((x) => mul(x, x), tensor([1, 2])).toArray(); // [[2, 0], [0, 4]]
 */
export function jacobian<const I extends Tensors>(
  fn: TensorFunction<Tensor>,
  inputs: I,
  options: JacobianOptions = noOptions,
): Alike<I> {
  requireOptions('jacobian', options, { mode: 'string', createGraph: 'boolean' });
  requireFunction('jacobian', 'fn', fn);
  const { mode = 'reverse', createGraph = false } = options;
  requireOneOf('jacobian', 'mode', mode, ['reverse', 'forward']);
  const points = listOf(inputs, 'jacobian', 'inputs');
  if (mode === 'forward') {
    const matrices = points.map((_, i) => columns(fn, points, i));
    return inFormOf(inputs, createGraph ? matrices : matrices.map(withoutGraph));
  }
  const variables = points.map((x) => variable(x, { tied: createGraph }));
  const output = enableGrad(() => fn(...variables));
  requireTensor('jacobian', "the function's result", output);
  return inFormOf(inputs, rows(output, variables, createGraph));
}

/**
 * The Hessian of a function of one output element. PyTorch's `torch.autograd.functional.hessian`.
 *
 * @param fn takes the inputs in order, returns a tensor of one element.
 * @returns for one input a tensor of its shape twice over; for a list a table of them: entry `[i][j]` is
 *   ∂²/∂(input i)∂(input j), of the shape of input i followed by that of input j.
 * @throws GradientError if the value has more than one element; else as {@link jacobian}.
 * @example
 * hessian((x) => sum(mul(mul(x, x), x)), tensor([1, 2])).toArray(); // [[6, 0], [0, 12]]
 */
export function hessian(fn: TensorFunction<Tensor>, inputs: Tensor, options?: TransformOptions): Tensor;
export function hessian<const I extends readonly Tensor[]>(
  fn: TensorFunction<Tensor>,
  inputs: I,
  options?: TransformOptions,
): { -readonly [K in keyof I]: { -readonly [J in keyof I]: Tensor } };
export function hessian(
  fn: TensorFunction<Tensor>,
  inputs: Tensors,
  options: TransformOptions = noOptions,
): Tensor | Tensor[][] {
  requireOptions('hessian', options, { createGraph: 'boolean' });
  requireFunction('hessian', 'fn', fn);
  const { createGraph = false } = options;
  const variables = listOf(inputs, 'hessian', 'inputs').map((x) => variable(x, { tied: createGraph }));
  const value = enableGrad(() => fn(...variables));
  requireTensor('hessian', "the function's result", value);
  if (value.size !== 1) {
    throw new GradientError(
      `the function's result has shape ${formatShape(value.shape)}; reduce it to one element (sum, mean), or take the jacobian.`,
      { op: 'hessian', operand: 'fn', actual: value.shape, expected: 'one element' },
    );
  }
  const gradients =
    value.node === null
      ? variables.map((x) => zeros(x.shape, { dtype: x.dtype }))
      : grad(reshape(value, []), variables, { createGraph: true, unused: 'zeros' });
  const table = gradients.map((gradient) => rows(gradient, variables, createGraph));
  return Array.isArray(inputs) ? table : table[0][0];
}

// Per variable the matrix of all ∂output/∂variable, a row per output element.
function rows(output: Tensor, variables: readonly Tensor[], createGraph: boolean): Tensor[] {
  const shapeOf = (x: Tensor): number[] => [...output.shape, ...x.shape];
  if (output.node === null || output.size === 0) {
    return variables.map((x) => zeros(shapeOf(x), { dtype: x.dtype }));
  }
  const passes = Array.from({ length: output.size }, (_, k) =>
    grad(output, variables, {
      gradOutput: unit(output, k),
      retainGraph: true,
      createGraph,
      unused: 'zeros',
    }),
  );
  return variables.map((x, i) => reshape(stack(passes.map((pass) => pass[i])), shapeOf(x)));
}

// The matrix of ∂output/∂points[i], a column per element of points[i].
function columns(fn: TensorFunction<Tensor>, points: readonly Tensor[], i: number): Tensor {
  const x = points[i];
  const still = points.map((point) => zeros(point.shape, { dtype: point.dtype }));
  const runs = Array.from({ length: x.size }, (_, k) => {
    const [, column] = jvp(
      fn,
      points,
      still.map((zero, j) => (j === i ? unit(x, k) : zero)),
    );
    return column;
  });
  if (runs.length > 0) return reshape(stack(runs, { axis: -1 }), [...runs[0].shape, ...x.shape]);
  const output = fn(...points);
  return zeros([...output.shape, ...x.shape], { dtype: output.dtype });
}

// One at element k, zero elsewhere, of the shape and dtype of `like`.
function unit(like: Tensor, k: number): Tensor {
  const values = new Float64Array(like.size);
  values[k] = 1;
  return tensor(values, { shape: like.shape, dtype: like.dtype });
}
