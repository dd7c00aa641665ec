// The analytic side of a gradient check: derivatives by backward, as plain numbers or as the reason why there are none.

import { grad } from '../autograd/backward.ts';
import { leadsTo } from '../autograd/paths.ts';
import { AdjointError, DTypeError, GradientError, ShapeError } from '../errors.ts';
import { tensor } from '../ops/create.ts';
import { enableGrad } from '../tape/mode.ts';
import type { Node } from '../tape/node.ts';
import { observe } from '../tape/observer.ts';
import type { Tensor } from '../tensor.ts';
import { Detachments } from './detachments.ts';
import { numbersOf } from './numbers.ts';
import type { Probe } from './probe.ts';
import type { Verdict } from './report.ts';

/** Derivatives of a probe's outputs in its checked inputs; `output` and `input` count among those. */
export interface Analytic {
  /** The Jacobian, outputs by inputs, both row-major; or why it cannot be had. */
  jacobian(output: number, input: number): Float64Array | Verdict;
  /** `vᵀ J u`; or why it cannot be had. */
  projection(output: number, input: number, v: Float64Array, u: Float64Array): number | Verdict;
  /** Whether the output depends on the input as far as the framework knows. */
  connected(output: number, input: number): boolean;
  /** Where the framework lost sight of a dependence, in words. */
  readonly detachments: readonly string[];
}

/** Derivatives by reverse mode, through one recorded run of the function. */
export function reverse(probe: Probe): Analytic {
  const leaves = probe.leaves();
  const detachments = new Detachments(leaves);
  const outputs = observe(detachments, () => enableGrad(() => probe.run(leaves)));

  const pull = (output: Tensor, leaf: Tensor, cotangent: Float64Array): Float64Array => {
    const gradOutput = tensor(cotangent, { shape: output.shape, dtype: output.dtype });
    const gradient = observe({ ruleRan: requireDType }, () =>
      grad(output, leaf, { gradOutput, retainGraph: true, unused: 'zeros' }),
    );
    return numbersOf(gradient);
  };
  const connected = (o: number, i: number): boolean =>
    outputs[o].node !== null && leadsTo(outputs[o].node, leaves[probe.checked[i]].node!);

  return {
    connected,
    detachments: detachments.found,
    jacobian(o, i) {
      const output = outputs[o];
      const leaf = leaves[probe.checked[i]];
      const matrix = new Float64Array(output.size * leaf.size);
      if (!connected(o, i)) return matrix;
      return attempt(() => {
        for (let row = 0; row < output.size; row++) {
          const unit = new Float64Array(output.size);
          unit[row] = 1;
          matrix.set(pull(output, leaf, unit), row * leaf.size);
        }
        return matrix;
      });
    },
    projection(o, i, v, u) {
      if (!connected(o, i)) return 0;
      return attempt(() => dot(pull(outputs[o], leaves[probe.checked[i]], v), u));
    },
  };
}

// Backward converts cotangents to the type of the operand, which is right after promotion: a rule's result then still has
// the type of the cotangent it was given. Any other type is a slip that the conversion hides.
function requireDType({ op, parents }: Node, index: number, cotangent: Tensor, result: Tensor): void {
  const operand = parents[index]!.dtype;
  if (result.dtype === operand || result.dtype === cotangent.dtype) return;
  throw new DTypeError(
    `the derivative rule of operand ${op!.operandName(index)} gave ${result.dtype} for an operand of ${operand}; correct the rule in the op's record.`,
    { op: op!.name, operand: op!.operandName(index), actual: result.dtype, expected: operand },
  );
}

/** The inner product of two arrays. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** Runs a derivative; errors that speak of the rules become verdicts, all others pass through. */
export function attempt<T>(derivative: () => T): T | Verdict {
  try {
    return derivative();
  } catch (error) {
    if (!(error instanceof AdjointError)) throw error;
    if (error instanceof ShapeError) return { kind: 'shape', text: error.message };
    if (error instanceof DTypeError) return { kind: 'dtype', text: error.message };
    if (error instanceof GradientError) return { kind: 'missing', text: error.message };
    throw error;
  }
}

/** Whether a derivative is in truth the reason why there is none. */
export function isVerdict(value: Float64Array | number | Verdict): value is Verdict {
  return typeof value !== 'number' && !(value instanceof Float64Array);
}
