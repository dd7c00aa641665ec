// What can be wrong with a data file: its bytes (DataFormatError) or its place (DataFileError).

import { AdjointError } from '@adjoint/core/errors';

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
  readonly remedy?: string;
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
 *   parseIdx(bytes, { name: 'labels.idx' });
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

/**
 * A data file is not where it was looked for, or cannot be read from there.
 *
 * `directory` and `tried` say where and under which names; `cause` holds the error of the file system, if there
 * was one.
 */
export class DataFileError extends AdjointError {
  override readonly name = 'DataFileError';
  readonly directory: string;
  readonly tried: readonly string[];

  constructor(
    sentence: string,
    place: { readonly op: string; readonly directory: string; readonly tried: readonly string[] },
    options?: ErrorOptions,
  ) {
    super(sentence, { op: place.op, operand: place.directory });
    if (options?.cause !== undefined) this.cause = options.cause;
    this.directory = place.directory;
    this.tried = place.tried;
  }
}
