// Padding as modules: a frame around signals, images and volumes, each thin over `pad` in core.

import { ArgumentError, type PadMode, pad, quote, type Tensor } from '@adjoint/core';
import { Module } from '../module/module.ts';
import { requireNumber } from './options.ts';

/** Elements added: one number for all sides, or (before, after) per axis, **the last axis first**, as in PyTorch. Negative ones cut. */
export type Padding = number | readonly number[];

/** What all padding layers share. */
abstract class PadBase extends Module {
  /** (before, after) per axis, the last axis first; negative ones cut. */
  readonly padding: readonly number[];
  readonly #mode: PadMode;

  constructor(op: string, dims: number, mode: PadMode, padding: Padding) {
    super();
    const amounts = typeof padding === 'number' ? new Array<number>(2 * dims).fill(padding) : padding;
    if (!Array.isArray(amounts) || amounts.length !== 2 * dims || !amounts.every(Number.isSafeInteger)) {
      const expected = `an integer, or ${2 * dims} of them: (before, after) per axis, the last axis first`;
      throw new ArgumentError(`padding is ${quote(padding)}; give ${expected}.`, {
        op,
        operand: 'padding',
        actual: padding,
        expected,
      });
    }
    this.padding = amounts.slice();
    this.#mode = mode;
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.padding, { mode: this.#mode });
  }

  override extraRepr(): string {
    const [first] = this.padding;
    return this.padding.every((amount) => amount === first) ? String(first) : `[${this.padding.join(', ')}]`;
  }
}

/** A frame of one value. */
abstract class ConstantPad extends PadBase {
  /** What the frame is made of. */
  readonly value: number;

  constructor(op: string, dims: number, padding: Padding, value: number) {
    super(op, dims, 'constant', padding);
    this.value = requireNumber(op, 'value', value, -Infinity, Infinity);
  }

  override forward(x: Tensor): Tensor {
    return pad(x, this.padding, { value: this.value });
  }

  override extraRepr(): string {
    return this.value === 0 ? super.extraRepr() : `${super.extraRepr()}, value=${this.value}`;
  }
}

/**
 * A frame of one value around (N, C, L) or (C, L): {@link pad} as a module. PyTorch's `nn.ConstantPad1d`.
 */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad1d', 1, padding, value);
  }
}

/**
 * A frame of zeros around (N, C, L) or (C, L): {@link pad} as a module. PyTorch's `nn.ZeroPad1d`.
 */
export class ZeroPad1d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad1d', 1, padding, 0);
  }
}

/**
 * A frame of the elements mirrored at the edge, which is not repeated, around (N, C, L) or (C, L): {@link pad} as a module. PyTorch's `nn.ReflectionPad1d`.
 */
export class ReflectionPad1d extends PadBase {
  constructor(padding: Padding) {
    super('ReflectionPad1d', 1, 'reflect', padding);
  }
}

/**
 * A frame that repeats the edge of (N, C, L) or (C, L): {@link pad} as a module. PyTorch's `nn.ReplicationPad1d`.
 */
export class ReplicationPad1d extends PadBase {
  constructor(padding: Padding) {
    super('ReplicationPad1d', 1, 'replicate', padding);
  }
}

/**
 * A frame that goes on at the other end of (N, C, L) or (C, L): {@link pad} as a module. PyTorch's `nn.CircularPad1d`.
 */
export class CircularPad1d extends PadBase {
  constructor(padding: Padding) {
    super('CircularPad1d', 1, 'circular', padding);
  }
}

/**
 * A frame of one value around (N, C, H, W) or (C, H, W): {@link pad} as a module. PyTorch's `nn.ConstantPad2d`.
 *
 * @throws ArgumentError for padding that is none.
 * @example
 * new ConstantPad2d(1, 0.5).forward(zeros([1, 2, 4, 4])).shape; // [1, 2, 6, 6]
 */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad2d', 2, padding, value);
  }
}

/**
 * A frame of zeros around (N, C, H, W) or (C, H, W): {@link pad} as a module. PyTorch's `nn.ZeroPad2d`.
 *
 * @throws ArgumentError for padding that is none.
 * @example
 * new ZeroPad2d(1).forward(zeros([1, 2, 4, 4])).shape; // [1, 2, 6, 6]
 */
export class ZeroPad2d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad2d', 2, padding, 0);
  }
}

/**
 * A frame of the elements mirrored at the edge, which is not repeated, around (N, C, H, W) or (C, H, W): {@link pad} as a module. PyTorch's `nn.ReflectionPad2d`.
 *
 * @throws ArgumentError for padding that is none.
 * @example
 * new ReflectionPad2d(1).forward(zeros([1, 2, 4, 4])).shape; // [1, 2, 6, 6]
 */
export class ReflectionPad2d extends PadBase {
  constructor(padding: Padding) {
    super('ReflectionPad2d', 2, 'reflect', padding);
  }
}

/**
 * A frame that repeats the edge of (N, C, H, W) or (C, H, W): {@link pad} as a module. PyTorch's `nn.ReplicationPad2d`.
 *
 * @throws ArgumentError for padding that is none.
 * @example
 * new ReplicationPad2d(1).forward(zeros([1, 2, 4, 4])).shape; // [1, 2, 6, 6]
 */
export class ReplicationPad2d extends PadBase {
  constructor(padding: Padding) {
    super('ReplicationPad2d', 2, 'replicate', padding);
  }
}

/**
 * A frame that goes on at the other end of (N, C, H, W) or (C, H, W): {@link pad} as a module. PyTorch's `nn.CircularPad2d`.
 *
 * @throws ArgumentError for padding that is none.
 * @example
 * new CircularPad2d(1).forward(zeros([1, 2, 4, 4])).shape; // [1, 2, 6, 6]
 */
export class CircularPad2d extends PadBase {
  constructor(padding: Padding) {
    super('CircularPad2d', 2, 'circular', padding);
  }
}

/**
 * A frame of one value around (N, C, D, H, W) or (C, D, H, W): {@link pad} as a module. PyTorch's `nn.ConstantPad3d`.
 */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: Padding, value: number) {
    super('ConstantPad3d', 3, padding, value);
  }
}

/**
 * A frame of zeros around (N, C, D, H, W) or (C, D, H, W): {@link pad} as a module. PyTorch's `nn.ZeroPad3d`.
 */
export class ZeroPad3d extends ConstantPad {
  constructor(padding: Padding) {
    super('ZeroPad3d', 3, padding, 0);
  }
}

/**
 * A frame of the elements mirrored at the edge, which is not repeated, around (N, C, D, H, W) or (C, D, H, W): {@link pad} as a module. PyTorch's `nn.ReflectionPad3d`.
 */
export class ReflectionPad3d extends PadBase {
  constructor(padding: Padding) {
    super('ReflectionPad3d', 3, 'reflect', padding);
  }
}

/**
 * A frame that repeats the edge of (N, C, D, H, W) or (C, D, H, W): {@link pad} as a module. PyTorch's `nn.ReplicationPad3d`.
 */
export class ReplicationPad3d extends PadBase {
  constructor(padding: Padding) {
    super('ReplicationPad3d', 3, 'replicate', padding);
  }
}

/**
 * A frame that goes on at the other end of (N, C, D, H, W) or (C, D, H, W): {@link pad} as a module. PyTorch's `nn.CircularPad3d`.
 */
export class CircularPad3d extends PadBase {
  constructor(padding: Padding) {
    super('CircularPad3d', 3, 'circular', padding);
  }
}
