// npy: what NumPy writes is read, what is written here is NumPy's bytes, and whatever is flawed is a typed error with its byte.
import { ArgumentError, DataFormatError, DTypeError, type Tensor, zeros } from '@adjoint/core';
import { parseNpy, serializeNpy } from '@adjoint/core/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultIn, refused } from './faults.ts';
import numpy from './numpy-files.json' with { type: 'json' };
import { essence, tensors } from './tensors.ts';

const NAME = 'x.npy';

/** A file, by the format's definition. */
function fileOf(
  dictionary: string,
  data: ArrayLike<number> = [],
  { major = 1, minor = 0, end = '\n' } = {},
): Uint8Array {
  const header = `${dictionary}${end}`;
  const lengthBytes = major === 1 ? 2 : 4;
  const file = new Uint8Array(8 + lengthBytes + header.length + data.length);
  file.set(Buffer.from('\x93NUMPY', 'latin1'));
  file.set([major, minor], 6);
  const view = new DataView(file.buffer);
  if (lengthBytes === 2) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  file.set(Buffer.from(header, 'latin1'), 8 + lengthBytes);
  file.set(data, 8 + lengthBytes + header.length);
  return file;
}

const dictionary = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

function attempt(bytes: Uint8Array): Tensor | DataFormatError {
  try {
    return parseNpy(bytes, { name: NAME });
  } catch (error) {
    return faultIn(bytes, NAME, error);
  }
}

function refusal(bytes: Uint8Array): DataFormatError {
  return refused(attempt(bytes));
}

const DTYPE: Record<string, string> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  u1: 'uint8',
  b1: 'bool',
};

const writable = tensors.filter(({ dtype }) => dtype !== 'bfloat16');

describe(`NumPy ${numpy.version}`, () => {
  test('its arrays are read: every type, order of bytes, order of elements, shape and version', () => {
    for (const { descr, shape, values, file } of numpy.read) {
      const x = parseNpy(Buffer.from(file, 'base64'));
      expect([x.dtype, x.shape]).toEqual([DTYPE[descr.slice(1)] ?? 'int32', shape]);
      expect(Array.from(x.toTypedArray())).toEqual(values);
    }
  });

  test('its bytes are written', () => {
    let written = 0;
    for (const { descr, fortran, file } of numpy.read) {
      const bytes = Buffer.from(file, 'base64');
      const widened = DTYPE[descr.slice(1)] === undefined && descr !== '<i4';
      if (widened || descr.startsWith('>') || fortran || bytes[6] !== 1) continue;
      expect(Buffer.from(serializeNpy(parseNpy(bytes))).toString('latin1')).toBe(bytes.toString('latin1'));
      written++;
    }
    expect(written).toBeGreaterThan(50);
  });

  test.each(Object.entries(numpy.refused))('its arrays of %s are refused', (_, file) => {
    refusal(Buffer.from(file, 'base64'));
  });
});

test('every tensor comes back bit for bit', () => {
  fc.assert(
    fc.property(writable, (x) => {
      expect(essence(parseNpy(serializeNpy(x)))).toEqual(essence(x));
    }),
    { numRuns: 300 },
  );
});

test("the array of a file is not the file's", () => {
  const bytes = serializeNpy(zeros([3]));
  const x = parseNpy(bytes);
  bytes.fill(0xff);
  expect(x.toArray()).toEqual([0, 0, 0]);
});

