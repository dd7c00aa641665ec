// There is one kernel family: nobody can add a second path for transposed convolution unnoticed.

import {
  backward,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  ones,
  sum,
  type Tensor,
} from '@adjoint/core';
import { convInputGradOp, convOp, convWeightGradOp } from '@adjoint/core/conv';
import { builtinOps } from '@adjoint/core/ops';
import { kernels } from '@adjoint/kernels-cpu';
import { afterEach, describe, expect, it, vi } from 'vitest';

type ConvKernel = 'convForward' | 'convInputGrad' | 'convWeightGrad';
const names: readonly ConvKernel[] = ['convForward', 'convInputGrad', 'convWeightGrad'];

function countCalls(run: () => void): Record<ConvKernel, number> {
  const spies = names.map((name) => vi.spyOn(kernels, name));
  run();
  const counts = Object.fromEntries(names.map((name, i) => [name, spies[i].mock.calls.length]));
  vi.restoreAllMocks();
  return counts as Record<ConvKernel, number>;
}

afterEach(() => {
  vi.restoreAllMocks();
});

const leaf = (shape: number[]): Tensor => ones(shape, { requiresGrad: true });

// In each number of dimensions, and where a shortcut would be tempting: a kernel of one element, or as long as its stride.
const calls = [
  { name: 'convTranspose1d', f: convTranspose1d, dims: 1, kernel: 3 },
  { name: 'convTranspose2d', f: convTranspose2d, dims: 2, kernel: 3 },
  { name: 'convTranspose3d', f: convTranspose3d, dims: 3, kernel: 3 },
  { name: 'convTranspose2d with a kernel of its stride', f: convTranspose2d, dims: 2, kernel: 2 },
  { name: 'convTranspose2d with a kernel of one', f: convTranspose2d, dims: 2, kernel: 1 },
];

describe.each(calls)('$name', ({ f, dims, kernel }) => {
  const input = [1, 2, ...new Array<number>(dims).fill(4)];
  const weight = [2, 3, ...new Array<number>(dims).fill(kernel)];

  it('is the op convInputGrad and nothing else', () => {
    const output = f(leaf(input), leaf(weight), { stride: 2 });
    expect(output.node!.op).toBe(convInputGradOp);
    expect(output.node!.parents.every((parent) => parent!.leaf !== null)).toBe(true);
  });

  it('runs the input-gradient kernel forward, and conv and its weight gradient backward', () => {
    const [y, w] = [leaf(input), leaf(weight)];
    let output!: Tensor;
    const forward = countCalls(() => {
      output = f(y, w, { stride: 2 });
    });
    expect(forward).toEqual({ convForward: 0, convInputGrad: 1, convWeightGrad: 0 });
    expect(countCalls(() => backward(sum(output)))).toEqual({
      convForward: 1,
      convInputGrad: 0,
      convWeightGrad: 1,
    });
  });
});

describe('conv2d', () => {
  it('shares its three kernels with convTranspose2d', () => {
    const output = conv2d(leaf([1, 3, 9, 9]), leaf([2, 3, 3, 3]), { stride: 2 });
    expect(output.node!.op).toBe(convOp);
    expect(countCalls(() => backward(sum(output)))).toEqual({
      convForward: 0,
      convInputGrad: 1,
      convWeightGrad: 1,
    });
  });
});

describe('the registry', () => {
  it('holds three convolution ops, bilinear each, whose derivatives are the other two', () => {
    const family = builtinOps.filter((op) => /conv/i.test(op.name));
    expect(new Set(family)).toEqual(new Set([convOp, convInputGradOp, convWeightGradOp]));
    for (const op of family) {
      expect(op.forwardMode).toBe('multilinear');
      expect(op.slots).toEqual([[1], [0]]);
    }
  });
});
