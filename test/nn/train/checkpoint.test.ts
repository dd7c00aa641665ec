// Checkpoints as bytes: every value comes back bit for bit, no damage goes unnoticed, and a restore is whole or is not.
import {
  ArgumentError,
  DataFormatError,
  Generator,
  manualSeed,
  rand,
  randn,
  Tensor,
  tensor,
  zeros,
} from '@adjoint/core';
import { parseSafetensors, serializeSafetensors } from '@adjoint/core/io';
import { BatchNorm2d, Conv2d, Flatten, Linear, Module, ReLU, Sequential, StateDictError } from '@adjoint/nn';
import { Adam, SGD } from '@adjoint/nn/optim';
import {
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
} from '@adjoint/nn/train';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultIn } from '../../core/io/faults.ts';
import { essence, tensors } from '../../core/io/tensors.ts';

/** Draws from the default generator, as dropout does. */
class Noise extends Module {
  forward(x: Tensor): Tensor {
    return x.add(rand(x.shape));
  }
}

/** A small run with all kinds of state: weights, running means, momenta, noise, a shuffle with a generator of its own. */
function makeRun() {
  const model = new Sequential(
    new Conv2d(1, 2, 3),
    new BatchNorm2d(2),
    new ReLU(),
    new Noise(),
    new Flatten(),
    new Linear(8, 3),
  );
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const shuffle = new Generator(7);
  const step = (): void => {
    const x = rand([5, 1, 4, 4], { generator: shuffle });
    optimizer.zeroGrad();
    model.forward(x).square().mean().backward();
    optimizer.step();
  };
  return { model, optimizer, shuffle, step, parts: { model, optimizer, generators: { shuffle } } };
}

/** A value with its tensors by their essence, so that `toEqual` compares bits. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) return { tensor: essence(value) };
  if (ArrayBuffer.isView(value))
    return { [value.constructor.name]: Buffer.from(value.buffer).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/** The bits of all that a run is made of. */
async function bitsOfRun({ parts }: ReturnType<typeof makeRun>): Promise<string> {
  return Buffer.from(await encodeCheckpoint(parts)).toString('hex');
}

async function attempt(bytes: Uint8Array): Promise<Checkpoint | DataFormatError> {
  try {
    return await decodeCheckpoint(bytes, { name: 'run.safetensors' });
  } catch (error) {
    return faultIn(bytes, 'run.safetensors', error);
  }
}

const keys = fc.oneof(
  fc.constantFrom('$', 'a', 'a.b', 'b', '__proto__', 'constructor', '0', '1'),
  fc.string(),
);
const trees = fc.letrec<{ tree: unknown; leaf: unknown; object: object }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(null, undefined, true, false, -0, 0, Number.NaN, Infinity, -Infinity, '$', ''),
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    tensors,
    fc.float64Array({ maxLength: 3 }),
    fc.float32Array({ maxLength: 3 }),
    fc.int32Array({ maxLength: 3 }),
    fc.uint8Array({ maxLength: 3 }),
  ),
  object: fc.dictionary(keys, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  tree: fc.oneof({ maxDepth: 3 }, tie('leaf'), fc.array(tie('tree'), { maxLength: 4 }), tie('object')),
})).object;

describe('what is kept', () => {
  test('any tree of plain data, tensors and typed arrays comes back bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (extra) => {
        const { extra: read } = await decodeCheckpoint(await encodeCheckpoint({ extra }));
        expect(plain(read)).toEqual(plain(extra));
        // `toEqual` takes a missing key for undefined, and takes no account of the order.
        expect(Object.keys(read)).toEqual(Object.keys(extra));
      }),
      { numRuns: 300 },
    );
  });

  test('tensors whose paths read alike are told apart', async () => {
    const extra = { 'a.b': tensor([1]), a: { b: tensor([2]) }, 'a.b#2': tensor([3]) };
    const { extra: read } = await decodeCheckpoint(await encodeCheckpoint({ extra }));
    expect(plain(read)).toEqual(plain(extra));
  });

  test('the same state gives the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (extra) => {
        expect(await encodeCheckpoint({ extra })).toEqual(await encodeCheckpoint({ extra }));
      }),
      { numRuns: 50 },
    );
  });

  test('it is a safetensors file, with the weights under the names of the model', async () => {
    const { model, parts } = makeRun();
    const { tensors: read } = parseSafetensors(await encodeCheckpoint(parts));
    for (const [name, x] of Object.entries(model.stateDict())) {
      expect(essence(read[`model.${name}`])).toEqual(essence(x));
    }
  });

  test('the state is that of the moment of the call', async () => {
    const run = makeRun();
    run.step();
    const before = await bitsOfRun(run);
    const encoding = encodeCheckpoint(run.parts);
    run.step();
    expect(Buffer.from(await encoding).toString('hex')).toBe(before);
    expect(await bitsOfRun(run)).not.toBe(before);
  });

  test.each<[string, object, RegExp]>([
    ['a function', { a: [{ b: () => 1 }] }, /a\.0\.b is a function/],
    ['an instance of a class', { when: new Date(0) }, /when is an instance of Date/],
    ['a Map', { map: new Map() }, /map is an instance of Map/],
    ['a bigint', { big: 1n }, /big is a bigint/],
    ['a symbol', { symbol: Symbol('s') }, /symbol is a symbol/],
    [
      'bits of 16-bit numbers, whose meaning is unknown',
      { x: new Uint16Array(1) },
      /x is an instance of Uint16Array/,
    ],
  ])('%s is refused, with its path', async (_, value, message) => {
    const error = await encodeCheckpoint({ extra: value }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(String(error)).toMatch(message);
  });

  test('a tree that contains itself is refused', async () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    await expect(encodeCheckpoint({ extra: loop })).rejects.toThrow(
      /nested deeper than 100 levels, or contains itself/,
    );
  });

  test('progress that is no number is refused', async () => {
    const progress = { epoch: '3' as unknown as number };
    await expect(encodeCheckpoint({ progress })).rejects.toThrow(/progress\.epoch is string/);
  });
});

