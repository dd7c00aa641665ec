// JSON read where it lies, value by value, so that a flaw has a byte and a key that stands twice is seen.
//
// JSON.parse gives neither: it keeps the last of two equal keys, accepts half a surrogate pair, and builds the whole
// tree before anyone can object to it. RFC 8259, with serde_json's limits: less than 128 levels, numbers within
// float64, strings of whole characters.

import { decodeUtf8 } from './utf8.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_DEPTH = 127;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Makes the error for a flaw at a byte of the file: what JSON, or its reader, wants there, and what is there. */
export type Complaint = (offset: number, expected: string, actual: string) => Error;

/** Reads one JSON text, which is `bytes` from `start` to `end`. Every method reads one value and steps over it. */
export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #complain: Complaint;
  #at: number;
  #depth = 0;

  constructor(
    bytes: Uint8Array,
    range: { readonly start: number; readonly end: number },
    complain: Complaint,
  ) {
    this.#bytes = bytes;
    this.#at = range.start;
    this.#end = range.end;
    this.#complain = complain;
  }

  /** Where the next value begins. */
  get offset(): number {
    this.#skipSpace();
    return this.#at;
  }

  /** An object: `member` reads the value of each key. */
  object(member: (key: string, offset: number) => void): void {
    this.#expect('{', 'an object');
    this.#enter();
    const keys = new Set<string>();
    for (let first = true; !this.#take('}'); first = false) {
      if (!first) this.#expect(',', "',' or '}'");
      const offset = this.offset;
      const key = this.string('a key in quotes');
      if (keys.has(key))
        throw this.#complain(offset, 'each key once', `${JSON.stringify(key)} for the second time`);
      keys.add(key);
      this.#expect(':', "':'");
      member(key, offset);
    }
    this.#depth--;
  }

  /** An array: `element` reads each element. */
  array(element: (index: number) => void): void {
    this.#expect('[', 'an array');
    this.#enter();
    for (let index = 0; !this.#take(']'); index++) {
      if (index > 0) this.#expect(',', "',' or ']'");
      element(index);
    }
    this.#depth--;
  }

  /** A string of whole characters. */
  string(expected = 'a string'): string {
    this.#expect('"', expected);
    let text = '';
    for (;;) {
      const from = this.#at;
      while (this.#at < this.#end && isPlain(this.#bytes[this.#at])) this.#at++;
      text += this.#decode(from, this.#at);
      const byte = this.#at < this.#end ? this.#bytes[this.#at] : -1;
      if (byte === QUOTE) {
        this.#at++;
        return text;
      }
      if (byte !== BACKSLASH) throw this.#wrong('the rest of a string, its control characters escaped');
      text += this.#escape();
    }
  }

  /** An integer from 0 to 2^53 − 1, written as such: no sign, point or exponent. */
  count(expected: string): number {
    const from = this.offset;
    const literal = this.#number();
    if (/^\d+$/.test(literal) && Number(literal) <= Number.MAX_SAFE_INTEGER) return Number(literal);
    throw this.#complain(from, expected, literal === '' ? this.#found(from) : shorten(literal));
  }

  /** Steps over a `null`, if there is one. */
  takeNull(): boolean {
    return this.#takeWord('null');
  }

  /** Steps over a value of any kind, checking it. */
  skip(): void {
    const first = this.#peek();
    if (first === '{') this.object(() => this.skip());
    else if (first === '[') this.array(() => this.skip());
    else if (first === '"') this.string();
    else if (!['null', 'true', 'false'].some((word) => this.#takeWord(word))) {
      const literal = this.#number();
      if (literal === '') throw this.#wrong('a value');
      if (!Number.isFinite(Number(literal)))
        throw this.#complain(this.#at, 'a number within the range of float64', shorten(literal));
    }
  }

  /** Checks that nothing but white space is left. */
  finish(): void {
    this.#skipSpace();
    if (this.#at < this.#end) throw this.#wrong('nothing but spaces');
  }

  // Consumes a number; '' if there is none or it is malformed, with the place unchanged.
  #number(): string {
    const from = this.offset;
    let to = from;
    while (to < this.#end && /[-+.\deE]/.test(String.fromCharCode(this.#bytes[to]))) to++;
    const literal = this.#decode(from, to);
    if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(literal)) return '';
    this.#at = to;
    return literal;
  }

  // At a backslash.
  #escape(): string {
    const from = this.#at;
    const letter = from + 1 < this.#end ? String.fromCharCode(this.#bytes[from + 1]) : '';
    const simple = escapes[letter];
    this.#at += 2;
    if (simple !== undefined) return simple;
    if (letter !== 'u') throw this.#complain(from, 'one of the escapes of JSON', this.#found(from));
    const high = this.#codeUnit();
    if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high);
    const paired = high < 0xdc00 && this.#bytes[this.#at] === BACKSLASH && this.#bytes[this.#at + 1] === 0x75;
    if (paired) {
      this.#at += 2;
      const low = this.#codeUnit();
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(high, low);
    }
    throw this.#complain(from, 'both halves of a surrogate pair', `\\u${high.toString(16)} alone`);
  }

  #codeUnit(): number {
    const from = this.#at;
    const digits = this.#decode(from, Math.min(from + 4, this.#end));
    if (!/^[\da-fA-F]{4}$/.test(digits))
      throw this.#complain(from, 'four hexadecimal digits', this.#found(from));
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #decode(from: number, to: number): string {
    const text = decodeUtf8(this.#bytes.subarray(from, to));
    if (text === null) throw this.#complain(from, 'text in UTF-8', 'bytes that are not');
    return text;
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH)
      throw this.#complain(this.#at, `a nesting of at most ${MAX_DEPTH}`, 'a deeper one');
  }

  #peek(): string {
    const at = this.offset;
    return at < this.#end ? String.fromCharCode(this.#bytes[at]) : '';
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #takeWord(word: string): boolean {
    const at = this.offset;
    if (at + word.length > this.#end) return false;
    for (let i = 0; i < word.length; i++) if (this.#bytes[at + i] !== word.charCodeAt(i)) return false;
    this.#at += word.length;
    return true;
  }

  #expect(character: string, expected: string): void {
    if (!this.#take(character)) throw this.#wrong(expected);
  }

  #wrong(expected: string): Error {
    return this.#complain(this.#at, expected, this.#found(this.#at));
  }

  #found(at: number): string {
    if (at >= this.#end) return 'the end of the JSON';
    const byte = this.#bytes[at];
    const shown = byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : '';
    return shown === '' ? `the byte 0x${byte.toString(16).padStart(2, '0')}` : shown;
  }

  #skipSpace(): void {
    while (this.#at < this.#end && isSpace(this.#bytes[this.#at])) this.#at++;
  }
}

// A byte of a string that stands for itself.
function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function shorten(literal: string): string {
  return literal.length > 40 ? `${literal.slice(0, 40)}…` : literal;
}
