// npy: one array in NumPy's format. A magic number, a header that is a Python dictionary, the elements.
//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0, 2.0 and 3.0. Arrays of objects, which
// hold pickled code, and of records are refused.

import { bytesPerElement, type DType } from '../dtype.ts';
import { ArgumentError, DataFormatError, DTypeError, formatShape } from '../errors.ts';
import { permute } from '../ops/layout.ts';
import { noOptions, requireOptions } from '../options.ts';
import type { Shape } from '../shape.ts';
import { sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import {
  type ByteOrder,
  findNonBoolean,
  readElements,
  readIntegers,
  type WideInteger,
  wideIntegerBytes,
  writeElements,
} from './elements.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const PREFIX_BYTES = MAGIC.length + 2;
const ALIGNMENT = 64;

// NumPy's own bound. A longer header describes records, or nothing good.
const MAX_HEADER_BYTES = 10_000;
const MAX_ELEMENTS = 2 ** 31 - 1;
const MAX_AXES = 64;

// NumPy leaves room in the header for the first extent to grow to so many digits.
const GROWTH_DIGITS = 21;

const dtypeOf: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i4: 'int32',
  u1: 'uint8',
  b1: 'bool',
};
const integerOf: Readonly<Record<string, WideInteger>> = {
  i1: 'int8',
  i2: 'int16',
  u2: 'uint16',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
};

type Complain = (offset: number, expected: string, actual: string, remedy?: string) => DataFormatError;

/**
 * Reads an npy file: one array, as `numpy.save` writes it. The twin in Python is `torch.from_numpy(numpy.load(file))`.
 *
 * float16, float32, float64, int32, uint8 and bool, in either order of bytes, become tensors of these types. Integers of other
 * widths (NumPy's own are int64) become int32, if int32 holds every value. An array in Fortran's order becomes a view with
 * its axes exchanged. The array is not shared with `bytes`.
 *
 * The header is checked against the length of the file before anything is allocated.
 *
 * @param bytes the whole file.
 * @param options.name what to call the file in errors. Default `'npy data'`.
 * @throws DataFormatError that names the file, the byte, what the format wants there and what is there; also for types
 * that tensors here do not have (complex numbers, strings, dates, records, objects).
 * @example
 * const bytes = serializeNpy(tensor([[1, 2], [3, 4]]));
 * parseNpy(bytes, { name: 'x.npy' }).toArray(); // [[1, 2], [3, 4]]
 */
export function parseNpy(
  bytes: Uint8Array,
  options: { readonly name?: string | undefined } = noOptions,
): Tensor {
  requireOptions('parseNpy', options, ['name']);
  const { name = 'npy data' } = options;
  const complain: Complain = (offset, expected, actual, remedy) =>
    new DataFormatError({
      op: 'parseNpy',
      file: name,
      offset,
      expected,
      actual,
      ...(remedy === undefined ? {} : { remedy }),
    });
  const { start, end } = readPrefix(bytes, complain);
  const header = new HeaderReader(bytes, start, end, complain).read();
  return readArray(bytes, header, end, complain);
}

