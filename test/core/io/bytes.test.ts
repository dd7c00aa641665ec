// What stands in the place of bytes, as types let it through in plain JavaScript: every reader says what to write.

import { ArgumentError } from '@adjoint/core';
import { parseNpy, parseSafetensors, parseSafetensorsShards, requireBytes } from '@adjoint/core/io';
import {
  decodePng,
  gunzipIfNeeded,
  parseCifar,
  parseCsv,
  parseIdx,
  parseNpz,
  parseNumericCsv,
} from '@adjoint/nn/data';
import { decodeCheckpoint } from '@adjoint/nn/train';
import { describe, expect, test } from 'vitest';

const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  parseNpy,
  parseSafetensors,
  parseSafetensorsShards: (bytes) => parseSafetensorsShards(bytes, () => bytes),
  parseIdx,
  parseCsv,
  parseNumericCsv,
  parseNpz,
  parseCifar: (bytes) => parseCifar([{ name: 'batch', bytes }], 'cifar10'),
  gunzipIfNeeded,
  decodePng,
  decodeCheckpoint,
};

describe.each(Object.keys(readers))('%s', (op) => {
  test.each<[unknown, string]>([
    [new ArrayBuffer(8), 'bytes is an ArrayBuffer; give a Uint8Array: write new Uint8Array(buffer).'],
    [Promise.resolve(new Uint8Array(8)), 'bytes is a Promise; give a Uint8Array: await it first.'],
    ['a,b', 'bytes is a String; give a Uint8Array: of a text, write new TextEncoder().encode(text)'],
    [new Response('a'), 'write new Uint8Array(await response.arrayBuffer())'],
    [undefined, 'bytes is undefined; give a Uint8Array'],
    [new Float32Array(2), 'bytes is a Float32Array; give a Uint8Array'],
  ])('refuses %s', async (value, message) => {
    const call = async () => readers[op](value as Uint8Array);
    await expect(call).rejects.toBeInstanceOf(ArgumentError);
    await expect(call).rejects.toThrow(`${op}: `);
    await expect(call).rejects.toThrow(message);
  });
});

test('a Buffer of Node, and bytes of another realm, are bytes', async () => {
  const { runInNewContext } = await import('node:vm');
  for (const bytes of [Buffer.from('ab'), runInNewContext('new Uint8Array(2)'), new Uint8Array(0)])
    expect(() => requireBytes('mine', bytes)).not.toThrow();
});
