// gradcheck and gradgradcheck: derivatives of first and second order by backward, against central differences.

import { grad } from '../autograd/backward.ts';
import { add } from '../ops/arithmetic.ts';
import { cast } from '../ops/cast.ts';
import { tensor, zerosLike } from '../ops/create.ts';
import { noOptions, requireOptions } from '../options.ts';
import { enableGrad } from '../tape/mode.ts';
import type { Tensor } from '../tensor.ts';
import { compare, type Names } from './compare.ts';
import { Directions } from './directions.ts';
import { type CheckOptions, checkOptions, resolveOptions } from './options.ts';
import { type CheckedFunction, Probe } from './probe.ts';
import { type CheckReport, GradcheckError } from './report.ts';
import { reverse } from './reverse.ts';

/**
 * Compares the gradients that backward gives with central differences. PyTorch's `torch.autograd.gradcheck`.
 *
 * Checked are the inputs that require a gradient, or all floating-point inputs if none does. Inputs may be
 * non-contiguous, 0-d or empty, and are not changed; `fn` must be pure.
 *
 * @param fn the function; takes the inputs in order, returns a tensor or a list.
 * @returns a report; `ok` says whether everything agrees.
 * @throws DTypeError if a checked input is not float64 (see `precision`), or no input or output is floating-point.
 * @example
 * const x = tensor([1, 2, 3], { dtype: 'float64' });
 * gradcheck((x) => mul(x, x), [x]).ok; // true
 */
export function gradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): CheckReport {
  requireOptions('gradcheck', options, checkOptions);
  const resolved = resolveOptions('gradcheck', options);
  const probe = new Probe('gradcheck', fn, listInputs(inputs), resolved.precision);
  return compare(probe, () => reverse(probe), namesOf(probe), resolved);
}

/**
 * Throws unless {@link gradcheck} finds every gradient right.
 *
 * @throws GradcheckError with the report; and whatever `gradcheck` throws.
 */
export function assertGradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): void {
  requireOptions('assertGradcheck', options, checkOptions);
  assertReport(gradcheck(fn, inputs, options));
}

/**
 * Checks second derivatives: gradcheck of the function's own gradient, in the inputs and in the cotangents of the
 * outputs, which are random. PyTorch's `torch.autograd.gradgradcheck`. Run {@link gradcheck} first.
 *
 * @throws as {@link gradcheck}.
 * @example
 * gradgradcheck((x) => mul(mul(x, x), x), [tensor([1, 2], { dtype: 'float64' })]).ok; // true
 */
export function gradgradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): CheckReport {
  requireOptions('gradgradcheck', options, checkOptions);
  const resolved = resolveOptions('gradgradcheck', options);
  const given = listInputs(inputs);
  const first = new Probe('gradgradcheck', fn, given, resolved.precision);
  const directions = new Directions(resolved.seed + 1);
  const cotangents = first.outputs.map(({ shape, size }) =>
    tensor(directions.next(size), { shape, dtype: resolved.precision }).requiresGrad_(),
  );
  const points = first.inputs.map((input, i) =>
    first.checked.includes(i) ? input.detach().requiresGrad_() : input.detach(),
  );

  const gradient = (...all: Tensor[]): Tensor[] =>
    enableGrad(() => {
      const xs = all.slice(0, given.length).map((x, i) => (first.checked.includes(i) ? leafOf(x) : x));
      const outputs = first.run(xs);
      const targets = first.checked.map((i) => xs[i]);
      return outputs
        .map((output, o) => pulled(output, targets, all[given.length + o]))
        .reduce((sums, more) => sums.map((sum, i) => add(sum, more[i])));
    });

  const probe = new Probe('gradgradcheck', gradient, [...points, ...cotangents], resolved.precision);
  const names = namesOf(first);
  return compare(
    probe,
    () => reverse(probe),
    {
      output: (o) => `gradient of ${names.input(first.checked[o])}`,
      input: (i) =>
        i < given.length
          ? names.input(i)
          : `cotangent of ${names.output(first.outputs[i - given.length].index)}`,
    },
    resolved,
  );
}

/**
 * Throws unless {@link gradgradcheck} finds every second derivative right.
 *
 * @throws GradcheckError with the report; and whatever `gradgradcheck` throws.
 */
export function assertGradgradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: CheckOptions = noOptions,
): void {
  requireOptions('assertGradgradcheck', options, checkOptions);
  assertReport(gradgradcheck(fn, inputs, options));
}

function pulled(output: Tensor, targets: readonly Tensor[], cotangent: Tensor): Tensor[] {
  if (output.node === null) return targets.map((target) => zerosLike(target));
  return grad(output, targets, {
    gradOutput: cast(cotangent, output.dtype),
    createGraph: true,
    unused: 'zeros',
  });
}

function leafOf(x: Tensor): Tensor {
  return x.requiresGrad ? x : x.detach().requiresGrad_();
}

/** Throws unless all is well. */
export function assertReport(report: CheckReport): void {
  if (!report.ok) throw new GradcheckError(report);
}

/** One input or several, as a list. */
export function listInputs(inputs: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
}

/** What a function's own inputs and outputs are called. */
export function namesOf(probe: Probe): Names {
  return {
    output: (index) => (probe.outputs.length === 1 && index === 0 ? 'output' : `outputs[${index}]`),
    input: (index) => `inputs[${index}]`,
  };
}
