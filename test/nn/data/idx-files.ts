// Writes IDX files, for tests to read: the format's definition, independent of the reader.
import type { IdxArray, IdxDtype } from '@adjoint/nn/data';
import fc from 'fast-check';

const FORMAT: Record<
  IdxDtype,
  { code: number; bytes: number; set: (view: DataView, at: number, x: number) => void }
> = {
  uint8: { code: 0x08, bytes: 1, set: (view, at, x) => view.setUint8(at, x) },
  int8: { code: 0x09, bytes: 1, set: (view, at, x) => view.setInt8(at, x) },
  int16: { code: 0x0b, bytes: 2, set: (view, at, x) => view.setInt16(at, x) },
  int32: { code: 0x0c, bytes: 4, set: (view, at, x) => view.setInt32(at, x) },
  float32: { code: 0x0d, bytes: 4, set: (view, at, x) => view.setFloat32(at, x) },
  float64: { code: 0x0e, bytes: 8, set: (view, at, x) => view.setFloat64(at, x) },
};

export function writeIdx({ dtype, shape, data }: IdxArray): Uint8Array {
  const { code, bytes, set } = FORMAT[dtype];
  const file = new Uint8Array(4 + 4 * shape.length + bytes * data.length);
  const view = new DataView(file.buffer);
  file[2] = code;
  file[3] = shape.length;
  for (const [axis, extent] of shape.entries()) view.setUint32(4 + 4 * axis, extent);
  for (const [i, x] of data.entries()) set(view, 4 + 4 * shape.length + bytes * i, x);
  return file;
}

export function imagesFile(shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return writeIdx({
    dtype: 'uint8',
    shape,
    data: Uint8Array.from({ length: size }, (_, i) => (i * 37) % 256),
  });
}

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });

export function withByte(file: Uint8Array, at: number, value: number): Uint8Array {
  const changed = file.slice();
  changed[at] = value;
  return changed;
}

/** Arrays of every element type, with extents of 0 among them. */
export const idxArrays: fc.Arbitrary<IdxArray> = shapes.chain((shape) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const exactly = { minLength: length, maxLength: length };
  const plain = <A extends IdxArray['data']>(arrays: fc.Arbitrary<A>, dtype: IdxDtype) =>
    arrays.map((data) => ({ dtype, shape, data }) as IdxArray);
  return fc.oneof(
    plain(fc.uint8Array(exactly), 'uint8'),
    plain(fc.int8Array(exactly), 'int8'),
    plain(fc.int16Array(exactly), 'int16'),
    plain(fc.int32Array(exactly), 'int32'),
    plain(fc.float32Array(exactly), 'float32'),
    plain(fc.float64Array(exactly), 'float64'),
  );
});

/** Small wounds that a file may suffer: cut, flipped, overwritten, appended to, bytes lost or gained inside. */
export function mutated(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: Math.max(0, file.length - 1) });
  const splice = (at: number, lost: number, gained: Uint8Array) =>
    Uint8Array.from([...file.subarray(0, at), ...gained, ...file.subarray(at + lost)]);
  return fc.oneof(
    place.map((length) => file.slice(0, length)),
    fc
      .tuple(place, fc.integer({ min: 1, max: 255 }))
      .map(([at, bits]) => splice(at, 1, Uint8Array.of(file[at] ^ bits))),
    fc
      .tuple(fc.nat({ max: Math.min(24, file.length) }), fc.uint8Array({ maxLength: 8 }))
      .map(([at, bytes]) => splice(at, bytes.length, bytes)),
    fc
      .tuple(place, fc.nat({ max: 9 }), fc.uint8Array({ maxLength: 9 }))
      .map(([at, lost, gained]) => splice(at, lost, gained)),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((extra) => splice(file.length, 0, extra)),
  );
}
