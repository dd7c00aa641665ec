// Activations that core has no function for: each is a line of its ops.

import {
  ArgumentError,
  abs,
  add,
  chunk,
  formatShape,
  Generator,
  ge,
  gt,
  le,
  mul,
  neg,
  rand,
  requireOptions,
  requireTensor,
  ShapeError,
  sigmoid,
  sign,
  softmax,
  sub,
  type Tensor,
  tanh,
  where,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { optionsText, requireNumber } from './options.ts';

/** Options of {@link GLU} and {@link Softmin}. */
export interface AxisLayerOptions {
  /** The axis; a negative one counts from the end. Default −1. */
  readonly axis?: number | undefined;
}

/**
 * The first half of an axis times the sigmoid of the second. PyTorch's `nn.GLU`; Dauphin et al. 2017.
 *
 * @throws ShapeError, from `forward`, if the axis has an odd size.
 * @example
 * new GLU().forward(tensor([[1, 2, 0, 0]])).toArray(); // [[0.5, 1]]
 */
export class GLU extends Module {
  /** The axis that is halved; a negative one counts from the end. */
  readonly axis: number;

  constructor(options: AxisLayerOptions = {}) {
    requireOptions('GLU', options, { axis: 'number' });
    const { axis = -1 } = options;
    super();
    this.axis = requireAxis('GLU', axis);
  }

  forward(x: Tensor): Tensor {
    requireTensor('GLU', 'x', x);
    const size = x.shape.at(this.axis);
    if (size === undefined || size % 2 !== 0 || this.axis >= x.ndim) {
      throw new ShapeError(
        `the input has shape ${formatShape(x.shape)}; axis ${this.axis} needs an even size.`,
        {
          op: 'GLU',
          operand: 'x',
          actual: x.shape,
          expected: `an even size on axis ${this.axis}`,
        },
      );
    }
    const [value, gate] = chunk(x, 2, { axis: this.axis });
    return mul(value, sigmoid(gate));
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}

/** e^−x, scaled to sum to 1 along an axis. PyTorch's `nn.Softmin`. */
export class Softmin extends Module {
  /** The axis along which results sum to 1; a negative one counts from the end. */
  readonly axis: number;

  constructor(options: AxisLayerOptions = {}) {
    requireOptions('Softmin', options, { axis: 'number' });
    const { axis = -1 } = options;
    super();
    this.axis = requireAxis('Softmin', axis);
  }

  forward(x: Tensor): Tensor {
    return softmax(neg(x), { axis: this.axis });
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}

/** Softmax over the channels of images (N, C, H, W) or (C, H, W). PyTorch's `nn.Softmax2d`. */
export class Softmax2d extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('Softmax2d', 'x', x);
    if (x.ndim === 3 || x.ndim === 4) return softmax(x, { axis: -3 });
    throw new ShapeError(`the input has shape ${formatShape(x.shape)}; it takes (C, H, W) or (N, C, H, W).`, {
      op: 'Softmax2d',
      operand: 'x',
      actual: x.shape,
      expected: 'three or four axes',
    });
  }
}

/** Options of {@link Hardshrink} and {@link Softshrink}. */
export interface ShrinkOptions {
  /** Half of the interval around 0 that becomes 0. Default 0.5. */
  readonly lambda?: number | undefined;
}

/** x, but 0 where |x| <= lambda. PyTorch's `nn.Hardshrink`. */
export class Hardshrink extends Module {
  /** Half of the interval around 0 that becomes 0. */
  readonly lambda: number;

  constructor(options: ShrinkOptions = {}) {
    requireOptions('Hardshrink', options, { lambda: 'number' });
    const { lambda = 0.5 } = options;
    super();
    this.lambda = requireNumber('Hardshrink', 'lambda', lambda, 0, Infinity);
  }

  forward(x: Tensor): Tensor {
    return where(le(abs(x), this.lambda), 0, x);
  }

  override extraRepr(): string {
    return optionsText([], { lambda: this.lambda });
  }
}

/** x drawn towards 0 by lambda, and 0 where |x| <= lambda. PyTorch's `nn.Softshrink`. */
export class Softshrink extends Module {
  /** By how much numbers are drawn towards 0. */
  readonly lambda: number;

  constructor(options: ShrinkOptions = {}) {
    requireOptions('Softshrink', options, { lambda: 'number' });
    const { lambda = 0.5 } = options;
    super();
    this.lambda = requireNumber('Softshrink', 'lambda', lambda, 0, Infinity);
  }

  forward(x: Tensor): Tensor {
    return where(le(abs(x), this.lambda), 0, sub(x, mul(sign(x), this.lambda)));
  }

  override extraRepr(): string {
    return optionsText([], { lambda: this.lambda });
  }
}

/** x − tanh(x). PyTorch's `nn.Tanhshrink`. */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return sub(x, tanh(x));
  }
}

/** x where it is above a threshold, else a value. PyTorch's `nn.Threshold`. */
export class Threshold extends Module {
  /** What lies above it stays. */
  readonly threshold: number;
  /** What all else becomes. */
  readonly value: number;

  constructor(threshold: number, value: number) {
    super();
    this.threshold = requireNumber('Threshold', 'threshold', threshold, -Infinity, Infinity);
    this.value = requireNumber('Threshold', 'value', value, -Infinity, Infinity);
  }

  forward(x: Tensor): Tensor {
    return where(gt(x, this.threshold), x, this.value);
  }

  override extraRepr(): string {
    return `${this.threshold}, ${this.value}`;
  }
}

/** Options of {@link RReLU}. */
export interface RReLUOptions {
  /** Smallest slope below 0. Default 1/8. */
  readonly lower?: number | undefined;
  /** Largest slope below 0. Default 1/3. */
  readonly upper?: number | undefined;
  /** Where the slopes come from. Default: the default generator (see `manualSeed`). */
  readonly generator?: Generator | undefined;
}

/**
 * x above 0, and below it x times a slope: one drawn per element in training, their mean in evaluation. PyTorch's `nn.RReLU`; Xu et al.
 * 2015.
 *
 * @throws ArgumentError unless lower <= upper.
 * @example
 * new RReLU({ lower: 0.25, upper: 0.75 }).eval().forward(tensor([2, -2])).toArray(); // [2, -1]
 */
export class RReLU extends Module {
  /** Smallest slope below 0. */
  readonly lower: number;
  /** Largest slope below 0. */
  readonly upper: number;
  readonly #generator: Generator | undefined;

  constructor(options: RReLUOptions = {}) {
    requireOptions('RReLU', options, { lower: 'number', upper: 'number', generator: Generator });
    const { lower = 1 / 8, upper = 1 / 3, generator } = options;
    super();
    this.lower = requireNumber('RReLU', 'lower', lower, 0, Infinity);
    this.upper = requireNumber('RReLU', 'upper', upper, lower, Infinity);
    this.#generator = generator;
  }

  forward(x: Tensor): Tensor {
    requireTensor('RReLU', 'x', x);
    const { lower, upper } = this;
    if (!this.training) return where(ge(x, 0), x, mul(x, (lower + upper) / 2));
    const slopes = add(mul(rand(x.shape, { generator: this.#generator }), upper - lower), lower);
    return where(ge(x, 0), x, mul(x, slopes.to(x.dtype)));
  }

  override extraRepr(): string {
    return optionsText([], { lower: this.lower, upper: this.upper });
  }
}

function requireAxis(op: string, axis: number): number {
  if (Number.isInteger(axis)) return axis;
  throw new ArgumentError(`axis is ${axis}; give an integer.`, {
    op,
    operand: 'axis',
    actual: axis,
    expected: 'an integer',
  });
}
