// Dropout: elements or whole channels of the input are left out at random while training.

import {
  add,
  bernoulli,
  expand,
  formatShape,
  full,
  type Generator,
  mul,
  ShapeError,
  sub,
  type Tensor,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { requireNumber } from './options.ts';

/** Options of dropout layers. */
export interface DropoutOptions {
  /** Where the draws come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/** What all dropout layers share: a mask that is drawn in training, one element for what is left out together. */
abstract class DropoutBase extends Module {
  readonly p: number;
  readonly #generator: Generator | undefined;

  constructor(op: string, p: number, { generator }: DropoutOptions) {
    super();
    this.p = requireNumber(op, 'p', p, 0, 1);
    this.#generator = generator;
  }

  /** The shape of the mask, which broadcasts to that of the input. */
  protected abstract maskShape(x: Tensor): readonly number[];

  /** The input in training, given 1 where it is kept and 0 where it is left out. */
  protected masked(x: Tensor, kept: Tensor): Tensor {
    // With p = 1 nothing is kept, and there is nothing to scale.
    return mul(x, this.p === 1 ? kept : mul(kept, 1 / (1 - this.p)));
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x;
    const odds = expand(full([], 1 - this.p, { dtype: 'float64' }), this.maskShape(x));
    return this.masked(x, bernoulli(odds, { generator: this.#generator }).to(x.dtype));
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training, leaves out each element with probability p and divides the others by 1 − p; in evaluation gives back its input.
 * PyTorch's `nn.Dropout`; Srivastava et al. 2014.
 *
 * @param p the probability with which an element is left out. Default 0.5.
 * @throws ArgumentError unless p lies in [0, 1].
 * @example
 * new Dropout(0.2).eval().forward(tensor([1, 2])).toArray(); // [1, 2]
 */
export class Dropout extends DropoutBase {
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout', p, options);
  }

  protected override maskShape(x: Tensor): readonly number[] {
    return x.shape;
  }
}

/** Dropout of whole channels. */
abstract class ChannelDropout extends DropoutBase {
  readonly #op: string;
  readonly #dims: number;

  constructor(op: string, dims: number, p: number, options: DropoutOptions) {
    super(op, p, options);
    this.#op = op;
    this.#dims = dims;
  }

  protected override maskShape(x: Tensor): readonly number[] {
    const batch = x.ndim - this.#dims - 1;
    if (batch === 0 || batch === 1) return x.shape.map((size, axis) => (axis <= batch ? size : 1));
    const expected = `${this.#dims + 1} or ${this.#dims + 2} axes`;
    throw new ShapeError(
      `the input has shape ${formatShape(x.shape)}; it takes ${expected}, (C, …) or (N, C, …).`,
      {
        op: this.#op,
        operand: 'x',
        actual: x.shape,
        expected,
      },
    );
  }
}

/** Dropout of whole channels of (N, C, L) or (C, L). PyTorch's `nn.Dropout1d`; see {@link Dropout}. */
export class Dropout1d extends ChannelDropout {
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout1d', 1, p, options);
  }
}

/** Dropout of whole channels of (N, C, H, W) or (C, H, W). PyTorch's `nn.Dropout2d`; see {@link Dropout}. */
export class Dropout2d extends ChannelDropout {
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout2d', 2, p, options);
  }
}

/** Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W). PyTorch's `nn.Dropout3d`; see {@link Dropout}. */
export class Dropout3d extends ChannelDropout {
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('Dropout3d', 3, p, options);
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
  constructor(p = 0.5, options: DropoutOptions = {}) {
    super('AlphaDropout', p, options);
  }

  protected override maskShape(x: Tensor): readonly number[] {
    return x.shape;
  }

  protected override masked(x: Tensor, kept: Tensor): Tensor {
    if (this.p === 1) return mul(x, kept);
    const scale = 1 / Math.sqrt((saturation ** 2 * this.p + 1) * (1 - this.p));
    const left = mul(sub(1, kept), saturation * scale);
    return add(add(mul(x, mul(kept, scale)), left), -scale * saturation * this.p);
  }
}
