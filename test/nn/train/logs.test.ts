// Logs and reports: the event file by a reader of its own, JSONL after a kill, the report as a document.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, mseLoss, ones, tensor, zeros } from '@adjoint/core';
import { Linear } from '@adjoint/nn';
import { openJsonlLog, openTensorBoard } from '@adjoint/nn/log';
import { SGD } from '@adjoint/nn/optim';
import { htmlReport, imageGrid } from '@adjoint/nn/report';
import { encodeEvent, histogramOf, parseJsonl, scalarsOf, toJsonl, train } from '@adjoint/nn/train';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adjoint-logs-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

// CRC-32C bit by bit, as its definition has it: the reader shares no table with the writer.
function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    for (let bit = 0; bit < 8; bit++) {
      const out = ((crc >>> 0) ^ (byte >>> bit)) & 1;
      crc >>>= 1;
      if (out === 1) crc ^= 0x82f63b78;
    }
  }
  return ~crc >>> 0;
}
// core/lib/hash/crc32c.h: rotate right by 15 bits, add a constant.
const masked = (crc: number) =>
  Number((BigInt(crc >>> 15) + BigInt((crc * 2 ** 17) % 2 ** 32) + 0xa282ead8n) % 2n ** 32n);

function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const out: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(crc32c(file.subarray(at, at + 8))));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(crc32c(data)));
    out.push(data);
    at += 16 + length;
  }
  return out;
}

type Field = bigint | Uint8Array;
/** The fields of a protocol buffer by number; fixed ones as their bytes. */
function fields(message: Uint8Array): Map<number, Field[]> {
  const all = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (count: number): Uint8Array => {
    at += count;
    return message.subarray(at - count, at);
  };
  while (at < message.length) {
    const key = Number(varint());
    const wire = key & 7;
    const value = wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()));
    all.set(key >> 3, [...(all.get(key >> 3) ?? []), value]);
  }
  return all;
}
const bytesOf = (field: Field | undefined) => field as Uint8Array;
const viewOf = (field: Field | undefined) => {
  const bytes = bytesOf(field);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
const textOf = (field: Field | undefined) => new TextDecoder().decode(bytesOf(field));

test('the reader of this test knows the CRC that RFC 3720 gives for 32 zeros, and for the digits', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});

test('an event file holds what was logged: steps, times, numbers, pictures, histograms', async () => {
  let seconds = 1700000000.25;
  const board = openTensorBoard(join(folder, 'runs'), { now: () => seconds });
  board.log(300, { loss: 0.1, 'eval/accuracy': Number.NaN });
  seconds += 2;
  const picture = imageGrid(zeros([2, 1, 3, 3]));
  board.event(2 ** 40, {
    images: { samples: picture },
    histograms: { w: histogramOf([-1, 0, 3, Number.NaN], 4) },
  });
  board.close();
  expect(() => board.log(1, {})).toThrow(/closed/);
  expect(board.path).toMatch(/events\.out\.tfevents\.1700000000\./);

  const [first, second, third] = records(await readFile(board.path)).map(fields);
  expect(textOf(first.get(3)?.[0])).toBe('brain.Event:2');
  expect(viewOf(second.get(1)?.[0]).getFloat64(0, true)).toBe(1700000000.25);
  expect(second.get(2)).toEqual([300n]);
  const values = (event: Map<number, Field[]>) =>
    (fields(bytesOf(event.get(5)?.[0])).get(1) ?? []).map((v) => fields(bytesOf(v)));
  const [loss, accuracy] = values(second);
  expect([textOf(loss.get(1)?.[0]), viewOf(loss.get(2)?.[0]).getFloat32(0, true)]).toEqual([
    'loss',
    Math.fround(0.1),
  ]);
  expect([textOf(accuracy.get(1)?.[0]), viewOf(accuracy.get(2)?.[0]).getFloat32(0, true)]).toEqual([
    'eval/accuracy',
    Number.NaN,
  ]);

  expect(third.get(2)).toEqual([2n ** 40n]);
  const [samples, weights] = values(third);
  const image = fields(bytesOf(samples.get(4)?.[0]));
  expect([image.get(1), image.get(2)]).toEqual([[BigInt(picture.height)], [BigInt(picture.width)]]);
  expect(decode(bytesOf(image.get(4)?.[0])).width).toBe(picture.width);
  const histogram = fields(bytesOf(weights.get(5)?.[0]));
  const doubles = (field: Field | undefined) =>
    Array.from({ length: bytesOf(field).length / 8 }, (_, i) => viewOf(field).getFloat64(8 * i, true));
  expect([1, 2, 3, 4, 5].map((n) => doubles(histogram.get(n)?.[0])[0])).toEqual([-1, 3, 3, 2, 10]);
  expect(doubles(histogram.get(6)?.[0])).toEqual([0, 1, 2, 3]);
  expect(doubles(histogram.get(7)?.[0])).toEqual([1, 1, 0, 1]);
});

