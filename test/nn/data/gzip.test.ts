// gunzipIfNeeded: inverse of gzip, and a typed error, in bounded memory and time, for whatever is not one whole member.
import { gzipSync } from 'node:zlib';
import { ArgumentError } from '@adjoint/core/errors';
import { DataFormatError, gunzipIfNeeded } from '@adjoint/nn/data';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultIn } from '../../core/io/faults.ts';
import { mutated, withByte } from './idx-files.ts';

const NAME = 'images.gz';
const gzip = (data: Uint8Array) => new Uint8Array(gzipSync(data));

async function attempt(bytes: Uint8Array, maxBytes = 1e6): Promise<Uint8Array | DataFormatError> {
  try {
    return await gunzipIfNeeded(bytes, { name: NAME, maxBytes });
  } catch (error) {
    return faultIn(bytes, NAME, error);
  }
}

// Some repetition, so that the streams have matches in them, not literals alone.
const contents = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 20 }))
  .map(([block, times]) =>
    Uint8Array.from({ length: block.length * times }, (_, i) => block[i % block.length]),
  );

describe('gunzipIfNeeded', () => {
  test('undoes gzip', async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (data) => {
        expect(await gunzipIfNeeded(gzip(data))).toEqual(data);
      }),
    );
  });

  test('undoes gzip of nothing, and of more than one chunk of the platform', async () => {
    expect(await gunzipIfNeeded(gzip(new Uint8Array()))).toEqual(new Uint8Array());
    const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 5);
    expect(Buffer.compare(await gunzipIfNeeded(gzip(large)), large)).toBe(0);
  });

  test('bytes that do not begin as gzip come back as they are', async () => {
    const plain = Uint8Array.of(0, 0, 8, 1);
    expect(await gunzipIfNeeded(plain)).toBe(plain);
    expect(await gunzipIfNeeded(new Uint8Array())).toEqual(new Uint8Array());
  });

  test('a wounded file gives the error or, if the wound is in what no one reads, the data: never other data', async () => {
    const wounded = contents.chain((data) => mutated(gzip(data)).map((file) => ({ data, file })));
    let errors = 0;
    await fc.assert(
      fc.asyncProperty(wounded, async ({ data, file }) => {
        const outcome = await attempt(file);
        if (outcome instanceof DataFormatError) errors++;
        else if (file[0] === 0x1f && file[1] === 0x8b) expect(outcome).toEqual(data);
        else expect(outcome).toBe(file);
      }),
      { numRuns: 400 },
    );
    expect(errors).toBeGreaterThan(200);
  });

  test('a file cut anywhere is named, with the byte where it ends', async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(), async (data, seed) => {
        const file = gzip(data);
        const length = 2 + (seed % (file.length - 2));
        const fault = await attempt(file.subarray(0, length));
        expect(fault).toBeInstanceOf(DataFormatError);
        expect(fault).toMatchObject({ offset: length });
        expect((fault as DataFormatError).message).toContain('cut off');
      }),
    );
  });

  test('neither junk, nor zeros, nor a second member may follow', async () => {
    const data = Uint8Array.of(1, 2, 3);
    const file = gzip(data);
    for (const extra of [Uint8Array.of(1, 2, 3, 4, 5), new Uint8Array(512), file]) {
      expect(await attempt(Uint8Array.from([...file, ...extra]))).toBeInstanceOf(DataFormatError);
    }
  });

  test('wrong method and reserved flags are named by their byte', async () => {
    const file = gzip(Uint8Array.of(1, 2, 3));
    expect(await attempt(withByte(file, 2, 7))).toMatchObject({ offset: 2, actual: '7' });
    expect(await attempt(withByte(file, 3, 0x80))).toMatchObject({ offset: 3, actual: '128' });
  });

  test('no more than maxBytes come out, and a bomb is not read to its end', async () => {
    const data = new Uint8Array(5000);
    expect(await attempt(gzip(data), 5000)).toEqual(data);
    expect(await attempt(gzip(data), 4999)).toBeInstanceOf(DataFormatError);

    const bomb = gzip(new Uint8Array(200_000_000));
    const before = process.memoryUsage().arrayBuffers;
    const fault = await attempt(bomb, 1_000_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32_000_000);
    expect(fault).toBeInstanceOf(DataFormatError);
    expect((fault as DataFormatError).offset).toBeLessThan(bomb.length / 4);
    expect((fault as DataFormatError).expected).toBe('at most 1000000 bytes when decompressed');
  });

  test('a limit that is no limit is refused', async () => {
    for (const maxBytes of [Number.NaN, -1]) {
      await expect(gunzipIfNeeded(Uint8Array.of(0), { maxBytes })).rejects.toThrow(ArgumentError);
    }
  });
});
