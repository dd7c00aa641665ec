// CSV (RFC 4180): fields between delimiters, quoted where they hold one; as text, or as the numbers of a tensor.

import { ArgumentError, requireOptions, type Tensor, tensor } from '@adjoint/core';
import { requireBytes } from '@adjoint/core/io';
import { complaintsOf, DataFormatError } from './errors.ts';

/** Options of {@link parseCsv}. */
export interface ParseCsvOptions {
  /** What to call the file in errors. Default `'CSV data'`. */
  readonly name?: string | undefined;
  /** What stands between fields: one ASCII character other than the quote and line ends. Default `','`. */
  readonly delimiter?: string | undefined;
  /** Whether the first row names the columns. Default true. */
  readonly header?: boolean | undefined;
}

/** A table of text. */
export interface CsvTable {
  /** The names in the first row; null without a header. */
  readonly columns: readonly string[] | null;
  /** All other rows, each of as many fields as the first. */
  readonly rows: readonly (readonly string[])[];
}

/** Options of {@link parseNumericCsv}. */
export interface ParseNumericCsvOptions extends ParseCsvOptions {
  /** The columns to keep, by name or by number from 0, in the order wanted. Default: all. */
  readonly select?: readonly (string | number)[] | undefined;
  /** Default float32. */
  readonly dtype?: 'float32' | 'float64' | 'int32' | undefined;
}

/** A table of numbers. */
export interface NumericTable {
  /** The names of the columns that were kept; null without a header. */
  readonly columns: readonly string[] | null;
  /** Shape (rows, columns). */
  readonly values: Tensor;
}

const csvOptions = { name: 'string', delimiter: 'string', header: 'boolean' } as const;

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

interface Field {
  readonly text: string;
  /** Where it begins in the file. */
  readonly offset: number;
}

/**
 * Read a CSV file as text: RFC 4180, UTF-8 with or without a mark, lines ended by LF or CRLF, the last one or not.
 *
 * Nothing is trimmed and nothing is guessed. Empty lines are refused unless the table has one column, of which they are fields.
 *
 * @throws {@link DataFormatError} for bytes that are not UTF-8, a row with more or fewer fields than the first, a quote that is
 * not closed or stands inside a field, and a file without rows; ArgumentError for a delimiter that is none.
 * @example
 * const bytes = new TextEncoder().encode('name,city\nAda,"London, UK"\n');
 * parseCsv(bytes).rows; // [['Ada', 'London, UK']]
 */
export function parseCsv(bytes: Uint8Array, options: ParseCsvOptions = {}): CsvTable {
  const op = 'parseCsv';
  requireOptions(op, options, csvOptions);
  const { header, body } = parseFields(op, bytes, options);
  return {
    columns: header?.map(({ text }) => text) ?? null,
    rows: body.map((row) => row.map(({ text }) => text)),
  };
}

/**
 * Read a CSV file of numbers, or the columns of it that are.
 *
 * @throws {@link DataFormatError} as {@link parseCsv}, for a field that is no number (an empty one is none; NaN and inf are), for a
 * fraction or an overflow where dtype is int32; ArgumentError for a column that is not there.
 * @example
 * const bytes = new TextEncoder().encode('x,y,label\n1,2.5,a\n3,4,b\n');
 * parseNumericCsv(bytes, { select: ['y', 'x'] }).values.toArray(); // [[2.5, 1], [4, 3]]
 */
export function parseNumericCsv(bytes: Uint8Array, options: ParseNumericCsvOptions = {}): NumericTable {
  const op = 'parseNumericCsv';
  requireOptions(op, options, { ...csvOptions, select: 'list', dtype: 'dtype' });
  const { name: file = 'CSV data', dtype = 'float32', select } = options;
  const { header, body } = parseFields(op, bytes, options);
  const names = header?.map(({ text }) => text) ?? null;
  const width = header?.length ?? body[0].length;
  const picked = (select ?? Array.from({ length: width }, (_, i) => i)).map((column) =>
    columnOf(op, column, names, width),
  );
  const values = new Float64Array(body.length * picked.length);
  let next = 0;
  for (const row of body) {
    for (const column of picked) values[next++] = numberOf(op, file, row[column], dtype);
  }
  return {
    columns: names === null ? null : picked.map((column) => names[column]),
    values: tensor(values, { shape: [body.length, picked.length], dtype }),
  };
}

function columnOf(
  op: string,
  column: string | number,
  names: readonly string[] | null,
  width: number,
): number {
  const at = typeof column === 'number' ? column : (names?.indexOf(column) ?? -1);
  if (Number.isInteger(at) && at >= 0 && at < width) return at;
  const there = names === null ? `0 to ${width - 1} (there is no header)` : names.join(', ');
  throw new ArgumentError(`there is no column ${JSON.stringify(column)}; the table has ${there}.`, {
    op,
    operand: 'select',
    actual: column,
    expected: there,
  });
}