describe('flaws', () => {
  const f4 = (shape: string): string => dictionary("'<f4'", shape);

  test.each<[string, Uint8Array, number | null, RegExp]>([
    ['no bytes', new Uint8Array(), 0, /magic number \\x93NUMPY, found the end of the file after 0 bytes/],
    ['another format', Buffer.from('PK\x03\x04'), 0, /magic number \\x93NUMPY, found the byte 0x50/],
    ['a magic number cut off', Buffer.from('\x93NUM', 'latin1'), 4, /magic number/],
    ['no version', Buffer.from('\x93NUMPY', 'latin1'), 6, /a version and the length of the header/],
    ['version 4', fileOf('{}', [], { major: 4 }), 6, /version 1\.0, 2\.0 or 3\.0, found 4\.0/],
    ['version 1.1', fileOf('{}', [], { minor: 1 }), 6, /version 1\.0, 2\.0 or 3\.0, found 1\.1/],
    [
      'a header cut off',
      fileOf(f4('()')).subarray(0, 20),
      20,
      /a header of \d+ bytes, found the end of the file/,
    ],
    [
      'a huge header',
      fileOf('{}', [], { major: 2 }).fill(0xff, 8, 12),
      8,
      /a header of at most 10000 bytes, found 4294967295/,
    ],
    ['no dictionary', fileOf('[]'), 10, /the '\{' of a Python dictionary, found "\[\]\\n"/],
    ['code', fileOf("__import__('os')"), 10, /the '\{' of a Python dictionary/],
    [
      'a key that is missing',
      fileOf("{'descr': '<f4', 'shape': ()}"),
      10,
      /a dictionary with 'fortran_order', found one without it/,
    ],
    [
      'a key of another name',
      fileOf("{'x': 1}"),
      null,
      /one of 'descr', 'fortran_order' and 'shape', found "x"/,
    ],
    ['a key of Object', fileOf("{'constructor': 1}"), null, /one of 'descr', .* found "constructor"/],
    [
      'a key that stands twice',
      fileOf("{'shape': (), 'shape': ()}"),
      null,
      /each key once, found "shape" for the second time/,
    ],
    [
      'a dictionary that does not end',
      fileOf("{'shape': ()"),
      null,
      /',' or '\}', found the end of the header/,
    ],
    [
      'a second dictionary',
      fileOf(`${f4('()')}{}`),
      null,
      /nothing but spaces after the dictionary, found "\{\}/,
    ],
    [
      'an order of bytes that is unknown',
      fileOf(dictionary("'|f4'", '()'), [0, 0, 0, 0]),
      20,
      /a type .* after its order of bytes .*, found "\|f4"/,
    ],
    [
      'a type of the platform that wrote it',
      fileOf(dictionary("'=f4'", '()'), [0, 0, 0, 0]),
      20,
      /found "=f4"/,
    ],
    ['records', fileOf(dictionary("[('a', '<f4')]", '()')), 20, /found records/],
    ['a shape that is a number', fileOf(f4('(3)')), null, /',' after an extent/],
    ['a shape that is a list', fileOf(f4('[3]')), null, /a tuple of extents/],
    ['a negative extent', fileOf(f4('(-1,)')), null, /an extent: an integer from 0, found "-1,\)/],
    ['an extent that is no integer', fileOf(f4('(1.5,)')), null, /',' after an extent/],
    ['an extent with a leading zero', fileOf(f4('(01,)')), null, /an extent/],
    [
      'an order that is a number',
      fileOf(dictionary("'<f4'", '()', '1')),
      null,
      /True or False, found "1, 's/,
    ],
    [
      'a shape of too many elements',
      fileOf(f4('(65536, 65536)')),
      10,
      /at most 2147483647 elements, found f4 of shape \(65536, 65536\)/,
    ],
    [
      'a shape that overflows',
      fileOf(f4(`(${'99999999999, '.repeat(40)})`)),
      10,
      /at most 2147483647 elements/,
    ],
    [
      'an extent that float64 cannot hold',
      fileOf(f4('(9007199254740993, 0)')),
      10,
      /at most 2147483647 elements/,
    ],
    [
      'data cut off',
      fileOf(f4('(2,)'), [0, 0, 0, 0]),
      null,
      /\d+ bytes for f4 of shape \(2,\), found the end of the file/,
    ],
    [
      'bytes after the data',
      fileOf(f4('()'), [0, 0, 0, 0, 7]),
      null,
      /the end of the file, after f4 of shape \(\), found 1 more bytes/,
    ],
    [
      'a bool of 2',
      fileOf(dictionary("'|b1'", '(2,)'), [1, 2]),
      null,
      /0 or 1, as elements are bool, found 2/,
    ],
  ])('%s', (_, bytes, offset, message) => {
    const error = refusal(bytes);
    expect(error.message).toMatch(message);
    if (offset !== null) expect(error.offset).toBe(offset);
  });

  test('what the format allows is read, however it is spaced', () => {
    const loose = `\t{ "shape" :( 2 ,2L ) ,\n"fortran_order":True,"descr":'>i2'}  `;
    const x = parseNpy(fileOf(loose, [0, 1, 0, 2, 0, 3, 0, 4], { end: '' }));
    expect(x.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test('mutated files give a typed error, or arrays that are whole', () => {
    const bytes = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from('{}()[]\'",:0123456789 <>|L\\')),
    );
    const wounded = writable.chain((x) => {
      const file = serializeNpy(x);
      const place = fc.integer({ min: 0, max: Math.min(file.length, 90) });
      return fc.oneof(
        fc
          .tuple(place, bytes)
          .map(([at, byte]) => Uint8Array.from(file, (old, i) => (i === at ? byte : old))),
        place.map((at) => file.slice(0, at)),
        fc
          .tuple(place, fc.integer({ max: 5, min: 0 }), fc.array(bytes, { maxLength: 5 }))
          .map(([at, cut, put]) =>
            Uint8Array.from([...file.subarray(0, at), ...put, ...file.subarray(at + cut)]),
          ),
      );
    });
    let refused = 0;
    fc.assert(
      fc.property(wounded, (file) => {
        const outcome = attempt(file);
        if (outcome instanceof DataFormatError) refused++;
        else expect(outcome.data.length).toBe(outcome.shape.reduce((a, b) => a * b, 1));
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

test('what NumPy does not have cannot be written', () => {
  expect(() => serializeNpy(zeros([1], { dtype: 'bfloat16' }))).toThrow(DTypeError);
  expect(() => serializeNpy(zeros(Array<number>(65).fill(1)))).toThrow(ArgumentError);
});
