// Muon: momentum for matrices, each step brought near the closest matrix with orthonormal rows or columns.

import {
  ArgumentError,
  add,
  formatShape,
  matmul,
  mul,
  noGrad,
  norm,
  requireTensor,
  ShapeError,
  type Tensor,
  tensor,
  transpose,
} from '@adjoint/core';
import { requireOption } from './checks.ts';
import { type BaseOptions, Optimizer, type ParamGroup, type ParamInput, type Update } from './optimizer.ts';

/** Options of {@link Muon}. */
export interface MuonOptions extends BaseOptions {
  /** Learning rate. Default 0.001. */
  lr: number;
  /** Share of itself that a parameter loses per lr. Default 0.1. */
  weightDecay: number;
  /** Decay of the running mean of gradients. Default 0.95. */
  momentum: number;
  /** Whether to look ahead by the mean. Default true. */
  nesterov: boolean;
  /** Coefficients of the Newton-Schulz iteration. Default [3.4445, −4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** Number of Newton-Schulz iterations. Default 5. */
  nsSteps: number;
  /** The smallest norm that a step is divided by. Default 1e-7. */
  eps: number;
  /**
   * How the learning rate follows from the shape: 'original' (default) multiplies by sqrt(max(1, rows / columns)), 'matchRmsAdamW' by
   * 0.2·sqrt(max(rows, columns)), after which AdamW's rates can be used.
   */
  adjustLr: 'original' | 'matchRmsAdamW';
}

/**
 * Muon, for the weight matrices of hidden layers; give embeddings, biases and heads to AdamW. PyTorch's `optim.Muon` (2.9); Jordan et al.
 * 2024. PyTorch runs the Newton-Schulz iteration in bfloat16; here it runs in the type of the parameter (float32 for 16-bit ones).
 *
 * @throws ArgumentError for an illegal option; ShapeError for a parameter that is no matrix.
 * @example
 * const layer = new Linear(8, 4);
 * new Muon([layer.weight], { lr: 0.02 });
 */
export class Muon extends Optimizer<MuonOptions> {
  constructor(params: ParamInput<MuonOptions>, options: Partial<Readonly<MuonOptions>> = {}) {
    super(
      'Muon',
      params,
      {
        lr: 1e-3,
        weightDecay: 0.1,
        momentum: 0.95,
        nesterov: true,
        nsCoefficients: [3.4445, -4.775, 2.0315],
        nsSteps: 5,
        eps: 1e-7,
        adjustLr: 'original',
      },
      options,
    );
  }

  override addGroup(group: ParamGroup<MuonOptions>): void {
    const list = [...group.params];
    list.forEach((parameter, i) => {
      requireTensor('Muon', `params[${i}]`, parameter);
      const { shape } = parameter;
      if (shape.length === 2) return;
      throw new ShapeError(
        `parameter ${i} has shape ${formatShape(shape)}; Muon moves matrices only, give the others to AdamW.`,
        { op: 'Muon', operand: `params[${i}]`, actual: shape, expected: 'two axes' },
      );
    });
    super.addGroup({ ...group, params: list });
  }

  protected override check({
    lr,
    weightDecay,
    momentum,
    nsSteps,
    eps,
    adjustLr,
  }: Readonly<MuonOptions>): void {
    requireOption('Muon', 'lr', lr, 0);
    requireOption('Muon', 'weightDecay', weightDecay, 0);
    requireOption('Muon', 'momentum', momentum, 0);
    requireOption('Muon', 'nsSteps', nsSteps, 0, 100);
    requireOption('Muon', 'eps', eps, 0);
    if (adjustLr !== 'original' && adjustLr !== 'matchRmsAdamW') {
      throw new ArgumentError(
        `adjustLr is ${JSON.stringify(adjustLr)}; it takes 'original' or 'matchRmsAdamW'.`,
        {
          op: 'Muon',
          operand: 'adjustLr',
          actual: adjustLr,
          expected: "'original' or 'matchRmsAdamW'",
        },
      );
    }
  }

  protected override update({ values, gradient, shape, state, group }: Update<MuonOptions>): void {
    const { lr, weightDecay, momentum, nesterov, adjustLr } = group;
    const mean = state.array('momentumBuffer');
    const step = mean.slice();
    for (let i = 0; i < mean.length; i++) {
      mean[i] = momentum * mean[i] + (1 - momentum) * gradient[i];
      step[i] = nesterov ? (1 - momentum) * gradient[i] + momentum * mean[i] : mean[i];
    }
    const direction = orthogonalised(tensor(step, { shape }), group).toTypedArray();
    const [rows, columns] = shape;
    const rate =
      lr *
      (adjustLr === 'original'
        ? Math.sqrt(Math.max(1, rows / columns))
        : 0.2 * Math.sqrt(Math.max(rows, columns)));
    for (let i = 0; i < values.length; i++)
      values[i] = values[i] * (1 - lr * weightDecay) - rate * direction[i];
  }
}

/**
 * A matrix with the same singular vectors and singular values near 1, by Newton and Schulz: `x ← a·x + (b·g + c·g²)·x` with
 * `g = x·xᵀ`, from x scaled to norm 1.
 */
function orthogonalised(
  matrix: Tensor,
  { nsCoefficients: [a, b, c], nsSteps, eps }: Pick<MuonOptions, 'nsCoefficients' | 'nsSteps' | 'eps'>,
): Tensor {
  return noGrad(() => {
    const tall = matrix.shape[0] > matrix.shape[1];
    const length = norm(matrix).item();
    let x = mul(tall ? transpose(matrix) : matrix, 1 / Math.max(length, eps));
    for (let step = 0; step < nsSteps; step++) {
      const gram = matmul(x, transpose(x));
      x = add(mul(x, a), matmul(add(mul(gram, b), mul(matmul(gram, gram), c)), x));
    }
    return tall ? transpose(x) : x;
  });
}