// Written out rather than left to Number(), which takes '', ' ', '0x10' and '1_0'-like surprises in or out as it pleases.
const NUMBER = /^[ \t]*(?:([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([+-]?)(nan|inf|infinity))[ \t]*$/i;

function numberOf(op: string, file: string, { text, offset }: Field, dtype: string): number {
  const wrong = (expected: string): DataFormatError =>
    new DataFormatError({
      op,
      file,
      offset,
      expected,
      actual: JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text),
      remedy: 'Choose the columns of numbers with select, or read the text with parseCsv.',
    });
  const match = NUMBER.exec(text);
  if (match === null) throw wrong('a number');
  const [, digits, sign, word] = match;
  const value =
    digits !== undefined
      ? Number(digits)
      : word.toLowerCase() === 'nan'
        ? Number.NaN
        : sign === '-'
          ? -Infinity
          : Infinity;
  if (dtype === 'int32' && (value | 0) !== value) throw wrong('an integer of 32 bits');
  return value;
}

function parseFields(
  op: string,
  bytes: Uint8Array,
  { name: file = 'CSV data', delimiter = ',', header = true }: ParseCsvOptions,
): { readonly header: readonly Field[] | null; readonly body: readonly (readonly Field[])[] } {
  requireBytes(op, bytes);
  if (!/^[\x20-\x7e\t]$/.test(delimiter) || delimiter === '"') {
    throw new ArgumentError(
      `delimiter is ${JSON.stringify(delimiter)}; give one ASCII character that is no quote.`,
      {
        op,
        operand: 'delimiter',
        actual: delimiter,
        expected: 'one ASCII character',
      },
    );
  }
  const rows = readRows(op, file, bytes, delimiter.charCodeAt(0));
  const needed = header ? 2 : 1;
  if (rows.length < needed) {
    throw new DataFormatError({
      op,
      file,
      offset: bytes.length,
      expected: header ? 'a header and at least one row' : 'at least one row',
      actual: `the end of the file after ${rows.length} rows`,
    });
  }
  const [{ length: width }] = rows;
  const odd = rows.find((row) => row.length !== width);
  if (odd !== undefined) {
    throw new DataFormatError({
      op,
      file,
      offset: odd[0].offset,
      expected: `a row of ${width} fields, as the first has`,
      actual: String(odd.length),
      remedy: `It is row ${rows.indexOf(odd) + 1}, counted from 1.`,
    });
  }
  return header ? { header: rows[0], body: rows.slice(1) } : { header: null, body: rows };
}

function readRows(op: string, file: string, bytes: Uint8Array, delimiter: number): Field[][] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (from: number, to: number): string => {
    try {
      return decoder.decode(bytes.subarray(from, to));
    } catch {
      throw wrong(from, 'UTF-8 text', 'bytes that are none', 'Convert the file to UTF-8.');
    }
  };
  const wrong = complaintsOf(op, file);
  // The end of the line: LF, CRLF or the end of the file; 0 if there is none here.
  const lineEnd = (at: number): number =>
    bytes[at] === LF ? 1 : bytes[at] === CR && bytes[at + 1] === LF ? 2 : 0;

  const rows: Field[][] = [];
  let row: Field[] = [];
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length) {
    const offset = at;
    let text: string;
    if (bytes[at] === QUOTE) {
      let end = at + 1;
      let doubled = false;
      while (end < bytes.length && (bytes[end] !== QUOTE || bytes[end + 1] === QUOTE)) {
        if (bytes[end] === QUOTE) doubled = true;
        end += bytes[end] === QUOTE ? 2 : 1;
      }
      if (end >= bytes.length) throw wrong(offset, 'a quote that is closed', 'the end of the file');
      text = decode(at + 1, end);
      if (doubled) text = text.replaceAll('""', '"');
      at = end + 1;
      if (at < bytes.length && bytes[at] !== delimiter && lineEnd(at) === 0) {
        throw wrong(at, 'a delimiter or the end of the line after a quoted field', `byte ${bytes[at]}`);
      }
    } else {
      while (at < bytes.length && bytes[at] !== delimiter && lineEnd(at) === 0) {
        if (bytes[at] === QUOTE) {
          throw wrong(
            at,
            'no quote inside a field that does not begin with one',
            '"',
            'Quote the whole field, and double the quotes in it.',
          );
        }
        at++;
      }
      text = decode(offset, at);
    }
    row.push({ text, offset });
    if (bytes[at] === delimiter && at < bytes.length) {
      at++;
      // A delimiter at the very end of the file has an empty field behind it.
      if (at === bytes.length) row.push({ text: '', offset: at });
      else continue;
    }
    rows.push(row);
    row = [];
    at += lineEnd(at);
  }
  return rows;
}
