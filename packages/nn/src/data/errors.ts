// What can be wrong with a data file: its place (DataFileError), or its bytes (DataFormatError, which core shares).

import { AdjointError, DataFormatError } from '@adjoint/core/errors';

export { type DataFault, DataFormatError } from '@adjoint/core/errors';

/**
 * A data file is not where it was looked for, or cannot be read from there.
 *
 * `directory` and `tried` say where and under which names; `cause` holds the error of the file system, if there
 * was one.
 */
export class DataFileError extends AdjointError {
  override readonly name = 'DataFileError';
  /** Where it was looked for. */
  readonly directory: string;
  /** The names under which it was looked for. */
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

/** Makes the error for a flaw at a byte of a file. */
export type Complain = (offset: number, expected: string, actual: string, remedy?: string) => DataFormatError;

/** The flaws that `op` finds in a file of this name. */
export function complaintsOf(op: string, file: string): Complain {
  return (offset, expected, actual, remedy) =>
    new DataFormatError({ op, file, offset, expected, actual, remedy });
}
