// The header of an npy file: a dictionary as Python writes it, which says type, order and shape of the elements.

import type { DType } from '../dtype.ts';
import type { DataFormatError } from '../errors.ts';
import type { Shape } from '../shape.ts';
import { type Complain, quote } from './complaints.ts';
import type { ByteOrder, WideInteger } from './elements.ts';

/** Types that tensors have, by their names in a header. */
export const dtypeOf: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i4: 'int32',
  u1: 'uint8',
  b1: 'bool',
};
/** Integers that become int32. */
export const integerOf: Readonly<Record<string, WideInteger>> = {
  i1: 'int8',
  i2: 'int16',
  u2: 'uint16',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
};

/** What the dictionary says. */
export interface NpyHeader {
  /** Where it begins in the file. */
  readonly at: number;
  readonly type: string;
  readonly order: ByteOrder;
  readonly fortranOrder: boolean;
  readonly shape: Shape;
}

/** Reads the dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order and spacing. */
export class NpyHeaderReader {
  readonly #text: string;
  readonly #start: number;
  readonly #complain: Complain;
  #at = 0;

  constructor(bytes: Uint8Array, start: number, end: number, complain: Complain) {
    // One character per byte, so that places in the text are places in the file. What matters is ASCII.
    this.#text = Array.from(bytes.subarray(start, end), (byte) => String.fromCharCode(byte)).join('');
    this.#start = start;
    this.#complain = complain;
  }

  read(): NpyHeader {
    const seen: {
      descr?: { readonly type: string; readonly order: ByteOrder };
      fortran?: boolean;
      shape?: Shape;
    } = {};
    this.#expect(/\{/y, "the '{' of a Python dictionary");
    while (this.#take(/\}/y) === undefined) {
      const key = this.#expect(/'(\w*)'|"(\w*)"/y, "'descr', 'fortran_order', 'shape' or '}'");
      const known = { descr: seen.descr, fortran_order: seen.fortran, shape: seen.shape };
      if (!Object.hasOwn(known, key))
        throw this.#wrong("one of 'descr', 'fortran_order' and 'shape'", quote(key));
      if (known[key as keyof typeof known] !== undefined)
        throw this.#wrong('each key once', `${quote(key)} for the second time`);
      this.#expect(/:/y, "':'");
      if (key === 'descr') seen.descr = this.#descr();
      else if (key === 'shape') seen.shape = this.#shape();
      else seen.fortran = this.#expect(/(True|False)\b/y, 'True or False') === 'True';
      if (this.#take(/,/y) === undefined && this.#peek() !== '}')
        throw this.#wrong("',' or '}'", this.#found());
    }
    this.#skipSpace();
    if (this.#at < this.#text.length)
      throw this.#wrong('nothing but spaces after the dictionary', this.#found());
    const { descr, fortran, shape } = seen;
    if (descr === undefined || fortran === undefined || shape === undefined) {
      const missing = descr === undefined ? 'descr' : shape === undefined ? 'shape' : 'fortran_order';
      throw this.#complain(this.#start, `a dictionary with '${missing}'`, 'one without it');
    }
    return { at: this.#start, ...descr, fortranOrder: fortran, shape };
  }

  #descr(): { readonly type: string; readonly order: ByteOrder } {
    const at = this.#place();
    const types = [...Object.keys(dtypeOf), ...Object.keys(integerOf)];
    const expected = `a type (one of ${types.join(', ')}) after its order of bytes ('<', '>'; '|' for single bytes)`;
    const descr = this.#take(/'([^'\\]*)'|"([^"\\]*)"/y);
    if (descr === undefined) throw this.#wrong(expected, this.#peek() === '[' ? 'records' : this.#found());
    const [order, type] = [descr.slice(0, 1), descr.slice(1)];
    const single = type.endsWith('1');
    if (!types.includes(type) || !(order === '<' || order === '>' || (order === '|' && single))) {
      throw this.#complain(
        at,
        expected,
        quote(descr),
        'Convert the array where the file is written: x.astype(numpy.float32).',
      );
    }
    return { type, order: order === '>' ? 'big' : 'little' };
  }

  #shape(): Shape {
    this.#expect(/\(/y, 'a tuple of extents');
    const shape: number[] = [];
    while (this.#take(/\)/y) === undefined) {
      // Python 2 wrote 3L for 3.
      const extent = Number(this.#expect(/(0|[1-9]\d*)L?(?!\w)/y, 'an extent: an integer from 0'));
      shape.push(extent);
      const comma = this.#take(/,/y) !== undefined;
      if (!comma && (this.#peek() !== ')' || shape.length === 1))
        throw this.#wrong("',' after an extent", this.#found());
    }
    return shape;
  }

  // The first group that matched, or ''; undefined if the pattern does not match here.
  #take(pattern: RegExp): string | undefined {
    this.#skipSpace();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[2] ?? '';
  }

  #expect(pattern: RegExp, expected: string): string {
    const taken = this.#take(pattern);
    if (taken === undefined) throw this.#wrong(expected, this.#found());
    return taken;
  }

  #peek(): string {
    this.#skipSpace();
    return this.#text.charAt(this.#at);
  }

  #place(): number {
    this.#skipSpace();
    return this.#start + this.#at;
  }

  #wrong(expected: string, actual: string): DataFormatError {
    return this.#complain(this.#place(), expected, actual);
  }

  #found(): string {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return rest === '' ? 'the end of the header' : quote(rest);
  }

  #skipSpace(): void {
    while (' \t\r\n\f'.includes(this.#text.charAt(this.#at) || '.')) this.#at++;
  }
}
