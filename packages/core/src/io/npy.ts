// npy: one array in NumPy's format. A magic number, a header that is a Python dictionary, the elements.
//
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0, 2.0 and 3.0. Arrays of objects, which
// hold pickled code, and of records are refused.

import { MAX_ELEMENTS } from '@adjoint/kernels-cpu';
import { bytesPerElement } from '../dtype.ts';
import { ArgumentError, DTypeError, formatShape } from '../errors.ts';
import { permute } from '../ops/layout.ts';
import { noOptions, requireOptions } from '../options.ts';
import { sizeOf } from '../shape.ts';
import { requireTensor, Tensor } from '../tensor.ts';
import { requireBytes } from './bytes.ts';
import { type Complain, complaintsOf, cutOff, requireEnd, shorten } from './complaints.ts';
import { findNonBoolean, readElements, readIntegers, wideIntegerBytes, writeElements } from './elements.ts';
import { dtypeOf, integerOf, type NpyHeader, NpyHeaderReader } from './npy-header.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const PREFIX_BYTES = MAGIC.length + 2;
const ALIGNMENT = 64;

// NumPy's own bound. A longer header describes records, or nothing good.
const MAX_HEADER_BYTES = 10_000;
const MAX_AXES = 64;

// NumPy leaves room in the header for the first extent to grow to so many digits.
const GROWTH_DIGITS = 21;

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
  requireOptions('parseNpy', options, { name: 'string' });
  requireBytes('parseNpy', bytes);
  const { name = 'npy data' } = options;
  const complain = complaintsOf('parseNpy', name);
  const { start, end } = readPrefix(bytes, complain);
  const header = new NpyHeaderReader(bytes, start, end, complain).read();
  return readArray(bytes, header, end, complain);
}

// Gives the bounds of the dictionary.
function readPrefix(bytes: Uint8Array, complain: Complain): { readonly start: number; readonly end: number } {
  for (const [i, byte] of MAGIC.entries()) {
    if (i >= bytes.length) throw cutOff(complain, bytes, 'the magic number \\x93NUMPY');
    if (bytes[i] !== byte)
      throw complain(i, 'the magic number \\x93NUMPY', `the byte 0x${bytes[i].toString(16)}`);
  }
  const lengthBytes = bytes[MAGIC.length] === 1 ? 2 : 4;
  const start = PREFIX_BYTES + lengthBytes;
  if (bytes.length < start) throw cutOff(complain, bytes, 'a version and the length of the header');
  const [major, minor] = bytes.subarray(MAGIC.length);
  if (major < 1 || major > 3 || minor !== 0)
    throw complain(MAGIC.length, 'version 1.0, 2.0 or 3.0', `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const length = lengthBytes === 2 ? view.getUint16(PREFIX_BYTES, true) : view.getUint32(PREFIX_BYTES, true);
  if (length > MAX_HEADER_BYTES)
    throw complain(PREFIX_BYTES, `a header of at most ${MAX_HEADER_BYTES} bytes`, String(length));
  const end = start + length;
  if (bytes.length < end) throw cutOff(complain, bytes, `a header of ${length} bytes`);
  return { start, end };
}

function readArray(bytes: Uint8Array, header: NpyHeader, start: number, complain: Complain): Tensor {
  const { type, order, fortranOrder, shape } = header;
  const dtype = dtypeOf[type];
  const width = dtype === undefined ? wideIntegerBytes[integerOf[type]] : bytesPerElement[dtype];
  const size = shape.includes(0) ? 0 : sizeOf(shape);
  const of = `${type} of shape ${shorten(formatShape(shape))}`;
  if (!(size <= MAX_ELEMENTS && shape.every(Number.isSafeInteger)))
    throw complain(header.at, `at most ${MAX_ELEMENTS} elements`, of);
  const end = start + size * width;
  requireEnd(complain, bytes, end, `${end} bytes for ${of}`, of);
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
  requireTensor('serializeNpy', 'x', x);
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