// TensorBoard draws each bucket from the limit before to its own, so the last must end at the greatest number.
test('buckets span the numbers: one without width where all are the same, none for none, and none beyond what a number holds', () => {
  const shape = (values: number[]) => {
    const { limits, counts } = histogramOf(values, 4);
    return { limits, counts };
  };
  expect(shape([2, 2, 2])).toEqual({ limits: [2], counts: [3] });
  expect(shape([Number.NaN])).toEqual({ limits: [], counts: [] });
  expect(shape([-(2 ** 1023), 2 ** 1023])).toEqual({
    limits: [-(2 ** 1022), 0, 2 ** 1022, 2 ** 1023],
    counts: [1, 0, 0, 1],
  });
  expect(shape([0, 5e-324]).counts).toEqual([1, 0, 0, 1]);
  for (const buckets of [0, 1.5, Number.NaN]) expect(() => histogramOf([1], buckets)).toThrow(ArgumentError);
});

test('a step that is no integer has no place in an event file', () => {
  expect(() => encodeEvent({ wallTime: 0, step: 1.5 })).toThrow(ArgumentError);
});

describe('JSONL', () => {
  test('survives a line that was cut off, and a run that goes back to its checkpoint', async () => {
    const path = join(folder, 'deep/run.jsonl');
    const log = openJsonlLog(path);
    for (let step = 1; step <= 4; step++) log.log(step, { loss: step === 2 ? Number.NaN : 1 / step });
    log.close();
    expect(() => log.log(5, {})).toThrow(/closed/);
    await appendFile(path, '{"step":5,"lo');
    const again = openJsonlLog(path, { resumeAt: 3 });
    again.log(4, { loss: 0.25, again: true });
    again.close();
    const kept = parseJsonl(await readFile(path, 'utf8'));
    expect(kept.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect([kept[1].loss, kept[3].again]).toEqual(['NaN', true]);
    openJsonlLog(path).close();
    expect(await readFile(path, 'utf8')).toBe('');
    await writeFile(path, '{"step":1}\nnot json\n');
    expect(() => openJsonlLog(path, { resumeAt: 1 })).toThrow(/run\.jsonl, byte 11/);
  });

  test('typed arrays are arrays, and what JSON has no word for is named, in them too', () => {
    expect(toJsonl({ a: Float32Array.of(0.5, Number.NaN), t: tensor([2]) })).toBe(
      '{"a":[0.5,"NaN"],"t":{"shape":[1],"dtype":"float32","data":[2]}}\n',
    );
  });

  test('a step has its numbers under flat names', async () => {
    const model = new Linear(1, 2);
    const run = train({
      model,
      data: [[ones([1, 1]), ones([1, 2])] as const],
      loss: mseLoss,
      optimizer: new SGD(model.parameters(), { lr: 0.5 }),
      epochs: 1,
      clipGradNorm: 1,
      diagnoseEvery: 1,
      evaluate: () => ({ loss: 2, byClass: { cat: 1 }, matrix: [[1]] }),
    });
    for await (const step of run) {
      const scalars = scalarsOf(step);
      expect(Object.keys(scalars)).toEqual([
        'loss',
        'lr',
        'gradNorm',
        'eval/loss',
        'eval/byClass/cat',
        'gradients/weight',
        'updates/weight',
        'dead/weight',
        'gradients/bias',
        'updates/bias',
      ]);
      expect(scalars['eval/byClass/cat']).toBe(1);
    }
  });
});

describe('the report', () => {
  test('is one document: nothing is loaded, text is text, pictures are inside', () => {
    const picture = imageGrid(tensor([[[[0, 1]]]]), { scale: 2, gap: 1 });
    const html = htmlReport({
      title: 'Digits <1 & 2>',
      summary: 'a "run"',
      facts: { accuracy: 0.98765, steps: 12345, note: '<b>' },
      curves: [
        {
          title: 'Loss',
          training: [
            { step: 1, loss: 2 },
            { step: 2, loss: 1 },
          ],
        },
      ],
      pictures: [{ ...picture, caption: 'Samples' }],
      confusion: {
        counts: [
          [5, 0],
          [1, 4],
        ],
        classes: ['cat', 'dog'],
      },
    });
    expect(html).toContain('<title>Digits &lt;1 &amp; 2&gt;</title>');
    expect(html).not.toContain('<b>');
    expect(html).not.toMatch(/<script|<link|\b(?:src|href)="(?!data:)/);
    expect(html).toContain('<dd>0.9877</dd>');
    expect(html).toContain('<dd>12,345</dd>');
    expect(html).toMatch(/<th scope="row">dog<\/th><td[^>]*>1<\/td><td[^>]*>4<\/td>/);
    const [, data] = /src="data:image\/png;base64,([^"]+)"/.exec(html)!;
    const shown = decode(Buffer.from(data, 'base64'));
    expect([shown.width, shown.height]).toEqual([6, 4]);
    // The pixels of the two: 0 black, 1 white.
    expect([shown.data[3 * 7], shown.data[3 * 9]]).toEqual([0, 255]);
  });

  test('pictures clip, take a range, and show in red what is no number', () => {
    const x = tensor([[[[-3, 0, 3, Number.NaN]]]]);
    const { data } = decode(imageGrid(x, { gap: 0, range: [-1, 1] }).png);
    expect(Array.from(data)).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255, 0xe1, 0x1d, 0x48]);
    expect(() => imageGrid(zeros([2, 2, 3, 3]))).toThrow(/one channel or three/);
    expect(() => imageGrid(x, { range: [1, 1] })).toThrow(/range/);
  });
});
