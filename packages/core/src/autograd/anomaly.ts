// Anomaly detection: stops at the first op, forward or backward, whose result holds NaN or infinity, and says all about it.

import { requireOneOf } from '../arguments.ts';
import { type DType, isFloat } from '../dtype.ts';
import { AdjointError, ArgumentError, formatShape, requireFunction } from '../errors.ts';
import { noOptions, requireOptions } from '../options.ts';
import { indexOf, type Shape } from '../shape.ts';
import type { Node } from '../tape/node.ts';
import { type Observer, type OpRun, observe } from '../tape/observer.ts';
import type { Tensor } from '../tensor.ts';
import { callSite, withDeepStacks } from './call-site.ts';

/** Options of {@link detectAnomaly}. */
export interface AnomalyOptions {
  /** Whether infinity counts as NaN does; 'allow' where infinities are meant, as in masks. Default 'report'. */
  readonly infinity?: 'report' | 'allow' | undefined;
}

/** What an operand held when an op went wrong. */
export interface OperandRange {
  /** The operand's name in the op's record. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** Its dtype. */
  readonly dtype: DType;
  /** Least and largest finite value; NaN if there is none. */
  readonly min: number;
  /** Its greatest finite value; NaN if there is none. */
  readonly max: number;
  /** How many of its elements are NaN. */
  readonly nans: number;
  /** How many of its elements are infinite. */
  readonly infinities: number;
}

/** The first NaN or infinity under {@link detectAnomaly}. */
export class AnomalyError extends AdjointError {
  override readonly name = 'AnomalyError';
  /** Whether an op of the function itself went wrong, or one in a derivative rule. */
  readonly phase: 'forward' | 'backward';
  /** The op whose result it is. In backward, `op` is the op whose rule ran, and this the one inside the rule. */
  readonly culprit: string;
  /** The element itself: NaN, or an infinity. */
  readonly value: number;
  /** Index of the first such element in the result. */
  readonly index: readonly number[];
  /** What the operands of `culprit` held. */
  readonly operands: readonly OperandRange[];
  /** The line of user code that ran `op`, as the engine writes it; null where that was before detectAnomaly. */
  readonly callSite: string | null;

  constructor(message: string, details: AnomalyDetails) {
    super(message, { op: details.op, actual: details.value, expected: 'finite values' });
    this.phase = details.phase;
    this.culprit = details.culprit;
    this.value = details.value;
    this.index = details.index;
    this.operands = details.operands;
    this.callSite = details.callSite;
  }
}

type AnomalyDetails = Pick<
  AnomalyError,
  'op' | 'phase' | 'culprit' | 'value' | 'index' | 'operands' | 'callSite'
>;

/**
 * Runs `fn` and throws at the first op, forward or backward, whose result holds NaN or infinity. Slow: every result is
 * looked at. PyTorch's `torch.autograd.detect_anomaly`.
 *
 * Run the forward pass in it as well as the backward pass, so that errors of backward can name the line that ran the op.
 * Backward passes with `createGraph`, and passes through their results, are watched too.
 *
 * @returns what `fn` returns.
 * @throws AnomalyError; ArgumentError if `fn` is asynchronous.
 * @example
 * const x = tensor([4, 0], { requiresGrad: true });
 * const root = detectAnomaly(() => sqrt(x)); // fine, but its derivative at 0 is not
 * root.toArray(); // [2, 0]
 */
export function detectAnomaly<T>(fn: () => T, options: AnomalyOptions = noOptions): T {
  requireOptions('detectAnomaly', options, { infinity: 'string' });
  const { infinity = 'report' } = options;
  requireOneOf('detectAnomaly', 'infinity', infinity, ['report', 'allow']);
  requireFunction('detectAnomaly', 'fn', fn, 'detectAnomaly(() => …)');
  const watch = new Watch(infinity === 'allow' ? Number.isNaN : (value) => !Number.isFinite(value));
  const result = withDeepStacks(() => observe(watch, fn));
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new ArgumentError(
      'the function returned a promise; pass a synchronous function and await outside of it.',
      {
        op: 'detectAnomaly',
        operand: 'fn',
        actual: 'an asynchronous function',
        expected: 'a synchronous function',
      },
    );
  }
  return result;
}

/** Where the node of an op comes from. */
interface Origin {
  readonly site: string | null;
  /** For an op that a derivative rule ran: which rule. */
  readonly within: string | null;
}

