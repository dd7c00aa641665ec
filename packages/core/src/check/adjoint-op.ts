// The exact adjoint test for an op as its record describes it: linear in an operand, with the derivative rule as transpose.

import { grad } from '../autograd/backward.ts';
import { isFloat } from '../dtype.ts';
import { ArgumentError, quote } from '../errors.ts';
import { cast } from '../ops/cast.ts';
import { tensor, zerosLike } from '../ops/create.ts';
import { noOptions, requireOptions } from '../options.ts';
import { Generator } from '../random/generator.ts';
import { isNoGradient, Op } from '../registry.ts';
import { apply } from '../tape/apply.ts';
import { enableGrad } from '../tape/mode.ts';
import type { Tensor } from '../tensor.ts';
import { type AdjointCheckOptions, adjointCheck, trialOptions } from './adjoint.ts';
import { AdjointCheckError, type AdjointReport } from './adjoint-report.ts';

/** The adjoint check of an op in one of its operands. */
export interface OperandAdjointReport extends AdjointReport {
  /** The operand that the op is linear in. */
  readonly operand: string;
}

/**
 * Runs {@link adjointCheck} on an op whose record says `linear` or `multilinear`: in each differentiable operand, with
 * the op as the map and its derivative rule as the transpose.
 *
 * @param operands operands that the op takes: their shapes, layouts of the others and dtypes count. Values of
 *   differentiable ones are replaced by small integers; others (such as indices) stay.
 * @param attrs the op's attributes.
 * @returns a report per differentiable operand.
 * @throws ArgumentError if the record says anything else, or no operand is floating-point.
 * @example
 * const tripleOp = defineOp({
 *   name: 'triple',
 *   operands: ['x'],
 *   infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
 *   forward: ([x], out) => {
 *     for (let i = 0; i < out.length; i++) out[i] = 3 * x.data[i];
 *   },
 *   vjps: [vjpRule((g) => mul(g, 3))],
 *   forwardMode: 'linear',
 * });
 * adjointCheckOp(tripleOp, [zeros([2, 3])], undefined).every(({ ok }) => ok); // true
 */
export function adjointCheckOp<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  options: Omit<AdjointCheckOptions, 'dtype'> = noOptions,
): OperandAdjointReport[] {
  requireOptions('adjointCheckOp', options, trialOptions);
  if (!(op instanceof Op)) {
    throw new ArgumentError(`op is ${quote(op)}; give an op that defineOp made.`, {
      op: 'adjointCheckOp',
      operand: 'op',
      actual: op,
      expected: 'an op',
    });
  }
  const mode = op.forwardMode;
  if (mode !== 'linear' && mode !== 'multilinear') {
    throw new ArgumentError(
      `the record of '${op.name}' does not say linear or multilinear, so there is no adjoint to check; use gradcheck.`,
      { op: 'adjointCheckOp', operand: 'op', actual: op.name, expected: 'a linear or multilinear op' },
    );
  }
  const differentiable = operands
    .map((_, i) => i)
    .filter((i) => !isNoGradient(op.vjpOf(i)) && isFloat(operands[i].dtype));
  if (differentiable.length === 0) {
    throw new ArgumentError(`no operand of '${op.name}' is floating-point and has a gradient.`, {
      op: 'adjointCheckOp',
      operand: 'operands',
      actual: operands.map(({ dtype }) => dtype),
      expected: 'a floating-point operand',
    });
  }
  const range = options.range ?? 4;
  const generator = new Generator((options.seed ?? 0) + 1);
  // Linear in all operands together: the others are zero. Linear in each by itself: the others are anything.
  const fixed = operands.map((operand, i) => {
    if (!differentiable.includes(i)) return operand;
    if (mode === 'linear') return zerosLike(operand);
    const values = Float64Array.from(
      { length: operand.size },
      () => generator.nextBelow(2 * range + 1) - range,
    );
    return tensor(values, { shape: operand.shape, dtype: operand.dtype });
  });
  return differentiable.map((i) => {
    const run = (x: Tensor): Tensor =>
      apply(
        op,
        fixed.map((operand, k) => (k === i ? x : operand)),
        attrs,
      );
    const transpose = (y: Tensor): Tensor => {
      const x = zerosLike(operands[i], { requiresGrad: true });
      const output = enableGrad(() => run(x));
      return grad(output, x, { gradOutput: cast(y, output.dtype) });
    };
    const report = adjointCheck(run, transpose, operands[i].shape, {
      ...options,
      dtype: operands[i].dtype as NonNullable<AdjointCheckOptions['dtype']>,
    });
    return { ...report, operand: op.operandName(i) };
  });
}

/**
 * Throws unless {@link adjointCheckOp} finds every rule adjoint to its op.
 *
 * @throws AdjointCheckError with the first report that fails; and whatever `adjointCheckOp` throws.
 */
export function assertAdjointOp<Attrs>(
  op: Op<Attrs>,
  operands: readonly Tensor[],
  attrs: Attrs,
  options: Omit<AdjointCheckOptions, 'dtype'> = noOptions,
): void {
  requireOptions('assertAdjointOp', options, trialOptions);
  for (const report of adjointCheckOp(op, operands, attrs, options)) {
    if (report.ok) continue;
    const message = `'${op.name}' in operand ${report.operand}, ${report.message}`;
    throw new AdjointCheckError({ ...report, message });
  }
}
