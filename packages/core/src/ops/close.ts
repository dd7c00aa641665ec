// Comparing whole tensors: element by element within a tolerance, or all at once.

import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sameShape } from '../shape.ts';
import { noGrad } from '../tape/mode.ts';
import { requireTensor, type Tensor } from '../tensor.ts';
import { add, mul, sub } from './arithmetic.ts';
import { cast } from './cast.ts';
import { eq, isfinite, isnan, le } from './compare.ts';
import { logicalAnd, logicalOr } from './logic.ts';
import { type Operand, toOperand } from './operand.ts';
import { all } from './quantifiers.ts';
import { abs } from './select.ts';

/** Options of {@link isclose} and {@link allclose}. */
export interface CloseOptions {
  /** Difference allowed per unit of `|b|`. Default 1e-5. */
  readonly rtol?: number | undefined;
  /** Difference allowed beside that. Default 1e-8. */
  readonly atol?: number | undefined;
  /** Whether two NaN are close. Default false. */
  readonly equalNan?: boolean | undefined;
}

const closeOptions = { rtol: 'number', atol: 'number', equalNan: 'boolean' } as const;

/**
 * Where `|a - b| <= atol + rtol · |b|`, as bool, computed in float64; an infinity is close to itself alone. PyTorch's `torch.isclose`,
 * which takes operands of one dtype only.
 *
 * @throws ArgumentError for a tolerance below 0; ShapeError if the shapes do not broadcast.
 * @example
 * isclose(tensor([1, 2]), tensor([1.000001, 2.1])).toArray(); // [1, 0]
 */
export function isclose(a: Operand, b: Operand, options: CloseOptions = noOptions): Tensor {
  return close('isclose', a, b, options);
}

/**
 * Whether all elements are close, as {@link isclose} has it. PyTorch's `torch.allclose`.
 *
 * @throws ArgumentError for a tolerance below 0; ShapeError if the shapes do not broadcast; TraceError in a traced function, which cannot read values.
 * @example
 * allclose(tensor([0.1]).add(0.2), tensor([0.3])); // true
 */
export function allclose(a: Operand, b: Operand, options: CloseOptions = noOptions): boolean {
  return all(close('allclose', a, b, options)).item() === 1;
}

/**
 * Whether two tensors have the same shape and the same values, whatever their dtypes; NaN is not the same as NaN. PyTorch's
 * `torch.equal`.
 *
 * @throws TraceError in a traced function, which cannot read values.
 * @example
 * equal(tensor([1, 2]), tensor([1, 2], { dtype: 'int32' })); // true
 */
export function equal(a: Tensor, b: Tensor): boolean {
  requireTensor('equal', 'a', a);
  requireTensor('equal', 'b', b);
  if (!sameShape(a.shape, b.shape)) return false;
  // In float64, which holds what each dtype holds: float32, to which int32 is promoted beside it, rounds large integers.
  return noGrad(() => all(eq(cast(a, 'float64'), cast(b, 'float64'))).item() === 1);
}

function close(op: string, a: Operand, b: Operand, options: CloseOptions): Tensor {
  requireOptions(op, options, closeOptions);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  for (const [name, value] of Object.entries({ a, b }))
    if (typeof value !== 'number') requireTensor(op, name, value);
  for (const [name, value] of Object.entries({ rtol, atol })) {
    if (value >= 0) continue;
    throw new ArgumentError(`${name} is ${String(value)}; it takes a number of at least 0.`, {
      op,
      operand: name,
      actual: value,
      expected: 'a number >= 0',
    });
  }
  return noGrad(() => {
    const x = cast(toOperand(a, b), 'float64');
    const y = cast(toOperand(b, a), 'float64');
    const error = abs(sub(x, y));
    const near = logicalAnd(isfinite(error), le(error, add(mul(abs(y), rtol), atol)));
    const either = logicalOr(eq(x, y), near);
    return equalNan ? logicalOr(either, logicalAnd(isnan(x), isnan(y))) : either;
  });
}
