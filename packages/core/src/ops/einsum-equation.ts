// The language of einsum: an equation read into one label per axis of every operand, and of the result.

import { ArgumentError, formatShape, ShapeError } from '../errors.ts';
import type { Shape } from '../shape.ts';

/** An axis: a letter of the equation, or '.1', '.2', … for what an ellipsis stands for, counted from the right. */
export type Label = string;

/** An equation, read beside the shapes of its operands. */
export interface Equation {
  /** Per operand, the labels of its axes. */
  readonly operands: readonly (readonly Label[])[];
  /** The labels of the result's axes. */
  readonly result: readonly Label[];
}

/** One operand's letters left and right of its ellipsis; `after` is null where there is none. */
interface Term {
  readonly before: string;
  readonly after: string | null;
}

/**
 * Reads an equation such as `'bij,bjk->bik'`, as PyTorch and NumPy do.
 *
 * @throws ArgumentError for an equation that is not well formed; ShapeError if it does not fit the operands.
 */
export function readEquation(equation: string, shapes: readonly Shape[]): Equation {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  if (more.length > 0) throw malformed(equation, "has more than one '->'");
  const terms = left.split(',').map((part) => readTerm(equation, part));
  if (terms.length !== shapes.length) {
    throw new ArgumentError(
      `the equation '${equation}' names ${terms.length} operands, and ${shapes.length} are given; give as many as it names.`,
      { op: 'einsum', operand: 'equation', actual: shapes.length, expected: `${terms.length} operands` },
    );
  }
  const operands = terms.map((term, i) => labelAxes(equation, term, shapes[i], i));
  const hidden = Math.max(0, ...operands.map((labels) => labels.filter((label) => label[0] === '.').length));
  const result =
    right === undefined ? impliedResult(left, hidden) : readResult(equation, right, left, hidden);
  return { operands, result };
}

function readTerm(equation: string, part: string): Term {
  const [before, after, ...more] = part.split('...');
  const wrong = [before, after ?? ''].join('').match(/[^a-zA-Z]/);
  if (wrong !== null)
    throw malformed(equation, `has '${wrong[0]}', which is neither a letter nor part of '...'`);
  if (more.length > 0) throw malformed(equation, `has two ellipses in '${part}'`);
  return { before, after: after ?? null };
}

function labelAxes(equation: string, { before, after }: Term, shape: Shape, operand: number): Label[] {
  const named = before.length + (after ?? '').length;
  if (after === null ? named !== shape.length : named > shape.length) {
    throw new ShapeError(
      `operand ${operand} has shape ${formatShape(shape)}, and '${equation}' names ${named} axes of it; name each axis, or stand '...' for the rest.`,
      { op: 'einsum', operand: `operands[${operand}]`, actual: shape, expected: `${named} axes` },
    );
  }
  return [...before, ...ellipsis(shape.length - named), ...(after ?? '')];
}

function ellipsis(count: number): Label[] {
  return Array.from({ length: count }, (_, i) => `.${count - i}`);
}

// Without '->' the result has what the ellipses stand for, then every letter that occurs once, in alphabetical order.
function impliedResult(left: string, hidden: number): Label[] {
  const letters = [...left].filter((c) => /[a-zA-Z]/.test(c));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...ellipsis(hidden), ...once.sort()];
}

function readResult(equation: string, right: string, left: string, hidden: number): Label[] {
  const { before, after } = readTerm(equation, right);
  const letters = [...before, ...(after ?? '')];
  const twice = letters.find((letter, i) => letters.indexOf(letter) !== i);
  if (twice !== undefined) throw malformed(equation, `has '${twice}' twice in the result`);
  const unknown = letters.find((letter) => !left.includes(letter));
  if (unknown !== undefined) throw malformed(equation, `has '${unknown}' in the result and in no operand`);
  return [...before, ...(after === null ? [] : ellipsis(hidden)), ...(after ?? '')];
}

function malformed(equation: string, what: string): ArgumentError {
  return new ArgumentError(
    `the equation '${equation}' ${what}; write it as 'ij,jk->ik': letters and '...' per operand, commas, and an arrow.`,
    { op: 'einsum', operand: 'equation', actual: equation, expected: 'such as ij,jk->ik' },
  );
}