describe('damage', () => {
  const intact = encodeCheckpoint({
    model: new Linear(3, 2),
    progress: { step: 2 },
    extra: { list: [1, 2] },
  });

  test('of any byte but none is noticed', async () => {
    const bytes = await intact;
    const changes = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(changes, async ([at, flip]) => {
        const wounded = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ flip : byte));
        expect(await attempt(wounded)).toBeInstanceOf(DataFormatError);
      }),
      { numRuns: 500 },
    );
    // The length of the header and what identifies the file, which the checksum does not cover, exhaustively.
    for (let at = 0; at < 160; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const wounded = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        expect(await attempt(wounded), `bit ${bit} of byte ${at}`).toBeInstanceOf(DataFormatError);
      }
    }
  });

  test('by truncation and by bytes that were appended is noticed', async () => {
    const bytes = await intact;
    for (let length = 0; length < bytes.length; length += 1 + (length >> 4)) {
      expect(await attempt(bytes.slice(0, length))).toBeInstanceOf(DataFormatError);
    }
    expect(await attempt(Uint8Array.from([...bytes, 0]))).toBeInstanceOf(DataFormatError);
  });

  test('of plain weights: the error says what they are not', async () => {
    const error = await attempt(serializeSafetensors({ x: zeros([3]) }, { metadata: { format: 'pt' } }));
    expect(String(error)).toContain('Plain weights are read by parseSafetensors');
  });

  // A file that someone made, with a checksum that is right, may hold anything.
  const forge = async (state: string | undefined): Promise<Uint8Array> => {
    const zero = '0'.repeat(64);
    const metadata = {
      'adjoint.checkpoint': '1',
      'adjoint.checksum': `sha256:${zero}`,
      ...(state === undefined ? {} : { 'adjoint.state': state }),
    };
    const bytes = serializeSafetensors({ t: zeros([2]) }, { metadata });
    const at = Buffer.from(bytes).indexOf(zero) + zero.length;
    const hash = await crypto.subtle.digest('SHA-256', bytes.subarray(at));
    bytes.set(Buffer.from(Buffer.from(hash).toString('hex')), at - zero.length);
    return bytes;
  };

  test('by forgery gives a typed error', async () => {
    const whole = '{"progress":{},"extra":{}}';
    expect(await attempt(await forge(whole))).not.toBeInstanceOf(Error);
    const forged = [
      undefined,
      '',
      '{',
      '1',
      '[]',
      'null',
      '{}',
      '{"progress":{"a":"b"},"extra":{}}',
      '{"progress":{},"extra":[]}',
      ...[
        '1',
        '[]',
        '["tensor"]',
        '["tensor","u"]',
        '["tensor","__proto__"]',
        '["number","1"]',
        '["number","constructor"]',
      ]
        .concat([
          '["Float64Array","t"]',
          '["constructor","t"]',
          '["object",[["a"]]]',
          '["object",{}]',
          '["x"]',
        ])
        .map((mark) => `{"progress":{},"extra":{"a":{"$":${mark}}}}`),
      `{"progress":{},"extra":{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}}`,
      `{"progress":{},"extra":{"a":${'{"$":["object",[["a",'.repeat(1e4)}1${']]]}'.repeat(1e4)}}}`,
    ];
    for (const state of forged) {
      expect(await attempt(await forge(state)), state?.slice(0, 100)).toBeInstanceOf(DataFormatError);
    }
    await fc.assert(fc.asyncProperty(fc.json(), async (json) => void (await attempt(await forge(json)))));
  });
});

