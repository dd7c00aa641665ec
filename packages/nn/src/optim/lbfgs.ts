// L-BFGS: Newton's direction from the last few changes of the gradient, for losses that can be computed anew at will.

import { ArgumentError, enableGrad, modify_, noGrad, type Tensor, tensor } from '@adjoint/core';
import { requireOption } from './checks.ts';
import { absoluteSum, dot, freshMemory, largest, type Memory, negated, newton } from './lbfgs-memory.ts';
import { type BaseOptions, Optimizer, type ParamInput } from './optimizer.ts';
import type { OptimizerState, TensorSpec } from './state.ts';
import { strongWolfe } from './strong-wolfe.ts';

/** Options of {@link LBFGS}. */
export interface LBFGSOptions extends BaseOptions {
  /** Step size; the first step to try where there is a line search. Default 1. */
  lr: number;
  /** Most iterations per `step`. Default 20. */
  maxIter: number;
  /** Most evaluations of the loss per `step`; null (default) for 1.25 · maxIter. */
  maxEval: number | null;
  /** Stops when no element of the gradient is larger. Default 1e-7. */
  toleranceGrad: number;
  /** Stops when neither the loss nor an element of the parameters changes by more. Default 1e-9. */
  toleranceChange: number;
  /** Number of past changes that are kept. Default 100. */
  historySize: number;
  /** 'strongWolfe' searches along each direction; null (default) takes steps of size `lr`. */
  lineSearch: 'strongWolfe' | null;
}

