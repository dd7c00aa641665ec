// A layer that is linear in each of two inputs.

import { add, einsum, Generator, requireOptions, type Tensor, zeros } from '@adjoint/core';
import type { InitOptions } from '../init/fill.ts';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireFeatures, requireInteger } from './options.ts';
import { drawUniformly } from './uniform.ts';

/** Options of {@link Bilinear}. */
export interface BilinearOptions extends ParameterizedOptions {
  /** Whether a bias is learned. Default true. */
  readonly bias?: boolean | undefined;
}

/**
 * `y_o = x1ᵀ · weight_o · x2 + bias_o`. PyTorch's `nn.Bilinear`.
 *
 * Inputs (..., in1) and (..., in2), output (..., out). Parameters: weight (out, in1, in2), bias (out); both start uniform in
 * ±1/sqrt(in1).
 *
 * @throws ArgumentError for a size that is no positive integer.
 * @example
 * new Bilinear(20, 30, 40).forward(zeros([128, 20]), zeros([128, 30])).shape; // [128, 40]
 */
export class Bilinear extends Module {
  /** Features of the first input. */
  readonly in1Features: number;
  /** Features of the second input. */
  readonly in2Features: number;
  /** Features of the output. */
  readonly outFeatures: number;
  /** Shape (out, in1, in2). */
  readonly weight: Parameter;
  /** Shape (out), or null. */
  readonly bias: Parameter | null;

  constructor(in1Features: number, in2Features: number, outFeatures: number, options: BilinearOptions = {}) {
    super();
    requireOptions('Bilinear', options, { bias: 'boolean', dtype: 'dtype', generator: Generator });
    this.in1Features = requireInteger('Bilinear', 'in1Features', in1Features, 1);
    this.in2Features = requireInteger('Bilinear', 'in2Features', in2Features, 1);
    this.outFeatures = requireInteger('Bilinear', 'outFeatures', outFeatures, 1);
    const { dtype = 'float32' } = options;
    const bias = options.bias ?? true;
    this.weight = new Parameter(zeros([outFeatures, in1Features, in2Features], { dtype }));
    this.bias = bias ? new Parameter(zeros([outFeatures], { dtype })) : null;
    this.resetParameters({ generator: options.generator });
  }

  /** Draws weight and bias anew. */
  resetParameters(options: InitOptions = {}): void {
    requireOptions(`${this.constructor.name}.resetParameters`, options, { generator: Generator });
    drawUniformly([this.weight, this.bias], this.in1Features, options);
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    const [op, in1, in2] = ['Bilinear', this.in1Features, this.in2Features] as const;
    requireFeatures(x1, { op, operand: 'x1', option: 'in1Features', size: in1 });
    requireFeatures(x2, { op, operand: 'x2', option: 'in2Features', size: in2 });
    const product = einsum('...i,oij,...j->...o', x1, this.weight, x2);
    return this.bias === null ? product : add(product, this.bias);
  }

  override extraRepr(): string {
    const { in1Features, in2Features, outFeatures, bias } = this;
    return `${in1Features}, ${in2Features}, ${outFeatures}${bias === null ? ', bias=false' : ''}`;
  }
}
