// Reverse mode as it is called: backward adds to the gradients of leaves, grad gives those of any tensors. Both are one pass (./pass.ts).

import { kernels } from '@adjoint/kernels-cpu';
import { requireOneOf } from '../arguments.ts';
import { DTypeError, formatShape, GradientError, ShapeError } from '../errors.ts';
import { add } from '../ops/arithmetic.ts';
import { onesLike, zerosLike } from '../ops/create.ts';
import { clone } from '../ops/layout.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sameShape } from '../shape.ts';
import { enableGrad, noGrad } from '../tape/mode.ts';
import type { Node } from '../tape/node.ts';
import { drop, isOwn, isOwnSum, share } from '../tape/recycling.ts';
import { tracing } from '../tape/tracing.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { runPass } from './pass.ts';

/** Options of `backward`. */
export interface BackwardOptions {
  /** Cotangent of the output, of its shape and dtype; may be left out for an output of one element, where it is 1. */
  readonly gradOutput?: Tensor | undefined;
  /** Keep what the graph saved, so that another pass can go through it. Default: the value of `createGraph`. */
  readonly retainGraph?: boolean | undefined;
  /** Record the backward pass itself, so that its results can be differentiated. Default false. */
  readonly createGraph?: boolean | undefined;
}

/** Options of `grad`. */
export interface GradOptions extends BackwardOptions {
  /** What to give for an input that the output does not depend on: an error (default), or zeros. */
  readonly unused?: 'error' | 'zeros' | undefined;
}

/**
 * Adds the gradient of `output` to the `.grad` of every leaf it depends on. PyTorch's `Tensor.backward`.
 *
 * @throws GradientError if the output requires no gradient, has more than one element and no `gradOutput`, if an op on
 *   the way has no gradient, or if the graph was freed. The `.grad` of all leaves is then unchanged.
 * @example
 * const w = tensor([1, 2], { requiresGrad: true });
 * backward(sum(mul(w, w)));
 * w.grad!.toArray(); // [2, 4]
 */
export function backward(output: Tensor, options: BackwardOptions = noOptions): void {
  requireTensor('backward', 'output', output);
  requireOptions('backward', options, { gradOutput: Tensor, retainGraph: 'boolean', createGraph: 'boolean' });
  tracing.current?.refuses(
    'backward',
    'adds to the .grad of tensors; let the function return grad(output, inputs)',
  );
  const seed = seedOf('backward', output, options.gradOutput);
  const found: [Tensor, Tensor][] = [];
  runPass(output.node!, seed, null, options, (node, cotangent) => {
    // A leaf whose requiresGrad was turned off since collects nothing.
    if (node.leaf?.node === node) found.push([node.leaf, cotangent]);
  });
  const accumulate = (): void => {
    for (const [leaf] of found) requireOwnGrad(leaf);
    for (const [leaf, cotangent] of found) leaf.grad = accumulated(leaf.grad, cotangent);
  };
  if (options.createGraph) enableGrad(accumulate);
  else noGrad(accumulate);
}

// The sum of a gradient, which somebody may hold, and a cotangent: in the array of the cotangent if that is the engine's own.
function accumulated(grad: Tensor | null, cotangent: Tensor): Tensor {
  if (grad === null ? isOwn(cotangent, 1) : isOwnSum(cotangent, 1)) {
    share(cotangent);
    if (grad !== null) kernels.add(grad, cotangent, cotangent.data, cotangent.shape);
    return cotangent;
  }
  const result = grad === null ? clone(cotangent) : add(grad, cotangent);
  drop(cotangent);
  // A pass within a rule ends in the scope of that rule, but this array is the leaf's.
  share(result);
  return result;
}

// `.grad` can be set by anyone; what has another shape or dtype would be broadcast into the sum, or change its type.
function requireOwnGrad({ grad, shape, dtype }: Tensor): void {
  if (grad === null || (sameShape(grad.shape, shape) && grad.dtype === dtype)) return;
  throw new GradientError(
    `a leaf of shape ${formatShape(shape)} and dtype ${dtype} holds a .grad of shape ${formatShape(grad.shape)} and dtype ${grad.dtype}; set it to null, or to a tensor of the leaf's shape and dtype.`,
    { op: 'backward', operand: 'grad', actual: grad.shape, expected: `${formatShape(shape)}, ${dtype}` },
  );
}

