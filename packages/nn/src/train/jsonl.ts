// JSONL: one JSON object a line, as a log of what training told.

import { DataFormatError, requireArgument, requireOptions } from '@adjoint/core';

/**
 * One line of a log, with its line feed. JSON has no NaN and no infinities: they become the strings 'NaN', 'Infinity' and
 * '-Infinity', rather than null. Typed arrays are written as arrays.
 *
 * @example
 * toJsonl({ step: 1, loss: NaN }).trim(); // '{"step":1,"loss":"NaN"}'
 */
export function toJsonl(record: Readonly<Record<string, unknown>>): string {
  requireArgument('toJsonl', 'record', record, Object);
  const text = JSON.stringify(record, (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    // JSON makes objects with numbers as keys of these.
    return ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  });
  return `${text}\n`;
}

/**
 * The records of a log. A last line without a line feed was cut off as it was written, and is left out.
 *
 * @throws DataFormatError for a line that is no JSON object.
 * @example
 * parseJsonl('{"step":1}\n{"step":2}\n{"st').length; // 2
 */
export function parseJsonl(
  text: string,
  options: { readonly name?: string | undefined } = {},
): Record<string, unknown>[] {
  requireOptions('parseJsonl', options, { name: 'string' });
  requireArgument('parseJsonl', 'text', text, 'string');
  const { name = 'JSONL data' } = options;
  const records: Record<string, unknown>[] = [];
  let at = 0;
  const encoder = new TextEncoder();
  for (let end = text.indexOf('\n'); end >= 0; at = end + 1, end = text.indexOf('\n', at)) {
    const record = parseLine(text.slice(at, end));
    if (record === null) {
      throw new DataFormatError({
        op: 'parseJsonl',
        file: name,
        offset: encoder.encode(text.slice(0, at)).length,
        expected: 'a JSON object on a line of its own',
        actual: JSON.stringify(text.slice(at, Math.min(end, at + 40))),
      });
    }
    records.push(record);
  }
  return records;
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
