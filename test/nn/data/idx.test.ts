// The IDX reader: inverse of writing, and nothing but DataFormatError from bytes that are not an IDX file.
import { DataFormatError, type IdxArray, parseIdx } from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultIn, refused } from '../../core/io/faults.ts';
import { idxArrays, mutated, withByte, writeIdx } from './idx-files.ts';

const NAME = 'some-images.idx';

/** The fault that parsing ends in. */
const faultOf = (bytes: Uint8Array): DataFormatError => refused(attempt(bytes));

function attempt(bytes: Uint8Array): IdxArray | DataFormatError {
  try {
    return parseIdx(bytes, { name: NAME });
  } catch (error) {
    return faultIn(bytes, NAME, error);
  }
}

describe('parseIdx', () => {
  test('the example of the documentation', () => {
    expect(parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]))).toEqual({
      dtype: 'uint8',
      shape: [2],
      data: new Uint8Array([5, 7]),
    });
  });

  test('elements are big-endian', () => {
    const bytes = (code: number, ...elements: number[]) =>
      new Uint8Array([0, 0, code, 1, 0, 0, 0, 1, ...elements]);
    expect(parseIdx(bytes(0x09, 0xff)).data).toEqual(Int8Array.of(-1));
    expect(parseIdx(bytes(0x0b, 0xff, 0xfe)).data).toEqual(Int16Array.of(-2));
    expect(parseIdx(bytes(0x0c, 0, 1, 0, 0)).data).toEqual(Int32Array.of(65536));
    expect(parseIdx(bytes(0x0d, 0x3f, 0xc0, 0, 0)).data).toEqual(Float32Array.of(1.5));
    expect(parseIdx(bytes(0x0e, 0xc0, 0x04, 0, 0, 0, 0, 0, 0)).data).toEqual(Float64Array.of(-2.5));
  });

  test('undoes writing, for every element type and shape, wherever the bytes lie in their buffer', () => {
    fc.assert(
      fc.property(idxArrays, fc.nat({ max: 9 }), (array, start) => {
        const file = writeIdx(array);
        const buffer = new Uint8Array(file.length + start + 3).fill(0xab);
        buffer.set(file, start);
        const parsed = parseIdx(buffer.subarray(start, start + file.length));
        expect(parsed).toEqual(array);
        expect(parsed.data.constructor).toBe(array.data.constructor);
      }),
    );
  });

  test('the result shares no memory with the file', () => {
    const file = writeIdx({ dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 3) });
    const { data } = parseIdx(file);
    file.fill(0xff);
    expect(data).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('a file cut anywhere is named, with the byte where it ends', () => {
    fc.assert(
      fc.property(idxArrays, fc.nat(), (array, seed) => {
        const file = writeIdx(array);
        const length = seed % file.length;
        expect(faultOf(file.subarray(0, length)).offset).toBe(length);
      }),
    );
  });

  test('a byte too many is named', () => {
    fc.assert(
      fc.property(idxArrays, fc.uint8Array({ minLength: 1, maxLength: 20 }), (array, extra) => {
        const file = writeIdx(array);
        const fault = faultOf(Uint8Array.from([...file, ...extra]));
        expect(fault.offset).toBe(file.length);
        expect(fault.actual).toBe(`${extra.length} more bytes`);
      }),
    );
  });

  test('a wrong magic number, type code or rank is named by its byte', () => {
    const file = writeIdx({ dtype: 'uint8', shape: [1], data: Uint8Array.of(1) });
    const wounded = (at: number, value: number) => faultOf(withByte(file, at, value));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), (value) => {
        expect(wounded(0, value).offset).toBe(0);
        expect(wounded(1, value).offset).toBe(1);
      }),
    );
    const types = [0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e];
    for (let code = 0; code < 256; code++) {
      if (types.includes(code)) continue;
      expect(wounded(2, code).offset).toBe(2);
    }
    expect(wounded(2, 0x0a)).toMatchObject({ actual: '0x0a' });
    expect(wounded(3, 0).offset).toBe(3);
    expect(faultOf(Uint8Array.of(0x1f, 0x8b, 8, 0)).message).toContain('gunzipIfNeeded');
    expect(faultOf(new Uint8Array())).toMatchObject({ offset: 0 });
  });

  test('huge extents cost neither memory nor time, whatever their order', () => {
    const extents = fc.array(fc.constantFrom(0, 1, 2, 28, 65536, 2 ** 31, 2 ** 32 - 1), {
      minLength: 1,
      maxLength: 255,
    });
    fc.assert(
      fc.property(fc.constantFrom(8, 9, 11, 12, 13, 14), extents, (code, shape) => {
        const file = new Uint8Array(4 + 4 * shape.length + 16);
        file.set([0, 0, code, shape.length]);
        const view = new DataView(file.buffer);
        for (const [axis, extent] of shape.entries()) view.setUint32(4 + 4 * axis, extent);
        const before = process.memoryUsage().arrayBuffers;
        const outcome = attempt(file);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
        if (outcome instanceof DataFormatError) expect(outcome.message.length).toBeLessThan(400);
        else expect(outcome.shape).toEqual(shape);
      }),
    );
  });

  test('an extent of 0 makes the array empty, however large the others are', () => {
    const shape = [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 0];
    const file = writeIdx({ dtype: 'float64', shape, data: new Float64Array() });
    expect(parseIdx(file)).toEqual({ dtype: 'float64', shape, data: new Float64Array() });
  });

  test('an overflowing product is named by the extent that makes it overflow', () => {
    const file = new Uint8Array(4 + 4 * 3).fill(0xff);
    file.set([0, 0, 8, 3]);
    // (2³² − 1)² < 2⁶⁴ is past 2⁵³ already: the second extent.
    expect(faultOf(file)).toMatchObject({ offset: 8, expected: 'extents whose product a file can hold' });
  });

  test('of bytes at random and of wounded files, those that parse are exactly what writing gives', () => {
    const header = fc
      .tuple(
        fc.constantFrom(8, 9, 11, 12),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        fc.uint8Array({ maxLength: 30 }),
      )
      .map(([code, shape, rest]) =>
        Uint8Array.from([0, 0, code, shape.length, ...shape.flatMap((x) => [0, 0, 0, x]), ...rest]),
      );
    const wounded = idxArrays.chain((array) => mutated(writeIdx(array)));
    let parsed = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), header, wounded), (bytes) => {
        const outcome = attempt(bytes);
        if (outcome instanceof DataFormatError) return;
        parsed++;
        // NaNs have many bit patterns and one value.
        if (outcome.data.some(Number.isNaN)) return;
        expect(Buffer.compare(writeIdx(outcome), bytes)).toBe(0);
      }),
      { numRuns: 2000 },
    );
    expect(parsed).toBeGreaterThan(50);
  });
});
