// The two kinds of tensors that a module owns: parameters, which are trained, and buffers, which are only kept.

import { contiguous, requireOptions, requireTensor, Tensor } from '@adjoint/core';

/** Options of {@link Parameter}. */
export interface ParameterOptions {
  /** Whether it collects gradients. Default true. */
  readonly requiresGrad?: boolean | undefined;
}

/**
 * A tensor that is trained: assign one to a field of a module and it is among the module's parameters. PyTorch's
 * `nn.Parameter`.
 *
 * It is a leaf over the values of `data`, whose array it shares where that is contiguous.
 *
 * @throws DTypeError if `data` is not floating-point and a gradient is wanted.
 * @example
 * class Scale extends Module {
 *   readonly factor = new Parameter(ones([1]));
 *   forward(x: Tensor): Tensor {
 *     return mul(x, this.factor);
 *   }
 * }
 */
export class Parameter extends Tensor {
  /** What `module.to(dtype)` put in this parameter's place; null while it is in use. */
  replacement: Parameter | null = null;

  constructor(data: Tensor, options: ParameterOptions = {}) {
    requireOptions('Parameter', options, { requiresGrad: 'boolean' });
    requireTensor('Parameter', 'data', data);
    const { requiresGrad = true } = options;
    const { storage, shape, strides, offset, dtype } = contiguous(data.detach());
    super(storage, shape, strides, offset, dtype);
    this.requiresGrad = requiresGrad;
  }
}

/** Options of {@link Buffer}. */
export interface BufferOptions {
  /** Whether it is part of the module's state dict. Default true. */
  readonly persistent?: boolean | undefined;
}

/**
 * A tensor that belongs to a module's state but is not trained, such as a running mean: assign one to a field of a
 * module and it is among the module's buffers. PyTorch's `nn.Buffer`.
 *
 * Change it in place (`copy_`, `add_`). A plain tensor in a field is not registered.
 *
 * @example
 * class Counter extends Module {
 *   readonly seen = new Buffer(zeros([], { dtype: 'int32' }));
 *   forward(x: Tensor): Tensor {
 *     this.seen.add_(1);
 *     return x;
 *   }
 * }
 */
export class Buffer extends Tensor {
  /** Whether it is part of the module's state dict. */
  readonly persistent: boolean;

  constructor(data: Tensor, options: BufferOptions = {}) {
    requireOptions('Buffer', options, { persistent: 'boolean' });
    requireTensor('Buffer', 'data', data);
    const { persistent = true } = options;
    const { storage, shape, strides, offset, dtype } = contiguous(data.detach());
    super(storage, shape, strides, offset, dtype);
    this.persistent = persistent;
  }
}
