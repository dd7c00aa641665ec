// How readers of files say what is wrong: at which byte, what the format wants there, and what is there instead.

import { DataFormatError } from '../errors.ts';

/** Makes the error for a flaw at a byte of a file. */
export type Complain = (offset: number, expected: string, actual: string, remedy?: string) => DataFormatError;

/** The flaws that `op` finds in a file of this name. */
export function complaintsOf(op: string, file: string): Complain {
  return (offset, expected, actual, remedy) =>
    new DataFormatError({ op, file, offset, expected, actual, remedy });
}

/** The flaw of a file that ends too soon. */
export function cutOff(complain: Complain, { length }: Uint8Array, expected: string): DataFormatError {
  return complain(
    length,
    expected,
    `the end of the file after ${length} bytes`,
    'The file is cut off: fetch it again.',
  );
}

/** Throws unless the file ends at the byte `end`: what it is to have until there, and what comes last there. */
export function requireEnd(
  complain: Complain,
  bytes: Uint8Array,
  end: number,
  whole: string,
  last: string,
): void {
  if (bytes.length < end) throw cutOff(complain, bytes, whole);
  if (bytes.length === end) return;
  throw complain(
    end,
    `the end of the file, after ${last}`,
    `${bytes.length - end} more bytes`,
    'The header is wrong, or something was appended to the file.',
  );
}

/** A text in quotes, as long as a message can bear. */
export function quote(text: string): string {
  return shorten(JSON.stringify(text));
}

/** A name or a shape may be as long as a header; a message need not. */
export function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
