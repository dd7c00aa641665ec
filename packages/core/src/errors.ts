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
  /** The op or function that was called, in the spelling of the API. */
  readonly op: string;
  /** The operand or option that is wrong, where one can be named. */
  readonly operand: string | undefined;
  /** What was given. Not among the fields that are listed where it is an object. */
  declare readonly actual: unknown;
  /** What would have been right, in words. */
  readonly expected: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(`${nameOf(details.op)}: ${message}`);
    this.op = details.op;
    this.operand = details.operand;
    // Node prints an error that nobody caught with all its fields, and a tensor among them as its storage: pages under the sentence.
    Object.defineProperty(this, 'actual', {
      value: details.actual,
      enumerable: isShort(details.actual),
      configurable: true,
      writable: true,
    });
    this.expected = details.expected;
  }
}

function isShort(value: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((item) => (typeof item !== 'object' || item === null) && typeof item !== 'function');
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

/** Something that a traced function did and that a graph cannot hold, such as reading the value of a tensor. */
export class TraceError extends AdjointError {
  override readonly name = 'TraceError';
}

/** A tensor that a graph saved for its backward pass was changed in place before that pass ran. */
export class MutationError extends AdjointError {
  override readonly name = 'MutationError';
}

/** The error for what stands in the place of a tensor and is none. */
export function noTensor(op: string, operand: string, value: unknown): ArgumentError {
  const remedy =
    value === undefined ? 'a function that does not return gives undefined' : 'make one with tensor(…)';
  return new ArgumentError(`${nameOf(operand)} is ${describeValue(value)}; give a tensor (${remedy}).`, {
    op,
    operand,
    actual: value,
    expected: 'a tensor',
  });
}

/** What {@link DataFormatError} is made of. */
export interface DataFault {
  /** The function that was called. */
  readonly op: string;
  /** The file, as the caller named it. */
  readonly file: string;
  /** Where in the file, counted in bytes from 0. */
  readonly offset: number;
  /** What the format asks for there. */
  readonly expected: string;
  /** What is there. */
  readonly actual: string;
  /** What to do about it, where there is something to do. */
  readonly remedy?: string | undefined;
}

/**
 * The bytes of a data file break its format.
 *
 * The message names the file and the byte, says what was expected there and what was found; the same facts are
 * fields, for programs.
 *
 * @example
 * ```ts
 * try {
 *   parseSafetensors(bytes, { name: 'weights.safetensors' });
 * } catch (error) {
 *   if (error instanceof DataFormatError) console.error(error.file, error.offset, error.expected, error.actual);
 * }
 * ```
 */
export class DataFormatError extends AdjointError {
  override readonly name = 'DataFormatError';
  /** The file, as the caller named it. */
  readonly file: string;
  /** Where in the file, counted in bytes from 0. */
  readonly offset: number;
  declare readonly expected: string;
  declare readonly actual: string;

  constructor(fault: DataFault, options?: ErrorOptions) {
    const { op, file, offset, expected, actual, remedy } = fault;
    const sentence = `${file}, byte ${offset}: expected ${expected}, found ${actual}.`;
    super(remedy === undefined ? sentence : `${sentence} ${remedy}`, { op, operand: file, expected, actual });
    if (options?.cause !== undefined) this.cause = options.cause;
    this.file = file;
    this.offset = offset;
  }
}

/** Throws unless `value` is a function. @throws ArgumentError that shows how to give one. */
export function requireFunction(op: string, operand: string, value: unknown, example = `(x) => …`): void {
  if (typeof value === 'function') return;
  throw new ArgumentError(`${nameOf(operand)} is ${quote(value)}; give a function: ${example}.`, {
    op,
    operand,
    actual: value,
    expected: 'a function',
  });
}

// Functions of users' own name their operands, too.
function nameOf(operand: unknown): string {
  return typeof operand === 'string' ? operand : quote(operand);
}

/** Any value as a message quotes it. Never throws, whatever the value: it stands in messages about what was not expected. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value))
    return value.length > 8 ? `an array of ${value.length}` : `[${Array.from(value, quote).join(',')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const name = (value as { readonly constructor?: { readonly name?: unknown } }).constructor?.name;
  if (typeof name !== 'string' || name === 'Object') return 'an object';
  // A Uint8Array begins with no vowel.
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** What a value is, where a message is about something else in its place: a list by its length, a function by its name, all else quoted. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'function') return quote(value);
  return typeof value.name === 'string' && value.name !== '' ? `the function ${value.name}` : 'a function';
}

/** Writes a shape as a tuple, as NumPy does: `(2, 3)`, `(4,)`, `()`. */
export function formatShape(shape: readonly number[]): string {
  if (!Array.isArray(shape)) return quote(shape);
  const sizes = Array.from(shape, quote);
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}
