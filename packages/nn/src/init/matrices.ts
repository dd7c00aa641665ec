// Initialisers that give a weight a structure: orthogonal rows or columns, or a convolution that passes its input on.

import {
  ArgumentError,
  copy_,
  formatShape,
  Generator,
  noGrad,
  randn,
  requireArgument,
  requireOptions,
  ShapeError,
  Tensor,
  tensor,
} from '@adjoint/core';
import type { InitOptions } from './fill.ts';

/**
 * Fills with a random matrix whose rows (or columns, if there are more rows) are orthonormal, times a gain; axes after the first count
 * as columns. PyTorch's `orthogonal_`; Saxe et al. 2014.
 *
 * @throws ShapeError for fewer than two axes.
 * @example
 * const weight = init.orthogonal_(zeros([2, 3], { dtype: 'float64' }));
 * matmul(weight, transpose(weight)); // the identity
 */
export function orthogonal_(
  target: Tensor,
  options: InitOptions & { readonly gain?: number | undefined } = {},
): Tensor {
  requireOptions('orthogonal_', options, { gain: 'number', generator: Generator });
  requireArgument('orthogonal_', 'target', target, Tensor);
  const { gain = 1, generator } = options;
  if (target.ndim < 2) {
    throw new ShapeError(
      `the tensor has shape ${formatShape(target.shape)}; an orthogonal matrix has two axes at least.`,
      {
        op: 'orthogonal_',
        operand: 'target',
        actual: target.shape,
        expected: 'at least two axes',
      },
    );
  }
  const rows = target.shape[0];
  const columns = target.size / Math.max(rows, 1);
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const drawn = randn([count, length], { dtype: 'float64', generator }).toTypedArray() as Float64Array;
  orthonormalise(drawn, count, length);
  const values = new Float64Array(target.size);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < length; j++)
      values[rows < columns ? i * columns + j : j * columns + i] = gain * drawn[i * length + j];
  return noGrad(() => copy_(target, tensor(values, { shape: target.shape })));
}

// Gram and Schmidt's procedure on rows, in the modified form and twice, which leaves them orthogonal to the last bits.
function orthonormalise(matrix: Float64Array, count: number, length: number): void {
  const row = (i: number): Float64Array => matrix.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) {
    const current = row(i);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = row(k);
        let product = 0;
        for (let j = 0; j < length; j++) product += current[j] * other[j];
        for (let j = 0; j < length; j++) current[j] -= product * other[j];
      }
    }
    let square = 0;
    for (let j = 0; j < length; j++) square += current[j] * current[j];
    const scale = 1 / Math.sqrt(square);
    for (let j = 0; j < length; j++) current[j] *= scale;
  }
}

/**
 * Fills a convolution weight (out, in, …kernel) so that each channel is passed on unchanged (with padding of half a kernel), as far as
 * there are channels, group by group. PyTorch's `dirac_`.
 *
 * @throws ShapeError unless there are three to five axes; ArgumentError unless groups divide the first.
 * @example
 * init.dirac_(zeros([1, 1, 3])).toArray(); // [[[0, 1, 0]]]
 */
export function dirac_(target: Tensor, options: { readonly groups?: number | undefined } = {}): Tensor {
  requireOptions('dirac_', options, { groups: 'number' });
  requireArgument('dirac_', 'target', target, Tensor);
  const { groups = 1 } = options;
  if (target.ndim < 3 || target.ndim > 5) {
    throw new ShapeError(
      `the tensor has shape ${formatShape(target.shape)}; a convolution weight has three to five axes.`,
      {
        op: 'dirac_',
        operand: 'target',
        actual: target.shape,
        expected: 'three to five axes',
      },
    );
  }
  const [out, into, ...kernel] = target.shape;
  if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0) {
    throw new ArgumentError(
      `groups is ${groups}, and there are ${out} output channels; give a divisor of them.`,
      {
        op: 'dirac_',
        operand: 'groups',
        actual: groups,
        expected: `a divisor of ${out}`,
      },
    );
  }
  const size = kernel.reduce((product, extent) => product * extent, 1);
  const centre = kernel.reduce((index, extent) => index * extent + Math.floor(extent / 2), 0);
  const perGroup = out / groups;
  const values = new Float64Array(target.size);
  for (let group = 0; group < groups; group++)
    for (let channel = 0; channel < Math.min(perGroup, into); channel++)
      values[((group * perGroup + channel) * into + channel) * size + centre] = 1;
  return noGrad(() => copy_(target, tensor(values, { shape: target.shape })));
}
