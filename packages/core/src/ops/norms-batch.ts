// Batch and instance normalisation, whose statistics over a batch may be carried along as running ones.
//
// PyTorch changes running statistics in place. Here tensors do not change behind one's back: the new statistics are returned,
// and whoever keeps them copies them (as nn's layers do).

import { ArgumentError } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { apply } from '../tape/apply.ts';
import { noGrad } from '../tape/mode.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { add, mul } from './arithmetic.ts';
import { cast } from './cast.ts';
import { mean } from './expand-sum.ts';
import { reshape } from './layout.ts';
import { normaliseByOp } from './norm-records.ts';
import { rsqrt } from './powers.ts';
import {
  type Moments,
  type NormalisationOptions,
  type NormalisedShape,
  normalise,
  parameters,
  requireChannelAxis,
  requireParameter,
  requireSeveral,
  standardise,
  standardiseKeeping,
} from './standardise.ts';

/** Running statistics of the channels, shape (C,) each. */
interface Running {
  /** The mean of each channel over what came before. Default: none is kept. */
  readonly runningMean?: Tensor | undefined;
  /** The variance of each channel, with Bessel's correction, over what came before. Default: none is kept. */
  readonly runningVar?: Tensor | undefined;
}

/** Options of {@link batchNorm}; weight and bias have shape (C,). */
export interface BatchNormOptions extends NormalisationOptions, Running {
  /** Normalise by the statistics of this batch, rather than by the running ones. Default false. */
  readonly training?: boolean | undefined;
  /** Weight of this batch in the new running statistics. Default 0.1. */
  readonly momentum?: number | undefined;
}

/** Options of {@link instanceNorm}; weight and bias have shape (C,). */
export interface InstanceNormOptions extends NormalisationOptions, Running {
  /** Normalise by the statistics of each instance, rather than by the running ones. Default true. */
  readonly useInputStats?: boolean | undefined;
  /** Weight of this batch in the new running statistics. Default 0.1. */
  readonly momentum?: number | undefined;
}

const commonOptions = {
  momentum: 'number',
  weight: Tensor,
  bias: Tensor,
  eps: 'number',
  runningMean: Tensor,
  runningVar: Tensor,
} as const;
const batchNormOptions = { training: 'boolean', ...commonOptions } as const;
const instanceNormOptions = { useInputStats: 'boolean', ...commonOptions } as const;

/** What was normalised, and the running statistics after the call: new ones if they were given and the batch was used. */
export interface NormalisedBatch {
  /** What was normalised, of the input's shape. */
  readonly output: Tensor;
  /** The running means, of shape (channels); undefined where none were given. */
  readonly runningMean: Tensor | undefined;
  /** The running variances, of shape (channels); undefined where none were given. */
  readonly runningVar: Tensor | undefined;
}

