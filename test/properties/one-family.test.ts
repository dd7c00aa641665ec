// There is one kernel family: nobody can add a second path for transposed convolution unnoticed.

import { backward, conv2d, convTranspose2d, ones, sum, type Tensor } from '@adjoint/core';
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

describe('convTranspose2d', () => {
  it('is the op convInputGrad and nothing else', () => {
    const output = convTranspose2d(leaf([1, 2, 4, 4]), leaf([2, 3, 3, 3]), { stride: 2 });
    expect(output.node!.op).toBe(convInputGradOp);
    expect(output.node!.parents.every((parent) => parent!.leaf !== null)).toBe(true);
  });

  it('runs the input-gradient kernel forward, and conv and its weight gradient backward', () => {
    const [y, w] = [leaf([1, 2, 4, 4]), leaf([2, 3, 3, 3])];
    let output!: Tensor;
    const forward = countCalls(() => {
      output = convTranspose2d(y, w, { stride: 2 });
    });
    expect(forward).toEqual({ convForward: 0, convInputGrad: 1, convWeightGrad: 0 });
    expect(countCalls(() => backward(sum(output)))).toEqual({
      convForward: 1,
      convInputGrad: 0,
      convWeightGrad: 1,
    });
  });

  it('shares its three kernels with conv2d', () => {
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
