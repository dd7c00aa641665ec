// Layers that are a matrix product, and those that change nothing but the shape.

import {
  ArgumentError,
  type FlattenOptions,
  type FloatDType,
  flatten,
  Generator,
  linear,
  quote,
  requireOptions,
  type Tensor,
  unflatten,
  zeros,
} from '@adjoint/core';
import type { InitOptions } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireFeatures, requireInteger } from './options.ts';
import { requireSharedWeight } from './shared-weight.ts';
import { drawUniformly } from './uniform.ts';

/** Options of {@link Linear}. */
export interface LinearOptions extends ParameterizedOptions {
  /** Whether a bias is learned. Default true. */
  readonly bias?: boolean | undefined;
  /** A weight to share with another layer, such as an `Embedding`, in place of one of the layer's own; `dtype` is then that of the weight. */
  readonly weight?: Parameter | undefined;
}

/**
 * `x · weightᵀ + bias`. PyTorch's `nn.Linear`.
 *
 * Input (..., in), output (..., out), of the parameters' dtype. Parameters: weight (out, in), bias (out); both start uniform in
 * ±1/sqrt(in).
 *
 * @throws ArgumentError for a size that is no positive integer, or a weight to share that is no Parameter; ShapeError for one of another
 *   shape, and, from `forward`, for an input of another width; DTypeError for one of another dtype than the one asked for.
 * @example
 * new Linear(20, 30).forward(zeros([128, 20])).shape; // [128, 30]
 * // Weights tied, as in language models: one table reads words in and scores them on the way out.
 * const words = new Embedding(1000, 20);
 * const scores = new Linear(20, 1000, { bias: false, weight: words.weight });
 * new Sequential(words, scores).parameters().length; // 1
 */
export class Linear extends Module {
  /** Features of the input. */
  readonly inFeatures: number;
  /** Features of the output. */
  readonly outFeatures: number;
  /** Shape (out, in). */
  readonly weight: Parameter;
  /** Shape (out), or null. */
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    requireOptions('Linear', options, {
      bias: 'boolean',
      weight: 'own',
      dtype: 'dtype',
      generator: Generator,
    });
    this.inFeatures = requireInteger('Linear', 'inFeatures', inFeatures, 1);
    this.outFeatures = requireInteger('Linear', 'outFeatures', outFeatures, 1);
    const { weight } = options;
    const bias = options.bias ?? true;
    const shape = [outFeatures, inFeatures];
    requireSharedWeight('Linear', weight, shape, options.dtype);
    const dtype = weight === undefined ? (options.dtype ?? 'float32') : (weight.dtype as FloatDType);
    this.weight = weight ?? new Parameter(zeros(shape, { dtype }));
    this.bias = bias ? new Parameter(zeros([outFeatures], { dtype })) : null;
    if (weight === undefined) this.resetParameters({ generator: options.generator });
    else drawUniformly([this.bias], inFeatures, options);
  }

  /** Draws weight and bias anew. */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    drawUniformly([this.weight, this.bias], this.inFeatures, options);
  }

  forward(x: Tensor): Tensor {
    requireFeatures(x, { op: 'Linear', operand: 'x', option: 'inFeatures', size: this.inFeatures });
    return linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === null ? ', bias=false' : ''}`;
  }
}

/** Gives back its input; takes and ignores no options. PyTorch's `nn.Identity`. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Joins a run of axes into one, by default all but the first. PyTorch's `nn.Flatten`.
 *
 * @throws ArgumentError for axes out of range or in the wrong order.
 * @example
 * new Flatten().forward(zeros([16, 8, 4, 4])).shape; // [16, 128]
 */
export class Flatten extends Module {
  /** The first axis that is joined; a negative one counts from the end. */
  readonly startAxis: number;
  /** The last axis that is joined; a negative one counts from the end. */
  readonly endAxis: number;

  constructor(options: FlattenOptions = {}) {
    requireOptions('Flatten', options, { startAxis: 'number', endAxis: 'number' });
    const { startAxis = 1, endAxis = -1 } = options;
    super();
    this.startAxis = startAxis;
    this.endAxis = endAxis;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, { startAxis: this.startAxis, endAxis: this.endAxis });
  }

  override extraRepr(): string {
    return `startAxis=${this.startAxis}, endAxis=${this.endAxis}`;
  }
}

/**
 * Splits an axis into several: {@link unflatten} as a module, the inverse of {@link Flatten}. PyTorch's `nn.Unflatten`.
 *
 * @param axis counts the batch as axis 0; negative ones from the end.
 * @param sizes what the axis becomes; one of them may be -1.
 * @throws ArgumentError for sizes that are none; from `forward`, ShapeError if they do not make up the axis.
 * @example
 * const decoder = new Sequential(new Linear(4, 8 * 7 * 7), new Unflatten(1, [8, 7, 7]));
 * decoder.forward(zeros([16, 4])).shape; // [16, 8, 7, 7]
 */
export class Unflatten extends Module {
  /** The axis that is split; a negative one counts from the end. */
  readonly axis: number;
  /** What it becomes; one of them may be −1. */
  readonly sizes: readonly number[];

  constructor(axis: number, sizes: readonly number[]) {
    super();
    this.axis = axis;
    if (!Array.isArray(sizes)) {
      throw new ArgumentError(`sizes is ${quote(sizes)}; give an array of numbers, such as [8, 7, 7].`, {
        op: 'Unflatten',
        operand: 'sizes',
        actual: sizes,
        expected: 'an array of numbers',
      });
    }
    this.sizes = sizes.map((size: number, i) => requireInteger('Unflatten', `sizes[${i}]`, size, -1));
  }

  forward(x: Tensor): Tensor {
    return unflatten(x, this.axis, this.sizes);
  }

  override extraRepr(): string {
    return `${this.axis}, [${this.sizes.join(', ')}]`;
  }
}
