// The IDX format of MNIST and its kin: two zero bytes, a type code, a rank, the extents, the elements, big-endian.

import { requireBytes } from '@adjoint/core/io';
import { requireOptions } from '@adjoint/core/options';
import { DataFormatError } from './errors.ts';

/** The typed array that holds each IDX element type. */
export interface IdxArrays {
  /** Type code 0x08. */
  uint8: Uint8Array;
  /** Type code 0x09. */
  int8: Int8Array;
  /** Type code 0x0b. */
  int16: Int16Array;
  /** Type code 0x0c. */
  int32: Int32Array;
  /** Type code 0x0d. */
  float32: Float32Array;
  /** Type code 0x0e. */
  float64: Float64Array;
}

/** The element types that IDX knows. */
export type IdxDtype = keyof IdxArrays;

/** A parsed IDX file: `data` holds the elements in row-major order, `shape` one extent per dimension. */
export type IdxArray = {
  [D in IdxDtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: IdxArrays[D] };
}[IdxDtype];

interface Element {
  readonly bytes: number;
  readonly decode: (view: DataView, start: number, count: number) => IdxArray['data'];
  readonly dtype: IdxDtype;
}

const ELEMENTS: Readonly<Record<number, Element>> = {
  8: {
    dtype: 'uint8',
    bytes: 1,
    // A copy: the caller's bytes may live in a pooled or a huge buffer, and nobody expects an alias.
    decode: (view, start, count) => new Uint8Array(view.buffer, view.byteOffset + start, count).slice(),
  },
  9: {
    dtype: 'int8',
    bytes: 1,
    decode: (view, start, count) => new Int8Array(view.buffer, view.byteOffset + start, count).slice(),
  },
  11: {
    dtype: 'int16',
    bytes: 2,
    decode: (view, start, count) => fill(new Int16Array(count), (i) => view.getInt16(start + 2 * i)),
  },
  12: {
    dtype: 'int32',
    bytes: 4,
    decode: (view, start, count) => fill(new Int32Array(count), (i) => view.getInt32(start + 4 * i)),
  },
  13: {
    dtype: 'float32',
    bytes: 4,
    decode: (view, start, count) => fill(new Float32Array(count), (i) => view.getFloat32(start + 4 * i)),
  },
  14: {
    dtype: 'float64',
    bytes: 8,
    decode: (view, start, count) => fill(new Float64Array(count), (i) => view.getFloat64(start + 8 * i)),
  },
};

function fill<A extends IdxArray['data']>(target: A, element: (index: number) => number): A {
  for (let i = 0; i < target.length; i++) target[i] = element(i);
  return target;
}

/**
 * Parse an IDX file: <http://yann.lecun.com/exdb/mnist/>, "the IDX file format".
 *
 * Every byte is accounted for: the file must hold its header and exactly as many elements as the header says.
 * Nothing is allocated before the header is known to agree with the file's length, so a hostile header costs no
 * memory.
 *
 * @param bytes The whole file, uncompressed; see {@link gunzipIfNeeded} for the rest.
 * @param options.name What to call the file in errors. Default `'IDX data'`.
 * @returns `dtype`, `shape` (one extent per dimension; extents may be 0) and `data`, a fresh typed array of that
 * dtype in row-major order.
 * @throws {@link DataFormatError} on a wrong magic number, an unknown type code, rank 0, extents whose product
 * no file can hold, a file that is too short, and bytes after the last element.
 *
 * @example
 * ```ts
 * const { dtype, shape, data } = parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]));
 * // 'uint8', [2], Uint8Array [5, 7]
 * ```
 */
export function parseIdx(bytes: Uint8Array, options: { readonly name?: string | undefined } = {}): IdxArray {
  requireOptions('parseIdx', options, { name: 'string' });
  requireBytes('parseIdx', bytes);
  const { name = 'IDX data' } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { element, rank } = readMagic(bytes, name);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    throw truncated(name, bytes, `a header of ${header} bytes, as a rank of ${rank} needs`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = elementCount(shape, name);
  const total = header + count * element.bytes;
  if (bytes.length < total) {
    throw truncated(name, bytes, `${total} bytes for ${element.dtype} of shape ${formatShape(shape)}`);
  }
  if (bytes.length > total) {
    throw new DataFormatError({
      op: 'parseIdx',
      file: name,
      offset: total,
      expected: `the end of the file, after ${element.dtype} of shape ${formatShape(shape)}`,
      actual: `${bytes.length - total} more bytes`,
      remedy: 'The header is wrong, or something was appended to the file.',
    });
  }
  const data = element.decode(view, header, count);
  return { dtype: element.dtype, shape, data } as IdxArray;
}

function readMagic(bytes: Uint8Array, name: string): { element: Element; rank: number } {
  for (let offset = 0; offset < Math.min(2, bytes.length); offset++) {
    if (bytes[offset] !== 0) {
      const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
      throw new DataFormatError({
        op: 'parseIdx',
        file: name,
        offset,
        expected: 'the zero byte that an IDX magic number begins with',
        actual: hex(bytes[offset]),
        remedy: gzip
          ? 'This is a gzip file: pass it through gunzipIfNeeded first.'
          : 'This is not an IDX file; was an error page downloaded in its place?',
      });
    }
  }
  if (bytes.length < 4) throw truncated(name, bytes, 'a magic number of 4 bytes');
  const element = ELEMENTS[bytes[2]];
  if (element === undefined) {
    const known = Object.entries(ELEMENTS).map(([code, { dtype }]) => `${hex(Number(code))} ${dtype}`);
    throw new DataFormatError({
      op: 'parseIdx',
      file: name,
      offset: 2,
      expected: `an element type (${known.join(', ')})`,
      actual: hex(bytes[2]),
    });
  }
  const rank = bytes[3];
  if (rank === 0) {
    throw new DataFormatError({
      op: 'parseIdx',
      file: name,
      offset: 3,
      expected: 'a rank of at least 1',
      actual: '0',
    });
  }
  return { element, rank };
}

function elementCount(shape: readonly number[], name: string): number {
  // An extent of 0 makes the product 0 whatever the others are; asked first, so that no order of extents overflows.
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const [axis, extent] of shape.entries()) {
    count *= extent;
    // 8 bytes an element at most: below this bound the file's length is an exact integer too.
    if (count > Number.MAX_SAFE_INTEGER / 16) {
      throw new DataFormatError({
        op: 'parseIdx',
        file: name,
        offset: 4 + 4 * axis,
        expected: 'extents whose product a file can hold',
        actual: `shape ${formatShape(shape)}`,
      });
    }
  }
  return count;
}

function truncated(name: string, bytes: Uint8Array, expected: string): DataFormatError {
  return new DataFormatError({
    op: 'parseIdx',
    file: name,
    offset: bytes.length,
    expected,
    actual: `the end of the file after ${bytes.length} bytes`,
    remedy: 'The file is cut off: fetch it again.',
  });
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

// A rank goes up to 255: an error message need not.
function formatShape(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(', ');
  return shape.length > 8 ? `(${shown}, … ${shape.length} extents)` : `(${shown})`;
}
