// Dropout as modules: elements or whole channels of the input are left out at random while training.

import {
  add,
  bernoulli,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  expand,
  full,
  Generator,
  mul,
  requireOptions,
  requireTensor,
  sub,
  type Tensor,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { requireNumber } from './options.ts';

/** Options of dropout layers. */
export interface DropoutLayerOptions {
  /** Where the draws come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/** What all dropout layers share: a probability, a generator, and nothing at all in evaluation. */
abstract class DropoutBase extends Module {
  /** The probability of being dropped in training, from 0 to 1. */
  readonly p: number;
  readonly #generator: Generator | undefined;

  constructor(op: string, p: number, options: DropoutLayerOptions) {
    super();
    requireOptions(op, options, { generator: Generator });
    this.p = requireNumber(op, 'p', p, 0, 1);
    this.#generator = options.generator;
  }

  /** What becomes of the input in training. */
  protected abstract drop(x: Tensor, generator: Generator | undefined): Tensor;

  forward(x: Tensor): Tensor {
    return this.training && this.p > 0 ? this.drop(x, this.#generator) : x;
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training, leaves out each element with probability p and divides the others by 1 − p; in evaluation gives back its input:
 * {@link dropout} as a module. PyTorch's `nn.Dropout`; Srivastava et al. 2014.
 *
 * @param p the probability with which an element is left out. Default 0.5.
 * @throws ArgumentError unless p lies in [0, 1].
 * @example
 * new Dropout(0.2).eval().forward(tensor([1, 2])).toArray(); // [1, 2]
 */
export class Dropout extends DropoutBase {
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super('Dropout', p, options);
  }

  protected override drop(x: Tensor, generator: Generator | undefined): Tensor {
    return dropout(x, { p: this.p, generator });
  }
}

/** Dropout of whole channels of (N, C, L) or (C, L). PyTorch's `nn.Dropout1d`; see {@link Dropout}. */
export class Dropout1d extends DropoutBase {
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super('Dropout1d', p, options);
  }

  protected override drop(x: Tensor, generator: Generator | undefined): Tensor {
    return dropout1d(x, { p: this.p, generator });
  }
}

/** Dropout of whole channels of (N, C, H, W) or (C, H, W). PyTorch's `nn.Dropout2d`; see {@link Dropout}. */
export class Dropout2d extends DropoutBase {
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super('Dropout2d', p, options);
  }

  protected override drop(x: Tensor, generator: Generator | undefined): Tensor {
    return dropout2d(x, { p: this.p, generator });
  }
}

/** Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W). PyTorch's `nn.Dropout3d`; see {@link Dropout}. */
export class Dropout3d extends DropoutBase {
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super('Dropout3d', p, options);
  }

  protected override drop(x: Tensor, generator: Generator | undefined): Tensor {
    return dropout3d(x, { p: this.p, generator });
  }
}

// The limit of SELU at minus infinity, −λ·α: what an element that is left out becomes.
const saturation = -1.7580993408473766;

/**
 * Dropout that keeps mean 0 and variance 1: an element that is left out becomes the lower limit of SELU, and all are scaled and
 * shifted. PyTorch's `nn.AlphaDropout`; Klambauer et al. 2017.
 *
 * @param p the probability with which an element is left out. Default 0.5.
 * @throws ArgumentError unless p lies in [0, 1].
 */
export class AlphaDropout extends DropoutBase {
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super('AlphaDropout', p, options);
  }

  protected override drop(x: Tensor, generator: Generator | undefined): Tensor {
    requireTensor('AlphaDropout', 'x', x);
    const odds = expand(full([], 1 - this.p, { dtype: 'float64' }), x.shape);
    const kept = bernoulli(odds, { generator }).to(x.dtype);
    if (this.p === 1) return mul(x, kept);
    const scale = 1 / Math.sqrt((saturation ** 2 * this.p + 1) * (1 - this.p));
    const left = mul(sub(1, kept), saturation * scale);
    return add(add(mul(x, mul(kept, scale)), left), -scale * saturation * this.p);
  }
}