/**
 * Limited-memory BFGS. PyTorch's `optim.LBFGS`, step for step. All parameters form one vector, so there is one group.
 *
 * `step` needs a function that clears the gradients, computes the loss, runs backward and returns the loss; it is called several times.
 * The state is kept in float64 whatever the type of the parameters.
 *
 * @throws ArgumentError for an illegal option, more than one group, or a step without a closure.
 * @example
 * const x = tensor([-1, 1], { dtype: 'float64', requiresGrad: true }); // any leaf will do
 * const optimizer = new LBFGS([x], { lineSearch: 'strongWolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = sum(square(sub(x, 3)));
 *   loss.backward();
 *   return loss;
 * });
 * x.toArray(); // [3, 3]
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  #memory: Memory = freshMemory();

  constructor(params: ParamInput<LBFGSOptions>, options: Partial<Readonly<LBFGSOptions>> = {}) {
    const defaults: LBFGSOptions = {
      lr: 1,
      maxIter: 20,
      maxEval: null,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearch: null,
    };
    super('LBFGS', params, defaults, options);
    if (this.groups.length !== 1) {
      throw new ArgumentError(
        `there are ${this.groups.length} groups; L-BFGS moves all parameters as one vector, give one.`,
        {
          op: 'LBFGS',
          operand: 'params',
          actual: this.groups.length,
          expected: 'one group',
        },
      );
    }
  }

  protected override check(options: Readonly<LBFGSOptions>): void {
    for (const option of ['lr', 'toleranceGrad', 'toleranceChange'] as const)
      requireOption('LBFGS', option, options[option], 0);
    for (const option of ['maxIter', 'historySize'] as const)
      requireOption('LBFGS', option, options[option], 1);
    if (options.maxEval !== null) requireOption('LBFGS', 'maxEval', options.maxEval, 1);
    if (options.lineSearch === null || options.lineSearch === 'strongWolfe') return;
    throw new ArgumentError(
      `lineSearch is ${JSON.stringify(options.lineSearch)}; it takes 'strongWolfe' or null.`,
      {
        op: 'LBFGS',
        operand: 'lineSearch',
        actual: options.lineSearch,
        expected: "'strongWolfe' or null",
      },
    );
  }

  /** L-BFGS moves all parameters at once, in `step`. */
  protected override update(): void {
    throw new ArgumentError('L-BFGS has no step for one parameter.', { op: 'LBFGS' });
  }

  /**
   * Runs up to `maxIter` iterations.
   *
   * @param closure clears the gradients, computes the loss, runs backward, and returns the loss.
   * @returns the loss before the first iteration.
   */
  override step(closure?: () => Tensor): Tensor {
    if (closure === undefined) {
      throw new ArgumentError(
        'there is no closure; pass a function that computes the loss and runs backward.',
        {
          op: 'LBFGS.step',
          operand: 'closure',
          expected: 'a function',
        },
      );
    }
    const group = this.groups[0];
    const { lr, maxIter, toleranceGrad, toleranceChange } = group;
    const maxEval = group.maxEval ?? Math.floor((maxIter * 5) / 4);
    const memory = this.#memory;
    const first = enableGrad(closure);
    this.checkGradients();
    let loss = first.item();
    let gradient = this.#gradient();
    let evaluations = 1;
    memory.evaluations++;
    if (largest(gradient) <= toleranceGrad) return first;

    for (let iteration = 1; iteration <= maxIter; iteration++) {
      memory.iterations++;
      const isFirst = memory.iterations === 1;
      const direction = isFirst ? negated(gradient) : newton(memory, gradient, group.historySize);
      memory.direction = direction;
      memory.previousGradient = gradient;
      const previousLoss = loss;
      memory.step = (isFirst ? Math.min(1, 1 / absoluteSum(gradient)) : 1) * lr;
      const slope = dot(gradient, direction);
      if (slope > -toleranceChange) break;

      const from = this.#values();
      let used = 0;
      if (group.lineSearch === 'strongWolfe') {
        const { point, evaluations: count } = strongWolfe(
          { step: 0, loss, gradient, slope },
          (step) => {
            this.#moveTo(from, step, direction);
            const value = enableGrad(closure).item();
            const there = this.#gradient();
            return { step, loss: value, gradient: there, slope: dot(there, direction) };
          },
          { step: memory.step, directionSize: largest(direction), toleranceChange },
        );
        ({ loss, gradient, step: memory.step } = point);
        used = count;
        this.#moveTo(from, memory.step, direction);
      } else {
        this.#moveTo(from, memory.step, direction);
        // The loss after the last iteration is of no use here: the next step computes it.
        if (iteration !== maxIter) {
          loss = enableGrad(closure).item();
          gradient = this.#gradient();
          used = 1;
        }
      }
      evaluations += used;
      memory.evaluations += used;
      if (evaluations >= maxEval || largest(gradient) <= toleranceGrad) break;
      if (largest(direction) * Math.abs(memory.step) <= toleranceChange) break;
      if (Math.abs(loss - previousLoss) < toleranceChange) break;
    }
    return first;
  }

  #gradient(): Float64Array {
    return this.#flat((parameter) => parameter.grad);
  }

  #values(): Float64Array {
    return this.#flat((parameter) => parameter);
  }

  #flat(pick: (parameter: Tensor) => Tensor | null): Float64Array {
    const flat = new Float64Array(this.parameters.reduce((total, { size }) => total + size, 0));
    let offset = 0;
    for (const parameter of this.parameters) {
      const values = pick(parameter);
      if (values !== null) flat.set(values.toTypedArray(), offset);
      offset += parameter.size;
    }
    return flat;
  }

  #moveTo(from: Float64Array, step: number, direction: Float64Array): void {
    let offset = 0;
    for (const parameter of this.parameters) {
      const start = offset;
      noGrad(() =>
        modify_(parameter, 'LBFGS.step', (values) => {
          for (let i = 0; i < values.length; i++) values[i] = from[start + i] + step * direction[start + i];
        }),
      );
      offset += parameter.size;
    }
  }

  override stateDict(): OptimizerState {
    const memory = this.#memory;
    const vector = (values: Float64Array): Tensor => tensor(values, { dtype: 'float64' });
    const kept: Record<string, number | Tensor> = {
      iterations: memory.iterations,
      evaluations: memory.evaluations,
      scale: memory.scale,
      step: memory.step,
    };
    if (memory.direction !== null) kept.direction = vector(memory.direction);
    if (memory.previousGradient !== null) kept.previousGradient = vector(memory.previousGradient);
    memory.changes.forEach(({ gradient, step, rho }, i) => {
      kept[`change${i}Gradient`] = vector(gradient);
      kept[`change${i}Step`] = vector(step);
      kept[`change${i}Rho`] = rho;
    });
    return { ...super.stateDict(), state: memory.iterations === 0 ? {} : { 0: kept } };
  }

  protected override stateSpec(): TensorSpec {
    return { shape: [this.parameters.reduce((total, { size }) => total + size, 0)], dtype: 'float64' };
  }

  override loadStateDict(state: OptimizerState): void {
    super.loadStateDict(state);
    const kept = this.state.get(this.parameters[0]);
    this.state.clear();
    this.#memory = freshMemory();
    if (kept === undefined) return;
    const vector = (name: string): Float64Array => Float64Array.from(kept.array(name));
    const memory = this.#memory;
    memory.iterations = kept.number('iterations', 0);
    memory.evaluations = kept.number('evaluations', 0);
    memory.scale = kept.number('scale', 1);
    memory.step = kept.number('step', 0);
    if (kept.has('direction')) memory.direction = vector('direction');
    if (kept.has('previousGradient')) memory.previousGradient = vector('previousGradient');
    for (let i = 0; kept.has(`change${i}Gradient`); i++)
      memory.changes.push({
        gradient: vector(`change${i}Gradient`),
        step: vector(`change${i}Step`),
        rho: kept.number(`change${i}Rho`, 0),
      });
  }
}