class Watch implements Observer {
  private readonly isAnomaly: (value: number) => boolean;
  private readonly origins = new WeakMap<Node, Origin>();
  private readonly rules: { readonly node: Node; readonly index: number }[] = [];

  constructor(isAnomaly: (value: number) => boolean) {
    this.isAnomaly = isAnomaly;
  }

  opRan(run: OpRun): void {
    if (!isFloat(run.output.dtype)) return;
    const rule = this.rules.at(-1);
    const { node } = run.output;
    const found = this.find(run.output);
    if (found === null) {
      if (node !== null) this.origins.set(node, this.originNow());
      return;
    }
    throw rule === undefined ? this.forwardError(run, found) : this.backwardError(run, found, rule);
  }

  ruleStarts(node: Node, index: number): void {
    this.rules.push({ node, index });
  }

  ruleEnds(): void {
    this.rules.pop();
  }

  private originNow(): Origin {
    const rule = this.rules.at(-1);
    if (rule === undefined) return { site: callSite(), within: null };
    const outer = this.originOf(rule.node);
    return { site: outer.site, within: `${ruleName(rule.node, rule.index)}${this.suffix(outer)}` };
  }

  private originOf(node: Node): Origin {
    return this.origins.get(node) ?? { site: null, within: null };
  }

  private find(tensor: Tensor): { readonly value: number; readonly index: number[] } | null {
    const values = tensor.toTypedArray();
    const at = values.findIndex(this.isAnomaly);
    if (at < 0) return null;
    return { value: values[at], index: indexOf(at, tensor.shape) };
  }

  private forwardError(run: OpRun, { value, index }: { value: number; index: number[] }): AnomalyError {
    const operands = rangesOf(run);
    const site = callSite();
    return new AnomalyError(
      `its result of shape ${formatShape(run.output.shape)} holds ${value} at ${at(index)}. ${inWords(operands)}${called(site)}`,
      {
        op: run.op.name,
        phase: 'forward',
        culprit: run.op.name,
        value,
        index,
        operands,
        callSite: site,
      },
    );
  }

  private backwardError(
    run: OpRun,
    { value, index }: { value: number; index: number[] },
    { node, index: operand }: { readonly node: Node; readonly index: number },
  ): AnomalyError {
    const operands = rangesOf(run);
    const origin = this.originOf(node);
    return new AnomalyError(
      `${ruleName(node, operand)} computed ${value} at ${at(index)}, in '${run.op.name}'. ${inWords(operands)}${this.suffix(origin)}${called(origin.site)}`,
      {
        op: node.op!.name,
        phase: 'backward',
        culprit: run.op.name,
        value,
        index,
        operands,
        callSite: origin.site,
      },
    );
  }

  private suffix({ within }: Origin): string {
    return within === null ? '' : ` (an op of ${within})`;
  }
}

function ruleName(node: Node, index: number): string {
  return `the derivative rule of operand ${node.op!.operandName(index)} of '${node.op!.name}'`;
}

function rangesOf({ op, operands }: OpRun): OperandRange[] {
  return operands.map((operand, i) => {
    const values = operand.toTypedArray();
    const range = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, nans: 0, infinities: 0 };
    for (const value of values) {
      if (Number.isNaN(value)) range.nans++;
      else if (!Number.isFinite(value)) range.infinities++;
      else {
        range.min = Math.min(range.min, value);
        range.max = Math.max(range.max, value);
      }
    }
    if (range.min > range.max) {
      range.min = Number.NaN;
      range.max = Number.NaN;
    }
    return { name: op.operandName(i), shape: operand.shape, dtype: operand.dtype, ...range };
  });
}

function inWords(operands: readonly OperandRange[]): string {
  const parts = operands.map(({ name, shape, dtype, min, max, nans, infinities }) => {
    const ill = [nans > 0 ? `${nans} NaN` : '', infinities > 0 ? `${infinities} infinite` : '']
      .filter((text) => text !== '')
      .join(', ');
    const range = Number.isNaN(min) ? 'no finite values' : `from ${min} to ${max}`;
    const cause = ill === '' ? '' : `, and ${ill}, which came in from outside`;
    return `operand ${name} ${formatShape(shape)} ${dtype}: ${range}${cause}`;
  });
  return `Operands: ${parts.join('; ')}.`;
}

function at(index: readonly number[]): string {
  return `[${index.join(', ')}]`;
}

function called(site: string | null): string {
  return site === null ? '' : ` Called from ${site}.`;
}
