// Optimisers that the parity fixtures lack, against PyTorch or the formula of the paper (oracle.py); and L-BFGS.

import { readFileSync } from 'node:fs';
import { add, cat, mul, narrow, noGrad, square, sub, sum, type Tensor, tensor } from '@adjoint/core';
import { Parameter } from '@adjoint/nn';
import { type BaseOptions, LAMB, LBFGS, Lion, Muon, NAdam, type Optimizer, Rprop } from '@adjoint/nn/optim';
import { describe, expect, test } from 'vitest';

const optimisers = { Rprop, Lion, LAMB, Muon, NAdam } as const;

type Nested = number | Nested[];
interface Run {
  readonly op: keyof typeof optimisers;
  readonly options: object;
  readonly initial: readonly Nested[];
  readonly gradients: readonly (readonly Nested[])[];
  readonly trajectory: readonly (readonly Nested[])[];
}
interface LbfgsRun {
  readonly options: object;
  readonly losses: readonly number[];
  readonly trajectory: readonly (readonly number[])[][];
}

const oracle = JSON.parse(readFileSync(new URL('oracle.json', import.meta.url), 'utf8')) as {
  readonly trajectories: readonly Run[];
  readonly lbfgs: readonly LbfgsRun[];
};
const float64 = (values: Nested): Tensor => tensor(values, { dtype: 'float64' });

function expectNear(actual: Tensor, expected: Nested, what: string, tolerance = 1e-10): void {
  const numbers = [expected].flat(9) as number[];
  [...actual.toTypedArray()].forEach((value, i) => {
    const off = Math.abs(value - numbers[i]);
    if (!(off <= tolerance * Math.max(1, Math.abs(numbers[i]))))
      throw new Error(`${what}, element ${i}: ${value}, expected ${numbers[i]} (off by ${off})`);
  });
}

describe.each(oracle.trajectories.map((run) => [run.op, JSON.stringify(run.options), run] as const))(
  '%s %s',
  (op, _, run) => {
    const play = (check: boolean, resumeAt = -1): number[][] => {
      let params = run.initial.map((values) => new Parameter(float64(values)));
      let optimiser: Optimizer<BaseOptions> = new optimisers[op](params, run.options) as never;
      run.gradients.forEach((gradients, step) => {
        if (step === resumeAt) {
          const state = optimiser.stateDict();
          params = params.map((parameter) => new Parameter(noGrad(() => parameter.clone())));
          optimiser = new optimisers[op](params, {}) as never;
          optimiser.loadStateDict(state);
        }
        params.forEach((parameter, i) => {
          parameter.grad = float64(gradients[i]);
        });
        optimiser.step();
        if (check)
          params.forEach((parameter, i) => {
            expectNear(parameter, run.trajectory[step][i], `step ${step}, parameter ${i}`);
          });
      });
      return params.map((parameter) => [...parameter.toTypedArray()]);
    };

    test('equals the oracle at every step', () => {
      play(true);
    });

    test('resumed half-way it goes on with the same bits', () => {
      expect(play(false, 5)).toEqual(play(false));
    });
  },
);

describe.each(oracle.lbfgs.map((run) => [JSON.stringify(run.options), run] as const))(
  'LBFGS %s',
  (_, run) => {
    // Rosenbrock's function in four variables, in two parameters.
    const rosenbrock = (a: Tensor, b: Tensor): Tensor => {
      const x = cat([a, b]);
      const [head, tail] = [narrow(x, 0, 0, 3), narrow(x, 0, 1, 3)];
      return sum(add(mul(100, square(sub(tail, square(head)))), square(sub(1, head))));
    };
    const start = (): Parameter[] => [
      new Parameter(float64([-1.5, 0.5])),
      new Parameter(float64([2, -0.75])),
    ];
    const closureOf =
      (optimiser: LBFGS, [a, b]: Parameter[]) =>
      (): Tensor => {
        optimiser.zeroGrad();
        const loss = rosenbrock(a, b);
        loss.backward();
        return loss;
      };

    test('equals PyTorch at every step', () => {
      const params = start();
      const optimiser = new LBFGS(params, run.options);
      run.trajectory.forEach((expected, step) => {
        const loss = optimiser.step(closureOf(optimiser, params));
        // Each iteration multiplies rounding errors by the condition of the problem, about 1000.
        expectNear(loss, run.losses[step], `loss ${step}`, 1e-8);
        params.forEach((parameter, i) => {
          expectNear(parameter, expected[i] as number[], `step ${step}, parameter ${i}`, 1e-8);
        });
      });
    });

    test('resumed after two steps it goes on with the same bits', () => {
      const play = (resume: boolean): number[][] => {
        let params = start();
        let optimiser = new LBFGS(params, run.options);
        for (let step = 0; step < 4; step++) {
          if (resume && step === 2) {
            const state = optimiser.stateDict();
            params = params.map((parameter) => new Parameter(noGrad(() => parameter.clone())));
            optimiser = new LBFGS(params);
            optimiser.loadStateDict(state);
          }
          optimiser.step(closureOf(optimiser, params));
        }
        return params.map((parameter) => [...parameter.toTypedArray()]);
      };
      expect(play(true)).toEqual(play(false));
    });
  },
);
