// jvpcheck: derivatives by forward mode, against central differences.

import { Tangents } from '../autograd/forward.ts';
import { tensor } from '../ops/create.ts';
import { noOptions, requireOptions } from '../options.ts';
import { enableGrad } from '../tape/mode.ts';
import { observe } from '../tape/observer.ts';
import type { Tensor } from '../tensor.ts';
import { compare } from './compare.ts';
import { assertReport, listInputs, namesOf } from './gradcheck.ts';
import { numbersOf } from './numbers.ts';
import { type CheckOptions, checkOptions, resolveOptions } from './options.ts';
import { type CheckedFunction, Probe } from './probe.ts';
import type { CheckReport } from './report.ts';
import { type Analytic, attempt, dot } from './reverse.ts';

/**
 * Compares the derivatives that forward mode gives with central differences: what {@link gradcheck} is for the rules of
 * reverse mode, this is for `forwardMode`. PyTorch's `gradcheck(check_forward_ad=True)`.
 *
 * @throws as `gradcheck`.
 * @example
 * jvpcheck((x) => mul(x, x), tensor([1, 2, 3], { dtype: 'float64' })).ok; // true
 */
export function jvpcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): CheckReport {
  requireOptions('jvpcheck', options, checkOptions);
  const resolved = resolveOptions('jvpcheck', options);
  const probe = new Probe('jvpcheck', fn, listInputs(inputs), resolved.precision);
  return compare(probe, () => forward(probe), namesOf(probe), resolved);
}

/**
 * Throws unless {@link jvpcheck} finds every derivative right.
 *
 * @throws GradcheckError with the report; and whatever `jvpcheck` throws.
 */
export function assertJvpcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): void {
  requireOptions('assertJvpcheck', options, checkOptions);
  assertReport(jvpcheck(fn, inputs, options));
}

function forward(probe: Probe): Analytic {
  // The tangents of all outputs as the i-th checked input moves along u; null for outputs that stay.
  const push = (i: number, u: Float64Array): (Float64Array | null)[] => {
    const points = probe.leaves();
    const x = points[probe.checked[i]];
    const tangents = new Tangents();
    tangents.set(x, tensor(u, { shape: x.shape, dtype: x.dtype }));
    const outputs = enableGrad(() => observe(tangents, () => probe.run(points)));
    return outputs.map((output) => {
      const tangent = tangents.of(output);
      return tangent === null ? null : numbersOf(tangent);
    });
  };
  // One set of runs gives a column in every output.
  const columns = new Map<number, (Float64Array | null)[][]>();
  const columnsOf = (i: number): (Float64Array | null)[][] => {
    const known = columns.get(i);
    if (known !== undefined) return known;
    const { size } = probe.inputs[probe.checked[i]];
    const made = Array.from({ length: size }, (_, k) => push(i, unit(size, k)));
    columns.set(i, made);
    return made;
  };
  return {
    detachments: [],
    connected: (o, i) => {
      const { size } = probe.inputs[probe.checked[i]];
      return size === 0 || push(i, unit(size, 0))[o] !== null;
    },
    jacobian: (o, i) =>
      attempt(() => {
        const { size } = probe.outputs[o];
        const runs = columnsOf(i);
        const matrix = new Float64Array(size * runs.length);
        runs.forEach((outputs, column) => {
          outputs[o]?.forEach((value, row) => {
            matrix[row * runs.length + column] = value;
          });
        });
        return matrix;
      }),
    projection: (o, i, v, u) =>
      attempt(() => {
        const pushed = push(i, u)[o];
        return pushed === null ? 0 : dot(v, pushed);
      }),
  };
}

function unit(size: number, k: number): Float64Array {
  const values = new Float64Array(size);
  values[k] = 1;
  return values;
}