/**
 * The gradients of `output` with respect to `inputs`, which may be any tensors of its graph; `.grad` stays as it is.
 * PyTorch's `torch.autograd.grad`.
 *
 * @returns one tensor for one input, a list for a list; each has its input's shape and dtype.
 * @throws GradientError as `backward` does, and, before any rule runs, if the output does not depend on an input (unless
 *   `unused: 'zeros'`).
 * @example
 * const x = tensor(3, { requiresGrad: true });
 * const first = grad(mul(mul(x, x), x), x, { createGraph: true }); // 27
 * const second = grad(first, x); // 18
 */
export function grad(output: Tensor, inputs: Tensor, options?: GradOptions): Tensor;
export function grad<const I extends readonly Tensor[]>(
  output: Tensor,
  inputs: I,
  options?: GradOptions,
): { -readonly [K in keyof I]: Tensor };
export function grad(
  output: Tensor,
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = noOptions,
): Tensor | Tensor[] {
  requireTensor('grad', 'output', output);
  requireOptions('grad', options, {
    unused: 'string',
    gradOutput: Tensor,
    retainGraph: 'boolean',
    createGraph: 'boolean',
  });
  const { unused = 'error' } = options;
  requireOneOf('grad', 'unused', unused, ['error', 'zeros']);
  const list = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
  const nodes = new Set<Node>();
  list.forEach((input, i) => {
    requireTensor('grad', Array.isArray(inputs) ? `inputs[${i}]` : 'inputs', input);
    if (input.node !== null) nodes.add(input.node);
    else if (unused === 'error')
      throw unusedError(i, input, 'requires no gradient; set requiresGrad before the output is computed');
  });
  const seed = seedOf('grad', output, options.gradOutput);
  const missing = (node: Node): void => {
    if (unused === 'zeros') return;
    const i = list.findIndex((input) => input.node === node);
    throw unusedError(i, list[i], 'is not part of the graph of the output');
  };
  const found = new Map<Node, Tensor>();
  runPass(output.node!, seed, { nodes, missing }, options, (node, cotangent) => {
    share(cotangent);
    found.set(node, cotangent);
  });
  const results = list.map(
    (input) => (input.node === null ? undefined : found.get(input.node)) ?? zerosLike(input),
  );
  return Array.isArray(inputs) ? results : results[0];
}

function unusedError(index: number, input: Tensor, why: string): GradientError {
  return new GradientError(
    `input ${index} of shape ${formatShape(input.shape)} ${why}; leave it out, or pass { unused: 'zeros' } to get zeros.`,
    { op: 'grad', operand: `inputs[${index}]`, actual: why, expected: 'a tensor that the output depends on' },
  );
}

function seedOf(op: string, output: Tensor, gradOutput: Tensor | undefined): Tensor {
  if (output.node === null) {
    throw new GradientError(
      `the output of shape ${formatShape(output.shape)} and dtype ${output.dtype} requires no gradient: none of its operands does, or it was computed under noGrad or detached.`,
      { op, operand: 'output', expected: 'a tensor computed from one with requiresGrad' },
    );
  }
  if (gradOutput === undefined) {
    if (output.size !== 1) {
      throw new GradientError(
        `the output of shape ${formatShape(output.shape)} has ${output.size} elements; reduce it to one (sum, mean) or pass { gradOutput } of that shape.`,
        { op, operand: 'output', actual: output.shape, expected: 'one element, or a gradOutput' },
      );
    }
    return onesLike(output);
  }
  if (!sameShape(gradOutput.shape, output.shape)) {
    throw new ShapeError(
      `gradOutput has shape ${formatShape(gradOutput.shape)} and the output ${formatShape(output.shape)}; they must be the same.`,
      { op, operand: 'gradOutput', actual: gradOutput.shape, expected: formatShape(output.shape) },
    );
  }
  if (gradOutput.dtype !== output.dtype) {
    throw new DTypeError(
      `gradOutput is ${gradOutput.dtype} and the output ${output.dtype}; convert it with to('${output.dtype}').`,
      { op, operand: 'gradOutput', actual: gradOutput.dtype, expected: output.dtype },
    );
  }
  return gradOutput;
}
