// Optimisers against PyTorch, step for step in float64: the same gradients in, the same parameters out.

import { noGrad, tensor } from '@adjoint/core';
import { Parameter } from '@adjoint/nn';
import * as optim from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';
import { expectClose, loadTrajectories, type Values } from '../../parity/oracle.ts';

type Make = (params: Parameter[], options: object) => optim.Optimizer<optim.BaseOptions>;

const optimisers: Readonly<Record<string, Make>> = {
  SGD: (params, options) => new optim.SGD(params, options),
  Adam: (params, options) => new optim.Adam(params, options),
  AdamW: (params, options) => new optim.AdamW(params, options),
  RMSprop: (params, options) => new optim.RMSprop(params, options) as never,
  Adagrad: (params, options) => new optim.Adagrad(params, options) as never,
  Adadelta: (params, options) => new optim.Adadelta(params, options) as never,
  Adamax: (params, options) => new optim.Adamax(params, options) as never,
  NAdam: (params, options) => new optim.NAdam(params, options) as never,
  RAdam: (params, options) => new optim.RAdam(params, options) as never,
};

const toTensor = ({ data, shape }: Values) => tensor(Float64Array.from(data), { shape, dtype: 'float64' });
const toValues = (parameter: Parameter): Values => ({
  dtype: 'float64',
  shape: parameter.shape,
  data: parameter.toTypedArray() as Float64Array,
});

const trajectories = loadTrajectories();

test('there are trajectories of every optimiser', () => {
  expect([...new Set(trajectories.map(({ op }) => op))].sort()).toEqual(Object.keys(optimisers).sort());
});

describe.each(trajectories.map((run) => [run.op, run.name, run] as const))('%s', (op, name, run) => {
  test(`${name}`, () => {
    const params = run.args.map((initial) => new Parameter(toTensor(initial)));
    const optimiser = optimisers[op](params, run.options);
    run.gradients.forEach((gradients, step) => {
      params.forEach((parameter, i) => {
        const gradient = gradients[i];
        parameter.grad = gradient === null ? null : toTensor(gradient);
      });
      optimiser.step();
      params.forEach((parameter, i) => {
        expectClose(toValues(parameter), run.trajectory[step][i], { what: `step ${step}, parameter ${i}` });
      });
    });
  });

  // A run that is saved in the middle and resumed by another optimiser goes on with the same bits.
  test(`${name}: saved and resumed half-way`, () => {
    const play = (resume: boolean): number[][] => {
      let params = run.args.map((initial) => new Parameter(toTensor(initial)));
      let optimiser = optimisers[op](params, run.options);
      run.gradients.forEach((gradients, step) => {
        if (resume && step === 4) {
          const saved = optimiser.stateDict();
          const copies = params.map((parameter) => new Parameter(noGrad(() => parameter.clone())));
          const other = optimisers[op](copies, {});
          other.loadStateDict(saved);
          params = copies;
          optimiser = other;
        }
        params.forEach((parameter, i) => {
          const gradient = gradients[i];
          parameter.grad = gradient === null ? null : toTensor(gradient);
        });
        optimiser.step();
      });
      return params.map((parameter) => [...parameter.toTypedArray()]);
    };
    expect(play(true)).toEqual(play(false));
  });
});