// Gives the bounds of the dictionary.
function readPrefix(bytes: Uint8Array, complain: Complain): { readonly start: number; readonly end: number } {
  const cutOff = (expected: string): DataFormatError =>
    complain(
      bytes.length,
      expected,
      `the end of the file after ${bytes.length} bytes`,
      'The file is cut off: fetch it again.',
    );
  for (const [i, byte] of MAGIC.entries()) {
    if (i >= bytes.length) throw cutOff('the magic number \\x93NUMPY');
    if (bytes[i] !== byte)
      throw complain(i, 'the magic number \\x93NUMPY', `the byte 0x${bytes[i].toString(16)}`);
  }
  const lengthBytes = bytes[MAGIC.length] === 1 ? 2 : 4;
  const start = PREFIX_BYTES + lengthBytes;
  if (bytes.length < start) throw cutOff('a version and the length of the header');
  const [major, minor] = bytes.subarray(MAGIC.length);
  if (major < 1 || major > 3 || minor !== 0)
    throw complain(MAGIC.length, 'version 1.0, 2.0 or 3.0', `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const length = lengthBytes === 2 ? view.getUint16(PREFIX_BYTES, true) : view.getUint32(PREFIX_BYTES, true);
  if (length > MAX_HEADER_BYTES)
    throw complain(PREFIX_BYTES, `a header of at most ${MAX_HEADER_BYTES} bytes`, String(length));
  const end = start + length;
  if (bytes.length < end) throw cutOff(`a header of ${length} bytes`);
  return { start, end };
}

/** What the dictionary says. */
interface Header {
  /** Where it begins in the file. */
  readonly at: number;
  readonly type: string;
  readonly order: ByteOrder;
  readonly fortranOrder: boolean;
  readonly shape: Shape;
}

/** Reads the dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order and spacing. */
class HeaderReader {
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

  read(): Header {
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

function readArray(bytes: Uint8Array, header: Header, start: number, complain: Complain): Tensor {
  const { type, order, fortranOrder, shape } = header;
  const dtype = dtypeOf[type];
  const width = dtype === undefined ? wideIntegerBytes[integerOf[type]] : bytesPerElement[dtype];
  const size = shape.includes(0) ? 0 : sizeOf(shape);
  const of = `${type} of shape ${shorten(formatShape(shape))}`;
  if (!(size <= MAX_ELEMENTS && shape.every(Number.isSafeInteger)))
    throw complain(header.at, `at most ${MAX_ELEMENTS} elements`, of);
  const end = start + size * width;
  if (bytes.length < end) {
    throw complain(
      bytes.length,
      `${end} bytes for ${of}`,
      `the end of the file after ${bytes.length} bytes`,
      'The file is cut off: fetch it again.',
    );
  }
  if (bytes.length > end) {
    throw complain(
      end,
      `the end of the file, after ${of}`,
      `${bytes.length - end} more bytes`,
      'The header is wrong, or something was appended to the file.',
    );
  }
  const data = bytes.subarray(start);
  // In Fortran's order the first axis runs fastest: the elements of the transposed array in ours.
  const stored = fortranOrder ? shape.slice().reverse() : shape;
  let x: Tensor;
  if (dtype === undefined) {
    const read = readIntegers(data, integerOf[type], stored, order);
    if (!(read instanceof Tensor)) {
      throw complain(
        start + read.index * width,
        `integers from -2147483648 to 2147483647, as ${type} becomes int32`,
        read.value,
        'Convert the array where the file is written: x.astype(numpy.float64).',
      );
    }
    x = read;
  } else {
    const stray = dtype === 'bool' ? findNonBoolean(data) : -1;
    if (stray >= 0) throw complain(start + stray, '0 or 1, as elements are bool', String(data[stray]));
    x = readElements(data, dtype, stored, order);
  }
  return fortranOrder
    ? permute(
        x,
        shape.map((_, axis) => shape.length - 1 - axis),
      )
    : x;
}

/**
 * Writes a tensor as an npy file of version 1.0, byte for byte as `numpy.save` (1.24) does.
 *
 * @param x of any dtype but bfloat16, which NumPy does not have; of any strides; written in row-major order, least significant byte
 * first. Graph and gradient are not written.
 * @throws DTypeError for bfloat16; ArgumentError for more than 64 axes.
 * @example
 * const bytes = serializeNpy(tensor([1.5, 2]));
 * bytes.length; // 136
 */
export function serializeNpy(x: Tensor): Uint8Array<ArrayBuffer> {
  const { dtype, shape } = x;
  const type = Object.entries(dtypeOf).find(([, known]) => known === dtype)?.[0];
  if (type === undefined) {
    throw new DTypeError(`NumPy has no ${dtype}; convert the tensor with to('float32') first.`, {
      op: 'serializeNpy',
      operand: 'x',
      actual: dtype,
      expected: Object.values(dtypeOf).join(' | '),
    });
  }
  if (shape.length > MAX_AXES) {
    throw new ArgumentError(
      `the tensor has ${shape.length} axes, and NumPy's arrays have at most ${MAX_AXES}; reshape it.`,
      {
        op: 'serializeNpy',
        operand: 'x',
        actual: shape.length,
        expected: `at most ${MAX_AXES} axes`,
      },
    );
  }
  const descr = `${type.endsWith('1') ? '|' : '<'}${type}`;
  const room = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${formatShape(shape)}, }${' '.repeat(room)}`;
  const lengthBytes = 2;
  const unpadded = PREFIX_BYTES + lengthBytes + dictionary.length + 1;
  // As NumPy does, a whole 64 bytes where none are needed.
  const start = unpadded + (ALIGNMENT - (unpadded % ALIGNMENT));
  const header = `${dictionary.padEnd(start - PREFIX_BYTES - lengthBytes - 1)}\n`;
  const bytes = new Uint8Array(start + x.size * bytesPerElement[dtype]);
  bytes.set([...MAGIC, 1, 0, header.length & 0xff, header.length >> 8]);
  bytes.set(
    Uint8Array.from(header, (character) => character.charCodeAt(0)),
    PREFIX_BYTES + lengthBytes,
  );
  writeElements(x, bytes.subarray(start));
  return bytes;
}

function quote(text: string): string {
  return shorten(JSON.stringify(text));
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
