// Errors: every complaint of the framework is a class with fields and a sentence that a user can act on.

/** What an error knows beyond its sentence. */
export interface ErrorDetails {
  /** The op or function that was called, in the spelling of the API. */
  readonly op: string;
  /** The operand or option that is wrong, where one can be named. */
  readonly operand?: string;
  /** What was given. */
  readonly actual?: unknown;
  /** What would have been right. */
  readonly expected?: string;
}

/** The base of every error that Adjoint's tensors, ops and modules throw on purpose. */
export class AdjointError extends Error {
  override readonly name: string = 'AdjointError';
  readonly op: string;
  readonly operand: string | undefined;
  readonly actual: unknown;
  readonly expected: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(`${details.op}: ${message}`);
    this.op = details.op;
    this.operand = details.operand;
    this.actual = details.actual;
    this.expected = details.expected;
  }
}

/** Shapes that do not fit the op or each other. */
export class ShapeError extends AdjointError {
  override readonly name = 'ShapeError';
}

/** An element type that the op does not take, or does not take together with the others. */
export class DTypeError extends AdjointError {
  override readonly name = 'DTypeError';
}

/** An option or a value outside what the op defines (a number, an axis, an index, a name). */
export class ArgumentError extends AdjointError {
  override readonly name = 'ArgumentError';
}

/** A derivative that was asked for and does not exist: no rule, no path, or a graph that is gone. */
export class GradientError extends AdjointError {
  override readonly name = 'GradientError';
}

/** A tensor that a graph saved for its backward pass was changed in place before that pass ran. */
export class MutationError extends AdjointError {
  override readonly name = 'MutationError';
}

/** Writes a shape as a tuple, as NumPy does: `(2, 3)`, `(4,)`, `()`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}