/**
 * Normalises each channel over the batch and its places, or by running statistics; then scales and shifts it. PyTorch's
 * `torch.nn.functional.batch_norm` (Ioffe and Szegedy 2015).
 *
 * The batch is divided by its mean square deviation, while the running variance takes up the unbiased one, as in PyTorch.
 *
 * @param x shape (N, C) or (N, C, …).
 * @returns the normalised tensor, and the running statistics after the call; those given stay as they are.
 * @throws ShapeError for fewer than two axes, one value per channel in training, or a parameter of another shape than (C,);
 *   ArgumentError if neither running statistics are given nor the batch's are used; DTypeError for integers.
 * @example
 * const running = { runningMean: zeros([1]), runningVar: ones([1]) };
 * const { output, runningMean } = batchNorm(tensor([[1], [3]]), { ...running, training: true });
 * runningMean!.toArray(); // [0.2]
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = noOptions): NormalisedBatch {
  requireTensor('batchNorm', 'x', x);
  requireOptions('batchNorm', options, batchNormOptions);
  const op = 'batchNorm';
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  requireChannelAxis(op, x);
  requireOperands(op, x, options);
  if (!training) return byRunning(op, 'training', x, options, eps);
  requireSeveral(op, x, x.size / x.shape[1], 'channel');
  return byOwn(op, x, { seen: channelsOf(x), over: 'batch', centred: true }, options, eps, momentum);
}

/**
 * Normalises each channel of each instance over its places, or by running statistics; then scales and shifts it. PyTorch's
 * `torch.nn.functional.instance_norm` (Ulyanov et al. 2016).
 *
 * @param x shape (N, C, …) with at least one spatial axis.
 * @returns the normalised tensor, and the running statistics after the call (means over the instances); those given stay as
 *   they are.
 * @throws ShapeError for fewer than three axes, one value per instance and channel, or a parameter of another shape than (C,);
 *   ArgumentError if neither running statistics are given nor the input's are used; DTypeError for integers.
 * @example
 * instanceNorm(tensor([[[1, 3]]])).output.toArray(); // [[[-0.999995, 0.999995]]]
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = noOptions): NormalisedBatch {
  requireTensor('instanceNorm', 'x', x);
  requireOptions('instanceNorm', options, instanceNormOptions);
  const op = 'instanceNorm';
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  requireChannelAxis(op, x);
  requireOperands(op, x, options);
  if (!useInputStats) return byRunning(op, 'useInputStats', x, options, eps);
  const seen = channelsOf(x);
  requireSeveral(op, x, seen[3], 'channel of an instance');
  return byOwn(op, x, { seen, over: 'sample', centred: true }, options, eps, momentum);
}

/** By statistics of x itself, which the running ones, if there are any, are moved towards. */
function byOwn(
  op: string,
  x: Tensor,
  shape: NormalisedShape,
  options: NormalisationOptions & Running,
  eps: number,
  momentum: number,
): NormalisedBatch {
  const { runningMean, runningVar } = options;
  if (runningMean === undefined || runningVar === undefined) {
    const output = normalise(op, x, (wide) => standardise(wide, shape, options, eps));
    return { output, runningMean, runningVar };
  }
  const found: Moments[] = [];
  const output = normalise(op, x, (wide) => {
    const { output, moments } = standardiseKeeping(wide, shape, options, eps);
    found.push(moments);
    return output;
  });
  const [{ mean: centre, variance }] = found;
  const { seen, over } = shape;
  const count = seen[3] * (over === 'batch' ? seen[0] : 1);
  const move = (running: Tensor, batch: Tensor): Tensor => {
    const taken = cast(reshape(mean(batch, { axes: 0 }), running.shape), running.dtype);
    return add(mul(running, 1 - momentum), mul(taken, momentum));
  };
  return noGrad(() => ({
    output,
    runningMean: move(runningMean, centre),
    // The running variance takes up the unbiased one.
    runningVar: move(runningVar, mul(variance, count / (count - 1))),
  }));
}

function byRunning(
  op: string,
  option: string,
  x: Tensor,
  options: NormalisationOptions & Running,
  eps: number,
): NormalisedBatch {
  const { runningMean, runningVar } = options;
  if (runningMean === undefined || runningVar === undefined) {
    throw new ArgumentError(
      `without ${option} it normalises by running statistics, and ${runningMean === undefined ? 'runningMean' : 'runningVar'} is not given; give both, or pass { ${option}: true }.`,
      { op, operand: option, actual: false, expected: 'true, or runningMean and runningVar' },
    );
  }
  const seen = channelsOf(x);
  const output = normalise(op, x, (wide) => {
    const statistic = (running: Tensor): Tensor => cast(reshape(running, [1, x.shape[1], 1, 1]), wide.dtype);
    const rstd = rsqrt(add(statistic(runningVar), eps));
    const operands = [reshape(wide, seen), ...parameters(wide, seen, options), statistic(runningMean), rstd];
    return reshape(apply(normaliseByOp, operands, undefined), x.shape);
  });
  return { output, runningMean, runningVar };
}

/** Each channel is a group of its own. */
function channelsOf({ shape }: Tensor): NormalisedShape['seen'] {
  return [shape[0], shape[1], 1, shape.slice(2).reduce((product, size) => product * size, 1)];
}

function requireOperands(
  op: string,
  x: Tensor,
  { weight, bias, runningMean, runningVar }: NormalisationOptions & Running,
): void {
  requireParameter(op, 'weight', weight, [x.shape[1]], x);
  requireParameter(op, 'bias', bias, [x.shape[1]], x);
  requireParameter(op, 'runningMean', runningMean, [x.shape[1]], x);
  requireParameter(op, 'runningVar', runningVar, [x.shape[1]], x);
  const missing = runningMean === undefined ? 'runningMean' : 'runningVar';
  if ((runningMean === undefined) === (runningVar === undefined)) return;
  throw new ArgumentError(`${missing} is not given and the other one is; give both or neither.`, {
    op,
    operand: missing,
    actual: undefined,
    expected: 'both running statistics, or none',
  });
}
