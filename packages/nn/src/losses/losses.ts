// Losses as modules, each thin over the function of the same purpose in core.

import {
  type BceWithLogitsOptions,
  type BinaryCrossEntropyOptions,
  bceWithLogits,
  binaryCrossEntropy,
  type CosineEmbeddingLossOptions,
  type CrossEntropyOptions,
  type CtcLossOptions,
  cosineEmbeddingLoss,
  crossEntropy,
  ctcLoss,
  gaussianNllLoss,
  type HingeEmbeddingLossOptions,
  type HuberLossOptions,
  hingeEmbeddingLoss,
  huberLoss,
  type KlDivOptions,
  klDiv,
  type Lengths,
  type LikelihoodLossOptions,
  type LossOptions,
  l1Loss,
  type MarginRankingLossOptions,
  marginRankingLoss,
  mseLoss,
  type NllLossOptions,
  nllLoss,
  type PoissonNllLossOptions,
  poissonNllLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
  softMarginLoss,
  Tensor,
  type TripletMarginLossOptions,
  tripletMarginLoss,
  zeros,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { Buffer } from '../module/parameter.ts';

/** A loss function with its options, as a module. Options that are tensors are buffers, which `to` converts and `stateDict` keeps. */
abstract class Loss<Inputs extends readonly unknown[], Options extends object> extends Module {
  /** The options that are no tensors. */
  readonly options: Partial<Options>;
  /** The option `weight`; null where it was not given. */
  readonly weight: Buffer | null;
  /** The option `posWeight`; null where it was not given. */
  readonly posWeight: Buffer | null;
  readonly #fn: (...args: [...Inputs, Options]) => Tensor;

  /** @param probe operands without elements, on which the function checks its options. */
  constructor(fn: (...args: [...Inputs, Options]) => Tensor, options: Options, probe: Inputs) {
    super();
    const entries = Object.entries(options ?? {}) as [string, unknown][];
    const tensors = entries.filter(([, value]) => value instanceof Tensor);
    // The sizes of tensors belong to inputs to come. Their names stay, so that a loss that takes none refuses them.
    const nameless = Object.fromEntries(tensors.map(([name]) => [name, undefined]));
    fn(...probe, tensors.length === 0 ? options : { ...options, ...nameless });
    this.options = Object.fromEntries(
      entries.filter(([, value]) => value !== undefined && !(value instanceof Tensor)),
    ) as Partial<Options>;
    const { weight, posWeight } = options as { readonly weight?: unknown; readonly posWeight?: unknown };
    this.weight = weight instanceof Tensor ? new Buffer(weight) : null;
    this.posWeight = posWeight instanceof Tensor ? new Buffer(posWeight) : null;
    this.#fn = fn;
  }

  forward(...inputs: Inputs): Tensor {
    const { weight, posWeight } = this;
    const tensors = { ...(weight === null ? {} : { weight }), ...(posWeight === null ? {} : { posWeight }) };
    return this.#fn(...inputs, { ...this.options, ...tensors } as Options);
  }

  override extraRepr(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  }
}

/** The mean of squared differences: {@link mseLoss} as a module. PyTorch's `nn.MSELoss`. */
export class MSELoss extends Loss<[input: Tensor, target: Tensor], LossOptions> {
  constructor(options: LossOptions = {}) {
    super(mseLoss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** The mean of absolute differences: {@link l1Loss} as a module. PyTorch's `nn.L1Loss`. */
export class L1Loss extends Loss<[input: Tensor, target: Tensor], LossOptions> {
  constructor(options: LossOptions = {}) {
    super(l1Loss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Squared near 0, absolute beyond `beta`, divided by it: {@link smoothL1Loss} as a module. PyTorch's `nn.SmoothL1Loss`. */
export class SmoothL1Loss extends Loss<[input: Tensor, target: Tensor], SmoothL1LossOptions> {
  constructor(options: SmoothL1LossOptions = {}) {
    super(smoothL1Loss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Squared near 0, absolute beyond `delta`: {@link huberLoss} as a module. PyTorch's `nn.HuberLoss`. */
export class HuberLoss extends Loss<[input: Tensor, target: Tensor], HuberLossOptions> {
  constructor(options: HuberLossOptions = {}) {
    super(huberLoss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** The Kullback-Leibler divergence of log-probabilities from a target: {@link klDiv} as a module. PyTorch's `nn.KLDivLoss`. */
export class KLDivLoss extends Loss<[input: Tensor, target: Tensor], KlDivOptions> {
  constructor(options: KlDivOptions = {}) {
    super(klDiv, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** How unlikely numbers are under normal distributions of predicted mean and variance: {@link gaussianNllLoss} as a module. PyTorch's `nn.GaussianNLLLoss`. */
export class GaussianNLLLoss extends Loss<
  [input: Tensor, target: Tensor, variance: Tensor],
  LikelihoodLossOptions
> {
  constructor(options: LikelihoodLossOptions = {}) {
    super(gaussianNllLoss, options, [zeros([0, 1]), zeros([0, 1]), zeros([0, 1])]);
  }
}

/** How unlikely counts are under Poisson distributions of a predicted rate: {@link poissonNllLoss} as a module. PyTorch's `nn.PoissonNLLLoss`. */
export class PoissonNLLLoss extends Loss<[input: Tensor, target: Tensor], PoissonNllLossOptions> {
  constructor(options: PoissonNllLossOptions = {}) {
    super(poissonNllLoss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Wants one of two scores higher, by a margin: {@link marginRankingLoss} as a module. PyTorch's `nn.MarginRankingLoss`. */
export class MarginRankingLoss extends Loss<
  [a: Tensor, b: Tensor, target: Tensor],
  MarginRankingLossOptions
> {
  constructor(options: MarginRankingLossOptions = {}) {
    super(marginRankingLoss, options, [zeros([0, 1]), zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Logistic loss of scores against signs: {@link softMarginLoss} as a module. PyTorch's `nn.SoftMarginLoss`. */
export class SoftMarginLoss extends Loss<[input: Tensor, target: Tensor], LossOptions> {
  constructor(options: LossOptions = {}) {
    super(softMarginLoss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Binary cross entropy of probabilities: {@link binaryCrossEntropy} as a module. PyTorch's `nn.BCELoss`. */
export class BCELoss extends Loss<[input: Tensor, target: Tensor], BinaryCrossEntropyOptions> {
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(binaryCrossEntropy, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Binary cross entropy of logits: {@link bceWithLogits} as a module. PyTorch's `nn.BCEWithLogitsLoss`. */
export class BCEWithLogitsLoss extends Loss<[input: Tensor, target: Tensor], BceWithLogitsOptions> {
  constructor(options: BceWithLogitsOptions = {}) {
    super(bceWithLogits, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** The negative log-likelihood of target classes: {@link nllLoss} as a module. PyTorch's `nn.NLLLoss`. */
export class NLLLoss extends Loss<[input: Tensor, target: Tensor], NllLossOptions> {
  constructor(options: NllLossOptions = {}) {
    super(nllLoss, options, [zeros([0, 1]), zeros([0], { dtype: 'int32' })]);
  }
}

/** Cross entropy between softmax of logits and a target: {@link crossEntropy} as a module. PyTorch's `nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends Loss<[input: Tensor, target: Tensor], CrossEntropyOptions> {
  constructor(options: CrossEntropyOptions = {}) {
    super(crossEntropy, options, [zeros([0, 1]), zeros([0], { dtype: 'int32' })]);
  }
}

/** Small for distances of pairs that belong together (target 1), large for others (−1): {@link hingeEmbeddingLoss} as a module. PyTorch's `nn.HingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends Loss<[input: Tensor, target: Tensor], HingeEmbeddingLossOptions> {
  constructor(options: HingeEmbeddingLossOptions = {}) {
    super(hingeEmbeddingLoss, options, [zeros([0, 1]), zeros([0, 1])]);
  }
}

/** Pulls vectors together (target 1) or apart (−1) by their angle: {@link cosineEmbeddingLoss} as a module. PyTorch's `nn.CosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Loss<
  [a: Tensor, b: Tensor, target: Tensor],
  CosineEmbeddingLossOptions
> {
  constructor(options: CosineEmbeddingLossOptions = {}) {
    super(cosineEmbeddingLoss, options, [zeros([0, 1]), zeros([0, 1]), zeros([0])]);
  }
}

/** Wants an anchor nearer to a positive than to a negative, by a margin: {@link tripletMarginLoss} as a module. PyTorch's `nn.TripletMarginLoss`. */
export class TripletMarginLoss extends Loss<
  [anchor: Tensor, positive: Tensor, negative: Tensor],
  TripletMarginLossOptions
> {
  constructor(options: TripletMarginLossOptions = {}) {
    super(tripletMarginLoss, options, [zeros([0, 1]), zeros([0, 1]), zeros([0, 1])]);
  }
}

/**
 * The loss of a sequence of class distributions against a target without alignment: {@link ctcLoss} as a module. PyTorch's `nn.CTCLoss`;
 * Graves et al. 2006.
 *
 * @example
 * const logProbs = logSoftmax(randn([50, 16, 20]), { axis: 2 });
 * const targets = randint(1, 20, [16, 30]);
 * new CTCLoss().forward(logProbs, targets, new Array(16).fill(50), new Array(16).fill(30)).shape; // []
 */
export class CTCLoss extends Loss<
  [logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths],
  CtcLossOptions
> {
  constructor(options: CtcLossOptions = {}) {
    // With as many classes as make the blank one of them.
    const blank = Number(options?.blank ?? 0);
    const classes = Number.isSafeInteger(blank) ? Math.max(blank, 0) + 1 : 1;
    super(ctcLoss, options, [zeros([1, 0, classes]), zeros([0, 1], { dtype: 'int32' }), [], []]);
  }
}
