// npz: NumPy's arrays by name, a zip archive of npy files.

import { ArgumentError, DataFormatError, requireArgument, requireOptions, type Tensor } from '@adjoint/core';
import { parseNpy, requireBytes, serializeNpy } from '@adjoint/core/io';
import { DEFAULT_MAX_BYTES } from './gzip.ts';
import { unzip } from './unzip.ts';
import { type ZipContent, zip, zipLength } from './zip.ts';
import { ZIP_LIMIT } from './zip-format.ts';

const SUFFIX = '.npy';

/** Options of {@link parseNpz}. */
export interface ParseNpzOptions {
  /** What to call the file in errors. Default `'npz data'`. */
  readonly name?: string | undefined;
  /** The most that all arrays together may inflate to, in bytes. Default {@link DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number | undefined;
}

/**
 * Reads an npz file: arrays by name, as `numpy.savez` and `savez_compressed` write them. Runs in browsers and Node alike.
 *
 * The directory of the archive is checked before anything is decompressed; memory stays within a small multiple of `maxBytes`.
 *
 * @returns the arrays by name, without the `.npy` that their names have in the archive; dtypes as `parseNpy` gives them.
 * @throws DataFormatError that names the file (or the file and the array: `data.npz/x.npy`), the byte, what the
 * format wants there and what is there: for archives that are cut off, corrupt, larger than `maxBytes`, that overlap or
 * repeat names, and for entries that are no npy file. ArgumentError if `maxBytes` is negative or NaN.
 * @example
 * const bytes = await serializeNpz({ x: tensor([1, 2]), y: tensor([[3]]) });
 * const { x, y } = await parseNpz(bytes, { name: 'data.npz' });
 * x.toArray(); // [1, 2]
 */
export async function parseNpz(
  bytes: Uint8Array,
  options: ParseNpzOptions = {},
): Promise<Record<string, Tensor>> {
  requireOptions('parseNpz', options, { name: 'string', maxBytes: 'number' });
  requireBytes('parseNpz', bytes);
  const { name = 'npz data', maxBytes = DEFAULT_MAX_BYTES } = options;
  const op = 'parseNpz';
  if (!(maxBytes >= 0)) {
    throw new ArgumentError(`maxBytes must be a number of bytes, at least 0, found ${maxBytes}.`, {
      op,
      operand: 'maxBytes',
      actual: maxBytes,
      expected: 'a number of bytes, at least 0',
    });
  }
  const arrays: [string, Tensor][] = [];
  for (const [entry, content] of await unzip(bytes, { op, file: name, maxBytes })) {
    if (!entry.endsWith(SUFFIX)) {
      throw new DataFormatError({
        op,
        file: name,
        offset: 0,
        expected: `an archive of files that end in ${SUFFIX}`,
        actual: JSON.stringify(entry),
      });
    }
    arrays.push([entry.slice(0, -SUFFIX.length), parseNpy(content, { name: `${name}/${entry}` })]);
  }
  return Object.fromEntries(arrays);
}

/** Options of {@link serializeNpz}. */
export interface SerializeNpzOptions {
  /** Whether to deflate the arrays (`numpy.savez_compressed`). Default false (`numpy.savez`). */
  readonly compressed?: boolean | undefined;
}

/**
 * Writes tensors as an npz file, sorted by name. Without compression, the same tensors give the same bytes; with it, they may
 * differ among platforms.
 *
 * @throws DTypeError for bfloat16, which NumPy does not have; ArgumentError for names that UTF-8 cannot hold, and for archives of
 * 4 GiB or 65535 arrays and more.
 * @example
 * const bytes = await serializeNpz({ x: zeros([1000]) }, { compressed: true });
 * bytes.length < 500; // true
 */
export async function serializeNpz(
  tensors: Readonly<Record<string, Tensor>>,
  options: SerializeNpzOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  requireOptions('serializeNpz', options, { compressed: 'boolean' });
  const { compressed = false } = options;
  requireArgument('serializeNpz', 'tensors', tensors, Object);
  const names = Object.keys(tensors).sort();
  for (const name of names) {
    if (!/\p{Surrogate}/u.test(name) && new TextEncoder().encode(name).length <= 0xffff - SUFFIX.length)
      continue;
    throw refusal(
      name,
      `the name ${JSON.stringify(name.slice(0, 80))} is longer than 65531 bytes, or holds half a surrogate pair; rename the tensor.`,
    );
  }
  const entries: ZipContent[] = [];
  for (const name of names) {
    const content = serializeNpy(tensors[name]);
    entries.push({ name: name + SUFFIX, content, deflated: compressed ? await deflate(content) : undefined });
  }
  const length = zipLength(entries);
  if (length >= ZIP_LIMIT || entries.length >= 0xffff)
    throw refusal(
      length,
      `${entries.length} arrays of ${length} bytes are more than an archive holds; split them among files.`,
    );
  return zip(entries);
}

async function deflate(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const packed = new Blob([content]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function refusal(actual: unknown, message: string): ArgumentError {
  return new ArgumentError(message, { op: 'serializeNpz', operand: 'tensors', actual });
}
