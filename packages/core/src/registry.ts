// What an op is: its record as the framework holds it, with what can be worked out from it once.
//
// Built-in ops and users' own ops are made by the same function, `defineOp`.

import { AdjointError, ArgumentError, quote } from './errors.ts';
import type {
  ComputeOpRecord,
  ForwardMode,
  NoGradient,
  OperandSpec,
  ResultSpec,
  RuleContext,
  ViewOpRecord,
  VjpRule,
} from './record.ts';
import { sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

const onePerElement = (_operands: readonly OperandSpec[], _attrs: unknown, { shape }: ResultSpec): number =>
  sizeOf(shape);

/** Whether a rule is in truth the reason for not having one. */
export function isNoGradient(rule: object): rule is NoGradient {
  return 'reason' in rule;
}

/** An op as the framework holds it: the record, and what can be worked out from it once. */
export class Op<Attrs> {
  /** The op's name, in the spelling of its public function. */
  readonly name: string;
  /** Operand names in order; a last name that starts with '...' stands for any number. */
  readonly operands: readonly string[];
  /** The shape rule: all validation, and shape and dtype of the result. */
  readonly infer: (operands: readonly OperandSpec[], attrs: Attrs) => ResultSpec;
  /** One derivative rule per operand name, or the reason why there is none. */
  readonly vjps: readonly (VjpRule<Attrs> | NoGradient)[];
  /** How tangents pass through, or the reason why they do not. */
  readonly forwardMode: ForwardMode<Attrs> | NoGradient;
  /** Floating-point operations that it takes. */
  readonly flops: (operands: readonly OperandSpec[], attrs: Attrs, result: ResultSpec) => number;
  /** Fills the result's array; null for a view. */
  readonly forward: ComputeOpRecord<readonly string[], Attrs>['forward'] | null;
  /** The strides and offset of the result; null for an op that computes. */
  readonly view: ViewOpRecord<readonly string[], Attrs>['view'] | null;
  /** The view, if it is a cut. */
  readonly cut: ViewOpRecord<readonly string[], Attrs>['view'] | null;
  /** Whether operands come as they lie in memory, rather than row-major. */
  readonly strided: boolean;
  /** Whether 16-bit floats come and go as the bits that are stored. */
  readonly bits: boolean;
  /** Whether operands broadcast. */
  readonly broadcasts: boolean;
  /** Names of what the forward rule keeps for the derivative rules. */
  readonly keeps: readonly string[];
  /** Whether it overwrites all of its arrays, and its rules keep none; see its record. */
  readonly recycles: boolean;
  /** Whether the last operand stands for any number of them. */
  readonly variadic: boolean;
  private readonly promoted: readonly boolean[];
  /** Per operand, the slots of saved tensors that its rule reads. */
  readonly slots: readonly (readonly number[])[];
  private readonly keptReaders: readonly boolean[];

  constructor(record: ComputeOpRecord<readonly string[], Attrs> | ViewOpRecord<readonly string[], Attrs>) {
    const compute = 'forward' in record ? record : null;
    this.name = record.name;
    this.operands = record.operands;
    this.infer = record.infer;
    this.vjps = record.vjps;
    this.forwardMode = record.forwardMode;
    this.flops = record.flops ?? (compute === null ? () => 0 : onePerElement);
    this.forward = compute === null ? null : compute.forward;
    this.view = 'view' in record ? record.view : null;
    this.cut = 'view' in record && record.cuts === true ? record.view : null;
    this.strided = compute !== null && compute.layout === 'strided';
    this.bits = compute !== null && compute.halves === 'bits';
    this.broadcasts = compute !== null && compute.broadcasts === true;
    this.keeps = compute?.keeps ?? [];
    this.recycles = record.recycles === true;
    this.variadic = record.operands.at(-1)?.startsWith('...') ?? false;
    this.promoted = record.operands.map((name) => compute?.promotes?.includes(name) ?? true);
    this.slots = record.vjps.map((rule) =>
      isNoGradient(rule) ? [] : rule.saves.map((name) => this.slotOf(name)),
    );
    const firstKept = record.operands.length + 1;
    this.keptReaders = this.slots.map((slots) => slots.some((slot) => slot >= firstKept));
    if (record.vjps.length !== record.operands.length) {
      throw new AdjointError(
        `there are ${record.vjps.length} derivative rules for ${record.operands.length} operands; give one per operand, or noGradient(why).`,
        {
          op: record.name,
          operand: 'vjps',
          actual: record.vjps.length,
          expected: String(record.operands.length),
        },
      );
    }
  }

  /** Whether operand `index` is converted to the `compute` type. */
  promotes(index: number): boolean {
    return this.promoted[index < this.promoted.length ? index : this.promoted.length - 1];
  }

  /** The rule of operand `index`, which for a variadic op is the same from the last name on. */
  vjpOf(index: number): VjpRule<Attrs> | NoGradient {
    return this.vjps[index < this.vjps.length ? index : this.vjps.length - 1];
  }

  /** What an operand is called in messages; those of a variadic op by number. */
  operandName(index: number): string {
    const last = this.operands.length - 1;
    return index < last || !this.variadic
      ? `'${this.operands[index]}'`
      : `'${this.operands[last].slice(3)}[${index - last}]'`;
  }

  /** Whether the rule of operand `index` reads what the forward rule kept. */
  readsKept(index: number): boolean {
    return this.keptReaders[index] === true;
  }

  /** What a saved slot is called in messages. */
  slotName(slot: number): string {
    const count = this.operands.length;
    if (slot < count) return `operand '${this.operands[slot]}'`;
    return slot === count ? 'output' : `'${this.keeps[slot - count - 1]}'`;
  }

  private slotOf(name: string): number {
    const operand = this.operands.indexOf(name);
    const kept = this.keeps.indexOf(name);
    if (operand >= 0 && !name.startsWith('...')) return operand;
    if (name === 'output') return this.operands.length;
    if (kept >= 0) return this.operands.length + 1 + kept;
    throw new AdjointError(
      `a derivative rule saves '${name}', which is none of ${[...this.operands, 'output', ...this.keeps].join(', ')}.`,
      { op: this.name, operand: name, expected: 'an operand, output or a kept tensor' },
    );
  }
}

/** An op whose attributes the holder does not look into. */
// biome-ignore lint/suspicious/noExplicitAny: attributes are opaque to the engine, and Op is invariant in them
export type AnyOp = Op<any>;

/**
 * Defines an op from its record: the same function makes the built-in ops and yours.
 *
 * A record without a derivative rule for each operand does not compile; say `noGradient('why; what to use')` where
 * there is none. Rules are written in terms of ops, so derivatives of any order exist. Run the op with `apply`.
 *
 * @example
 * const cubeOp = defineOp({
 *   name: 'cube',
 *   operands: ['x'],
 *   infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
 *   forward: ([x], out) => {
 *     for (let i = 0; i < out.length; i++) out[i] = x.data[i] ** 3;
 *   },
 *   vjps: [vjpRule('x', (g, x) => mul(g, mul(3, square(x))))],
 *   forwardMode: 'elementwise',
 * });
 * const cube = (x: Tensor) => apply(cubeOp, [x], undefined);
 */
export function defineOp<const Names extends readonly string[], Attrs = undefined>(
  record: ComputeOpRecord<Names, Attrs> | ViewOpRecord<Names, Attrs>,
): Op<Attrs> {
  requireRecord(record);
  // The engine sees lists: `apply` has counted the operands before it calls a rule.
  return new Op<Attrs>(record as unknown as ComputeOpRecord<readonly string[], Attrs>);
}

function requireRecord(record: unknown): void {
  const { operands, infer, vjps } = (record ?? {}) as Readonly<Record<string, unknown>>;
  if (Array.isArray(operands) && typeof infer === 'function' && Array.isArray(vjps)) return;
  throw new ArgumentError(
    `the record is ${quote(record)}; it takes an object with name, operands, infer, vjps, forwardMode, and forward or view.`,
    { op: 'defineOp', operand: 'record', actual: record, expected: 'the record of an op' },
  );
}

type Rule1<A> = (g: Tensor, context: RuleContext<A>, index: number) => Tensor;
type Rule2<A> = (g: Tensor, a: Tensor, context: RuleContext<A>, index: number) => Tensor;
type Rule3<A> = (g: Tensor, a: Tensor, b: Tensor, context: RuleContext<A>, index: number) => Tensor;
type Rule4<A> = (
  g: Tensor,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  context: RuleContext<A>,
  index: number,
) => Tensor;
type Rule5<A> = (
  g: Tensor,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  d: Tensor,
  context: RuleContext<A>,
  index: number,
) => Tensor;

/**
 * The derivative rule of one operand. Names come first, the tensors they name are saved and handed to the rule after
 * the cotangent `g`: operands by name, `'output'` for the result, or a name in `keeps`.
 *
 * @example
 * vjps: [vjpRule('b', (g, b) => mul(g, b)), vjpRule('a', (g, a) => mul(g, a))]
 */
export function vjpRule<A>(rule: Rule1<A>): VjpRule<A>;
export function vjpRule<A>(first: string, rule: Rule2<A>): VjpRule<A>;
export function vjpRule<A>(first: string, second: string, rule: Rule3<A>): VjpRule<A>;
export function vjpRule<A>(first: string, second: string, third: string, rule: Rule4<A>): VjpRule<A>;
export function vjpRule<A>(
  first: string,
  second: string,
  third: string,
  fourth: string,
  rule: Rule5<A>,
): VjpRule<A>;
export function vjpRule<A>(...args: unknown[]): VjpRule<A> {
  const saves = args.slice(0, -1) as string[];
  const rule = args.at(-1);
  switch (saves.length) {
    case 0:
      return { saves, rule: (g, _, context, index) => (rule as Rule1<A>)(g, context, index) };
    case 1:
      return { saves, rule: (g, s, context, index) => (rule as Rule2<A>)(g, s[0], context, index) };
    case 2:
      return { saves, rule: (g, s, context, index) => (rule as Rule3<A>)(g, s[0], s[1], context, index) };
    case 3:
      return {
        saves,
        rule: (g, s, context, index) => (rule as Rule4<A>)(g, s[0], s[1], s[2], context, index),
      };
    default:
      return {
        saves,
        rule: (g, s, context, index) => (rule as Rule5<A>)(g, s[0], s[1], s[2], s[3], context, index),
      };
  }
}

/** Declares that an operand has no gradient, why, and what to use in its place; shown when someone asks for it. */
export function noGradient(reason: string): NoGradient {
  return { reason };
}