describe('restoring', () => {
  test('makes the run go on with the same bits', async () => {
    manualSeed(3);
    const run = makeRun();
    for (let i = 0; i < 3; i++) run.step();
    const bytes = await encodeCheckpoint(run.parts);
    for (let i = 0; i < 3; i++) run.step();
    const expected = await bitsOfRun(run);

    manualSeed(99);
    const other = makeRun();
    other.step();
    restoreCheckpoint(await decodeCheckpoint(bytes), other.parts);
    for (let i = 0; i < 3; i++) other.step();
    expect(await bitsOfRun(other)).toBe(expected);
  });

  test('needs the default generator, which the noise is drawn from', async () => {
    // That the test above can fail: without it, the bits are others.
    manualSeed(3);
    const run = makeRun();
    const bytes = await encodeCheckpoint(run.parts);
    run.step();
    const expected = await bitsOfRun(run);
    restoreCheckpoint(await decodeCheckpoint(bytes), run.parts);
    manualSeed(4);
    run.step();
    expect(await bitsOfRun(run)).not.toBe(expected);
  });

  test('takes several models and optimisers by name', async () => {
    const generator = new Linear(2, 2);
    const discriminator = new Linear(2, 1);
    const parts = { model: { generator, discriminator } };
    const bytes = await encodeCheckpoint(parts);
    const weight = essence(discriminator.weight);
    discriminator.loadStateDict({ weight: zeros([1, 2]), bias: zeros([1]) });
    restoreCheckpoint(await decodeCheckpoint(bytes), parts);
    expect(essence(discriminator.weight)).toEqual(weight);
  });

  test('of other parts than were saved lists all that differ, and changes nothing', async () => {
    const run = makeRun();
    const checkpoint = await decodeCheckpoint(
      await encodeCheckpoint({ model: run.model, optimizer: run.optimizer }),
    );
    run.step();
    const before = await bitsOfRun(run);
    const others = { model: run.model, ema: run.model, generators: { shuffle: run.shuffle } };
    let error: unknown;
    try {
      restoreCheckpoint(checkpoint, others);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CheckpointError);
    expect(String(error)).toContain(
      'it has no ema, generators.shuffle; it also has optimizer. Nothing was restored.',
    );
    expect(await bitsOfRun(run)).toBe(before);
  });

  test('with strict: false takes the parts that are given, and leaves the default generator alone', async () => {
    const run = makeRun();
    const checkpoint = await decodeCheckpoint(await encodeCheckpoint(run.parts));
    const weight = essence(run.model.stateDict()['0.weight']);
    run.step();
    manualSeed(11);
    restoreCheckpoint(checkpoint, { model: run.model }, { strict: false });
    const drawn = randn([3]).toArray();
    manualSeed(11);
    expect(randn([3]).toArray()).toEqual(drawn);
    expect(essence(run.model.stateDict()['0.weight'])).toEqual(weight);
    expect(() => restoreCheckpoint(checkpoint, { ema: run.model }, { strict: false })).toThrow(
      CheckpointError,
    );
  });

  test('that fails in the last part leaves all parts as they were', async () => {
    const run = makeRun();
    const bytes = await encodeCheckpoint(run.parts);
    const checkpoint = await decodeCheckpoint(bytes);
    run.step();
    const before = await bitsOfRun(run);

    const smaller = { ...run.parts, optimizer: new SGD(run.model.parameters(), { lr: 0.1 }) };
    expect(() => restoreCheckpoint(checkpoint, smaller)).toThrow(/does not fit/);
    expect(await bitsOfRun(run)).toBe(before);

    const states = { ...checkpoint.states, 'generators.shuffle': { algorithm: 'mt19937' } };
    expect(() => restoreCheckpoint({ ...checkpoint, states }, run.parts)).toThrow(ArgumentError);
    expect(await bitsOfRun(run)).toBe(before);

    // A part that fails in a way of its own, and one that cannot even take back what it gave.
    for (const [takesBack, message] of [
      [true, /loader cannot load its state \(no such key\)\. Nothing was restored\./],
      [false, /loader cannot load its state .* the old state was not taken back by loader/],
    ] as const) {
      const loader = {
        stateDict: () => ({ old: true }),
        loadStateDict: (state: object) => {
          if (!takesBack || !('old' in state)) throw new TypeError('no such key');
        },
      };
      const withLoader = { ...checkpoint, states: { ...checkpoint.states, loader: {} } };
      const call = (): void => restoreCheckpoint(withLoader, { loader, ...run.parts });
      expect(call).toThrow(CheckpointError);
      expect(call).toThrow(message);
      expect(await bitsOfRun(run)).toBe(before);
    }
  });

  test('of a model of another shape lists every flaw, and changes nothing', async () => {
    const bytes = await encodeCheckpoint({ model: new Linear(2, 3) });
    const other = new Linear(3, 3);
    const before = essence(other.weight);
    const checkpoint = await decodeCheckpoint(bytes);
    expect(() => restoreCheckpoint(checkpoint, { model: other })).toThrow(StateDictError);
    expect(essence(other.weight)).toEqual(before);
  });

  test('takes no thing for a part that has no state', async () => {
    const model = tensor([1]) as unknown as Linear;
    await expect(encodeCheckpoint({ model })).rejects.toThrow(
      /model has no stateDict\(\) and loadStateDict\(\)/,
    );
  });
});
