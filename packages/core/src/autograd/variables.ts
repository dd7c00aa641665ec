// What functional transforms do to the inputs of a function: each becomes a variable of its own, and stays tied to whatever
// derivative is being taken around the transform.

import { ArgumentError, quote } from '../errors.ts';
import { permuteOp } from '../ops/layout.ts';
import { apply } from '../tape/apply.ts';
import { noGrad } from '../tape/mode.ts';
import { Tensor } from '../tensor.ts';

/** One tensor or several: what a transform takes, it gives back in the same form. */
export type Tensors = Tensor | readonly Tensor[];

/** A tensor for a tensor; for a list of them, one for each: `const [a, b] = …` needs no check. */
export type Alike<I extends Tensors> = I extends readonly Tensor[]
  ? { -readonly [K in keyof I]: Tensor }
  : Tensor;

/** A function that a transform can work on. */
export type TensorFunction<R extends Tensors = Tensors> = (...inputs: Tensor[]) => R;

/** Refuses an operand beside the function: the transform gives a function, and that takes the operands. */
export function requireCurried(op: string, options: unknown): void {
  if (!(options instanceof Tensor)) return;
  throw new ArgumentError(
    `options is a Tensor; give an object, or nothing: operands go to the function that it gives, ${op}(fn)(x).`,
    {
      op,
      operand: 'options',
      actual: options,
      expected: 'options, or nothing',
    },
  );
}

/** The same values under another identity; unlike `detach`, derivatives pass through. */
export function alias(x: Tensor): Tensor {
  return apply(permuteOp, [x], { axes: x.shape.map((_, axis) => axis) });
}

/** The same values without the graph; unlike `detach`, tangents pass through. */
export function withoutGraph(x: Tensor): Tensor {
  return noGrad(() => alias(x));
}

/**
 * An input as a variable that gradients can be asked for.
 *
 * @param tied whether derivatives of higher order may pass through it to the caller's graph.
 */
export function variable(x: Tensor, { tied }: { readonly tied: boolean }): Tensor {
  const made = tied ? alias(x) : withoutGraph(x);
  return made.requiresGrad ? made : made.requiresGrad_();
}

/** The tensors of an argument or result as a list. */
export function listOf(value: Tensors, op: string, operand: string): readonly Tensor[] {
  const list = value instanceof Tensor ? [value] : value;
  if (Array.isArray(list) && list.every((item) => item instanceof Tensor)) return list;
  throw new ArgumentError(`${operand} is ${quote(value)}; give a tensor or a list of tensors.`, {
    op,
    operand,
    actual: value,
    expected: 'a tensor or a list of tensors',
  });
}

/** A list in the form that `like` has: a single tensor for a single tensor. */
export function inFormOf<T extends Tensors>(like: T, list: readonly Tensor[]): Alike<T> {
  return (like instanceof Tensor ? list[0] : list) as Alike<T>;
}
