// What readers of files say of bytes that break a format, for the tests of all of them: the file, the byte, what belongs there, and what is there.

import { DataFormatError } from '@adjoint/core/errors';
import { expect } from 'vitest';

/** The fault that a reader threw, which says in its message what its fields say, in few words. What else was thrown is thrown on. */
export function faultThrown(error: unknown): DataFormatError {
  if (!(error instanceof DataFormatError)) throw error;
  expect(error.message).toContain(
    `${error.file}, byte ${error.offset}: expected ${error.expected}, found ${error.actual}.`,
  );
  expect(error.offset).toBeGreaterThanOrEqual(0);
  expect(error.message.length).toBeLessThan(1000);
  return error;
}

/** As {@link faultThrown}, of a file with these bytes. */
export function faultIn(bytes: Uint8Array, name: string, error: unknown): DataFormatError {
  const fault = faultThrown(error);
  expect(fault.file).toBe(name);
  expect(fault.offset).toBeLessThanOrEqual(bytes.length);
  return fault;
}

/** The fault that an outcome is; fails on a file that was accepted. */
export function refused(outcome: object): DataFormatError {
  if (!(outcome instanceof DataFormatError)) throw new Error('the file was accepted');
  return outcome;
}
