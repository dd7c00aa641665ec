// Activations as modules, each thin over the function of the same name in core.

import {
  ArgumentError,
  celu,
  type EluOptions,
  elu,
  full,
  type GeluOptions,
  gelu,
  type HardtanhOptions,
  hardsigmoid,
  hardswish,
  hardtanh,
  type LeakyReluOptions,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  requireOptions,
  type SoftmaxOptions,
  type SoftplusOptions,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  type Tensor,
  tanh,
  zeros,
} from '@adjoint/core';
import { Module } from '../module/module.ts';
import { Parameter } from '../module/parameter.ts';
import { type ParameterizedOptions, requireInteger } from './options.ts';

/** A function of one tensor, with its options, as a module. */
abstract class Activation<Options extends object> extends Module {
  /** The options of the function, as they were given. */
  readonly options: Options;
  readonly #fn: (x: Tensor, options: Options) => Tensor;

  /** @param probe an operand without elements, on which the function checks its options. */
  constructor(fn: (x: Tensor, options: Options) => Tensor, options: Options, probe: Tensor = zeros([0])) {
    super();
    fn(probe, options);
    this.options = options;
    this.#fn = fn;
  }

  forward(x: Tensor): Tensor {
    return this.#fn(x, this.options);
  }

  override extraRepr(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ');
  }
}

/** max(x, 0): {@link relu} as a module. PyTorch's `nn.ReLU`. */
export class ReLU extends Activation<object> {
  constructor() {
    super(relu, {});
  }
}

/** min(max(x, 0), 6): {@link relu6} as a module. PyTorch's `nn.ReLU6`. */
export class ReLU6 extends Activation<object> {
  constructor() {
    super(relu6, {});
  }
}

/** x above 0, `negativeSlope · x` below: {@link leakyRelu} as a module. PyTorch's `nn.LeakyReLU`. */
export class LeakyReLU extends Activation<LeakyReluOptions> {
  constructor(options: LeakyReluOptions = {}) {
    super(leakyRelu, options);
  }
}

/** x above 0, `alpha · (e^x − 1)` below: {@link elu} as a module. PyTorch's `nn.ELU`. */
export class ELU extends Activation<EluOptions> {
  constructor(options: EluOptions = {}) {
    super(elu, options);
  }
}

/** x above 0, `alpha · (e^(x/alpha) − 1)` below: {@link celu} as a module. PyTorch's `nn.CELU`. */
export class CELU extends Activation<EluOptions> {
  constructor(options: EluOptions = {}) {
    super(celu, options);
  }
}

/** the self-normalising ELU of Klambauer et al. 2017: {@link selu} as a module. PyTorch's `nn.SELU`. */
export class SELU extends Activation<object> {
  constructor() {
    super(selu, {});
  }
}

/** x · Φ(x): {@link gelu} as a module. PyTorch's `nn.GELU`. */
export class GELU extends Activation<GeluOptions> {
  constructor(options: GeluOptions = {}) {
    super(gelu, options);
  }
}

/** x · sigmoid(x): {@link silu} as a module. PyTorch's `nn.SiLU`. */
export class SiLU extends Activation<object> {
  constructor() {
    super(silu, {});
  }
}

/** x · tanh(softplus(x)): {@link mish} as a module. PyTorch's `nn.Mish`. */
export class Mish extends Activation<object> {
  constructor() {
    super(mish, {});
  }
}

/** 1 / (1 + e^−x): {@link sigmoid} as a module. PyTorch's `nn.Sigmoid`. */
export class Sigmoid extends Activation<object> {
  constructor() {
    super(sigmoid, {});
  }
}

/** log(sigmoid(x)): {@link logSigmoid} as a module. PyTorch's `nn.LogSigmoid`. */
export class LogSigmoid extends Activation<object> {
  constructor() {
    super(logSigmoid, {});
  }
}

/** the hyperbolic tangent: {@link tanh} as a module. PyTorch's `nn.Tanh`. */
export class Tanh extends Activation<object> {
  constructor() {
    super(tanh, {});
  }
}

/** log(1 + e^(beta·x)) / beta: {@link softplus} as a module. PyTorch's `nn.Softplus`. */
export class Softplus extends Activation<SoftplusOptions> {
  constructor(options: SoftplusOptions = {}) {
    super(softplus, options);
  }
}

/** x / (1 + |x|): {@link softsign} as a module. PyTorch's `nn.Softsign`. */
export class Softsign extends Activation<object> {
  constructor() {
    super(softsign, {});
  }
}

/** x cut off at two bounds: {@link hardtanh} as a module. PyTorch's `nn.Hardtanh`. */
export class Hardtanh extends Activation<HardtanhOptions> {
  constructor(options: HardtanhOptions = {}) {
    super(hardtanh, options);
  }
}

/** relu6(x + 3) / 6: {@link hardsigmoid} as a module. PyTorch's `nn.Hardsigmoid`. */
export class Hardsigmoid extends Activation<object> {
  constructor() {
    super(hardsigmoid, {});
  }
}

/** x · relu6(x + 3) / 6: {@link hardswish} as a module. PyTorch's `nn.Hardswish`. */
export class Hardswish extends Activation<object> {
  constructor() {
    super(hardswish, {});
  }
}

// The emptiest operand that has the axis.
function probeWithAxis(op: string, axis: number): Tensor {
  if (!Number.isInteger(axis) || Math.abs(axis) > 32) {
    throw new ArgumentError(`axis is ${axis}; give an integer.`, { op, operand: 'axis', actual: axis });
  }
  return zeros(new Array<number>(axis < 0 ? -axis : axis + 1).fill(0));
}

/** e^x, scaled to sum to 1 along an axis: {@link softmax} as a module. PyTorch's `nn.Softmax`. */
export class Softmax extends Activation<SoftmaxOptions> {
  constructor(options: SoftmaxOptions = {}) {
    super(softmax, options, probeWithAxis('Softmax', options?.axis ?? -1));
  }
}

/** The logarithm of softmax: {@link logSoftmax} as a module. PyTorch's `nn.LogSoftmax`. */
export class LogSoftmax extends Activation<SoftmaxOptions> {
  constructor(options: SoftmaxOptions = {}) {
    super(logSoftmax, options, probeWithAxis('LogSoftmax', options?.axis ?? -1));
  }
}

/** Options of {@link PReLU}. */
export interface PReLUOptions extends Pick<ParameterizedOptions, 'dtype'> {
  /** Number of slopes: 1 (default) for all channels together, or one per channel. */
  readonly numParameters?: number | undefined;
  /** The slope to start from. Default 0.25. */
  readonly init?: number | undefined;
}

/** x above 0, `weight · x` below, with learned slopes: {@link prelu} as a module. PyTorch's `nn.PReLU`. */
export class PReLU extends Module {
  /** The slopes below 0, of shape (numParameters). */
  readonly weight: Parameter;

  constructor(options: PReLUOptions = {}) {
    requireOptions('PReLU', options, { numParameters: 'number', init: 'number', dtype: 'dtype' });
    const { numParameters = 1, init = 0.25, dtype = 'float32' } = options;
    super();
    requireInteger('PReLU', 'numParameters', numParameters, 1);
    this.weight = new Parameter(full([numParameters], init, { dtype }));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}
