// What is written about an op: its shape rule, its forward rule or view, and its derivative rules, in one record.
//
// Every tool reads these records: the tape, backward, gradient checks, forward mode, graph, docs and tests.

import type { NumericArray, Strided } from '@adjoint/kernels-cpu';
import type { DType } from './dtype.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** What a shape rule sees of an operand: everything but its values. */
export interface OperandSpec {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly isNumber: boolean;
}

/** What a shape rule says of the result. Written out in this order, and not by spreading another: each other form slows every op down. */
export interface ResultSpec {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The type that operands named in `promotes` are converted to before the forward rule sees them. */
  readonly compute?: DType;
  /** What the forward rule keeps for the derivative rules, in the order of `keeps`. */
  readonly kept?: readonly KeptSpec[];
}

/** The layout of a view: the operand's own array, seen otherwise. */
export interface ViewSpec {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** What a shape rule says of a tensor that the forward rule keeps beside its result (such as the indices of a max). */
export interface KeptSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What a derivative rule knows besides the tensors it asked for. */
export interface RuleContext<Attrs> {
  readonly attrs: Attrs;
  /**
   * What the rule of an earlier operand came by on its way, for the rules of those after it, which need not compute it again. Rules run
   * in the order of operands, and not for operands that need no gradient: nothing is there then, and nothing may hang on it but time.
   * What a rule leaves of its own it holds (tape/recycling.ts), and the pass drops it.
   */
  byproducts?: readonly Tensor[] | null;
}

/** How the cotangent of one operand follows from that of the result; made by `vjpRule`. */
export interface VjpRule<Attrs> {
  /** Names of the operands (or 'output', or names in `keeps`) that the rule reads; only these are saved. */
  readonly saves: readonly string[];
  readonly rule: (
    cotangent: Tensor,
    saved: readonly Tensor[],
    context: RuleContext<Attrs>,
    index: number,
  ) => Tensor;
}

/** Says why an operand has no gradient, and what to use in its place; made by `noGradient`. */
export interface NoGradient {
  readonly reason: string;
}

/**
 * Forward mode of an op:
 * - `linear`: linear in all differentiable operands together, so the tangent is the op applied to the tangents;
 * - `multilinear`: linear in each differentiable operand by itself, so the tangent is a sum of one op per operand;
 * - `elementwise`: a diagonal derivative, so the vjp rule applied to the tangent is the jvp;
 * - or a rule of its own.
 */
export type ForwardMode<Attrs, Names extends readonly string[] = readonly string[]> =
  | 'linear'
  | 'multilinear'
  | 'elementwise'
  | ((
      tangents: PerOperand<Names, Tensor | null>,
      operands: PerOperand<Names, Tensor>,
      output: Tensor,
      context: RuleContext<Attrs>,
    ) => Tensor);

/** One `T` per operand name, and any number of them where the last name starts with '...': destructuring needs no check then. */
export type PerOperand<Names extends readonly string[], T> = Names extends readonly [
  ...infer Named extends readonly string[],
  `...${string}`,
]
  ? readonly [...{ [K in keyof Named]: T }, ...T[]]
  : { readonly [K in keyof Names]: T };

interface OpBase<Names extends readonly string[], Attrs> {
  /** The op's name, in the spelling of its public function. */
  readonly name: string;
  /** Operand names in order. A last name that starts with '...' stands for any number of operands under one rule. */
  readonly operands: Names;
  /** Shape and dtype of the result. All validation lives here, so that a bad call fails before any work. */
  readonly infer: (operands: PerOperand<Names, OperandSpec>, attrs: Attrs) => ResultSpec;
  /** One derivative rule per operand, in terms of ops; or the reason why there is none. */
  readonly vjps: { readonly [K in keyof Names]: VjpRule<Attrs> | NoGradient };
  readonly forwardMode: ForwardMode<Attrs, Names> | NoGradient;
  /** Floating-point operations that it takes. Default: one per element of the result, none for a view. */
  readonly flops?: (operands: PerOperand<Names, OperandSpec>, attrs: Attrs, result: ResultSpec) => number;
  /**
   * A promise: the forward rule overwrites all of `out` and `kept`, which then hold anything, for nobody zeroes them; and no rule keeps a
   * tensor or array that it was handed or made beyond its call, so that arrays that only backward saw are used again. Default
   * false.
   */
  readonly recycles?: boolean;
}

/** An op that computes: its forward rule fills an array. */
export interface ComputeOpRecord<Names extends readonly string[], Attrs> extends OpBase<Names, Attrs> {
  /**
   * Computes the result into `out`, which is contiguous, zeroed (unless the op `recycles`), of the result's `shape` and of the
   * type it computes in. Fills the arrays of `kept`, which are like it, with what the op `keeps`; null where nobody will read that, and
   * the result must then be the same to the last bit.
   */
  readonly forward: (
    operands: PerOperand<Names, Strided>,
    out: NumericArray,
    attrs: Attrs,
    shape: Shape,
    kept: readonly NumericArray[] | null,
  ) => void;
  /** 'contiguous' (default): operands come row-major, `data` holding exactly their elements. 'strided': as they are. */
  readonly layout?: 'contiguous' | 'strided';
  /** How 16-bit floats come and go: as float32 'numbers' (default), or as the 'bits' that are stored. */
  readonly halves?: 'numbers' | 'bits';
  /** Operands that are converted to the type the shape rule names as `compute`; all by default. */
  readonly promotes?: readonly Names[number][];
  /** Whether operands broadcast; the cotangent is then summed back to the operand's shape, centrally. */
  readonly broadcasts?: boolean;
  /** Names of what the forward rule keeps for the derivative rules; the shape rule gives shape and dtype of each. */
  readonly keeps?: readonly string[];
}

/** An op that moves nothing: its result is its first operand's array under another shape or strides. */
export interface ViewOpRecord<Names extends readonly string[], Attrs> extends OpBase<Names, Attrs> {
  /** The strides and offset of the result, whose shape the shape rule gives. */
  readonly view: (operand: Strided, attrs: Attrs, shape: Shape) => ViewSpec;
  /**
   * Whether the result is a cut: some of the operand's elements, none of them twice. Where backward adds up cotangents in an array of
   * its own, it then adds that of a cut to the elements it was cut from, in place of what the derivative rule gives, which is zeros
   * beside them. Default false.
   */
  readonly cuts?: boolean;
}
