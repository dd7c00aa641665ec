// Models as graphs: a module traced in training does what the module does, its state included.

import { grad, manualSeed, mean, randn, square } from '@adjoint/core';
import { trace } from '@adjoint/core/graph';
import { BatchNorm2d, Conv2d, ConvTranspose2d, Dropout, ReLU, Sequential, Sigmoid } from '@adjoint/nn';
import { describe, expect, it } from 'vitest';

const build = () =>
  new Sequential(
    new Conv2d(1, 4, 3, { stride: 2, padding: 1 }),
    new BatchNorm2d(4),
    new ReLU(),
    new Dropout(0.25),
    new ConvTranspose2d(4, 1, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    new Sigmoid(),
  );

describe('a traced model', () => {
  it('trains as the model itself: values, gradients and running statistics', () => {
    const eager = build();
    const traced = build();
    traced.loadStateDict(eager.stateDict());
    const graph = trace((x) => traced.forward(x), { shape: [2, 1, 8, 8] }).named(traced.namedParameters());
    expect(graph.parameters.map(({ name }) => name)).toEqual(eager.namedParameters().map(([name]) => name));
    expect(graph.summary().totals.parameters).toBe(
      eager.parameters().reduce((total, { size }) => total + size, 0),
    );
    for (const seed of [1, 2]) {
      const x = randn([2, 1, 8, 8]);
      const runs = [() => eager.forward(x), () => graph.run(x)].map((run, i) => {
        manualSeed(seed);
        const y = run();
        const slopes = grad(mean(square(y)), [eager, traced][i].parameters());
        return [y, ...slopes].map((t) => t.toArray());
      });
      expect(runs[1]).toEqual(runs[0]);
    }
    const state = (model: Sequential) => Object.entries(model.stateDict()).map(([k, t]) => [k, t.toArray()]);
    expect(state(traced)).toEqual(state(eager));
    expect(traced.namedBuffers().map(([, t]) => t.toArray())).toContain(2);
  });
});
