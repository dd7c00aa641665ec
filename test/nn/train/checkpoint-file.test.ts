// Checkpoints on disk: replaced in one step, in order, with nothing left over; a folder that keeps the last and the best.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, DataFormatError, fill_, noGrad } from '@adjoint/core';
import { Linear } from '@adjoint/nn';
import {
  CheckpointError,
  CheckpointFolder,
  loadCheckpoint,
  readCheckpoint,
  saveCheckpoint,
} from '@adjoint/nn/checkpoint';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const inside = (name: string): string => join(directory, name);

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error('it succeeded');
  return error;
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
}

describe('a file', () => {
  test('gives back the state and the notes', async () => {
    const path = inside('a.safetensors');
    const model = new Linear(2, 1);
    const weight = model.weight.toArray();
    await saveCheckpoint(path, { model, progress: { epoch: 2 }, extra: { note: 'x' } });
    noGrad(() => fill_(model.weight, 0));
    const { progress, extra } = await loadCheckpoint(path, { model });
    expect([model.weight.toArray(), progress, extra]).toEqual([weight, { epoch: 2 }, { note: 'x' }]);
    expect(readdirSync(directory)).toEqual(['a.safetensors']);
  });

  test('holds the state of the last call, however many saves run at a time', async () => {
    const path = inside('a.safetensors');
    // Large and small in turn: a small one is encoded sooner than the large one before it.
    const saves = Array.from({ length: 12 }, (_, step) =>
      saveCheckpoint(path, {
        progress: { step },
        extra: { filler: new Uint8Array(step % 2 === 0 ? 4_000_000 : 10) },
      }),
    );
    await Promise.all(saves);
    expect((await readCheckpoint(path)).progress).toEqual({ step: 11 });
    expect(readdirSync(directory)).toEqual(['a.safetensors']);
  });

  test('is read whole at every moment of its replacement', async () => {
    const path = inside('a.safetensors');
    await saveCheckpoint(path, { progress: { step: 0 } });
    let step = 0;
    const writer = (async () => {
      while (step < 30) {
        step++;
        await saveCheckpoint(path, {
          progress: { step },
          extra: { filler: new Uint8Array(100_000).fill(step) },
        });
      }
    })();
    let reads = 0;
    for (let last = 0; step < 30; reads++) {
      const read = await readCheckpoint(path);
      expect(read.progress.step).toBeGreaterThanOrEqual(last);
      last = read.progress.step;
    }
    await writer;
    expect(reads).toBeGreaterThan(10);
  });

  test('that cannot be written leaves the old one, and no litter', async () => {
    const path = inside('a.safetensors');
    await saveCheckpoint(path, { progress: { step: 1 } });
    expect(await failure(saveCheckpoint(inside('none/a'), {}))).toBeInstanceOf(CheckpointError);
    expect(await failure(saveCheckpoint(path, { extra: { f: () => 1 } }))).toBeInstanceOf(ArgumentError);
    // The rename fails: there is a directory in the file's place.
    mkdirSync(inside('taken/full'), { recursive: true });
    const error = await failure(saveCheckpoint(inside('taken'), {}));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(
      /taken: the checkpoint cannot be written, and what was there before is untouched/,
    );
    expect(readdirSync(directory)).toEqual(['a.safetensors', 'taken']);
    expect((await readCheckpoint(path)).progress).toEqual({ step: 1 });
    // A save that failed does not stop the next one.
    await saveCheckpoint(path, { progress: { step: 2 } });
    expect((await readCheckpoint(path)).progress).toEqual({ step: 2 });
  });

  test('that is not there, or is damaged, is an error that names it, and nothing is restored', async () => {
    const path = inside('a.safetensors');
    const model = new Linear(2, 1);
    expect(String(await failure(loadCheckpoint(path, { model })))).toContain(
      `${path}: the file cannot be read (ENOENT`,
    );
    await saveCheckpoint(path, { model });
    noGrad(() => fill_(model.weight, 7));
    damage(path);
    const error = await failure(loadCheckpoint(path, { model }));
    expect(error).toBeInstanceOf(DataFormatError);
    expect(error.message).toContain(`${path}, byte `);
    expect(model.weight.toArray()).toEqual([[7, 7]]);
  });

  test('takes away what killed processes left of it, and nothing else', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const mine = [`.a.${dead}.0123abcd.tmp`, `.a.${process.pid}.00000001.tmp`];
    const others = [
      `.a.${process.pid}.00000002.tmp`,
      `.b.${dead}.0123abcd.tmp`,
      `a.${dead}.0123abcd.tmp`,
      '.a.tmp',
    ];
    for (const name of [...mine, ...others]) writeFileSync(inside(name), '');
    // Ours by its number, but untouched for hours: of a process that had the number before.
    utimesSync(inside(mine[1]), new Date(), new Date(Date.now() - 7_200_000));
    await saveCheckpoint(inside('a'), {});
    expect(readdirSync(directory).sort()).toEqual(['a', ...others].sort());
  });
});

describe('a folder', () => {
  const model = new Linear(1, 1);

  test('keeps the last and the best of any sequence of metrics', async () => {
    const metrics = fc.array(
      fc.option(fc.constantFrom(0, 0.5, -1, 1e-9, Number.NaN, Infinity), { nil: undefined }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        metrics,
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (sequence, keepLast, least) => {
          const folder = new CheckpointFolder(mkdtempSync(inside('run-')), {
            keepLast,
            best: least ? 'least' : 'greatest',
          });
          for (const [step, metric] of sequence.entries())
            await folder.save({ model, progress: { step } }, { metric });

          const steps = sequence.map((_, step) => step);
          const scored = steps.filter(
            (step) => sequence[step] !== undefined && !Number.isNaN(sequence[step]),
          );
          const finite = scored.filter((step) => sequence[step] !== (least ? Infinity : -Infinity));
          const order = (step: number): number => (least ? 1 : -1) * sequence[step]!;
          const best = finite.reduce<number | undefined>(
            (a, b) => (a === undefined || order(b) < order(a) ? b : a),
            undefined,
          );
          const kept = steps.filter((step) => step >= sequence.length - keepLast || step === best);
          expect((await folder.list()).map(({ step }) => step)).toEqual(kept);
          expect((await folder.loadBest({ model }))?.progress.step).toBe(best);
          expect((await folder.load({ model }))?.progress.step).toBe(steps.at(-1));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('that is not there, or is empty, has nothing to load, and is made by the first save', async () => {
    const folder = new CheckpointFolder(inside('a/b'));
    expect(await folder.list()).toEqual([]);
    expect(await folder.load({ model })).toBeNull();
    expect(await folder.loadBest({ model })).toBeNull();
    const { path } = await folder.save({ model, progress: { step: 3 } });
    expect(existsSync(path)).toBe(true);
  });

  test('goes back to the last checkpoint that is whole, and drops the damaged ones with the next save', async () => {
    const folder = new CheckpointFolder(directory);
    for (const step of [1, 2, 3]) await folder.save({ model, progress: { step } });
    for (const { path, step } of await folder.list()) if (step > 1) damage(path);

    const resumed = new CheckpointFolder(directory);
    const loaded = await resumed.load({ model });
    expect([loaded?.progress.step, loaded?.damaged.length]).toEqual([1, 2]);
    await resumed.save({ model, progress: { step: 2 } });
    expect((await resumed.list()).map(({ step }) => step)).toEqual([1, 2]);
    expect((await resumed.load({ model }))?.damaged).toEqual([]);
  });

  test('of damaged checkpoints only says so', async () => {
    const folder = new CheckpointFolder(directory);
    damage((await folder.save({ model, progress: { step: 1 } })).path);
    expect(await failure(folder.load({ model }))).toBeInstanceOf(DataFormatError);
  });

  test('refuses the checkpoints of a second run, which would stand behind those of the first', async () => {
    await new CheckpointFolder(directory).save({ model, progress: { step: 9 } });
    const error = await failure(new CheckpointFolder(directory).save({ model, progress: { step: 1 } }));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(/there is a checkpoint of step 9 already, and this one is of step 1/);
    expect(readdirSync(directory)).toEqual(['step-9.safetensors']);
  });

  test('has one checkpoint of a step: the last that was saved', async () => {
    const folder = new CheckpointFolder(directory);
    await folder.save({ model, progress: { step: 4 } }, { metric: 1 });
    await folder.save({ model, progress: { step: 4 } }, { metric: 2 });
    expect(await folder.list()).toMatchObject([{ step: 4, metric: 2 }]);
  });

  test('saves in order, however many saves run at a time', async () => {
    const folder = new CheckpointFolder(directory, { keepLast: 2 });
    const sizes = [4_000_000, 10, 1_000_000, 10];
    await Promise.all(
      sizes.map((size, step) => folder.save({ progress: { step }, extra: { f: new Uint8Array(size) } })),
    );
    expect((await folder.list()).map(({ step }) => step)).toEqual([2, 3]);
  });

  test('goes by the numbers of steps, not by their names', async () => {
    const folder = new CheckpointFolder(directory, { keepLast: 2 });
    for (const step of [8, 9, 10]) await folder.save({ progress: { step } });
    expect((await folder.list()).map(({ step }) => step)).toEqual([9, 10]);
    expect((await folder.load({}))?.progress.step).toBe(10);
  });

  test('leaves files of other names alone', async () => {
    for (const name of ['notes.txt', 'step-1.txt', 'step-x.safetensors']) writeFileSync(inside(name), '');
    const folder = new CheckpointFolder(directory, { keepLast: 1 });
    for (const step of [1, 2]) await folder.save({ progress: { step } });
    expect(readdirSync(directory).sort()).toEqual([
      'notes.txt',
      'step-1.txt',
      'step-2.safetensors',
      'step-x.safetensors',
    ]);
  });

  test.each<[string, () => unknown]>([
    ['keepLast of 0', () => new CheckpointFolder('x', { keepLast: 0 })],
    ['keepLast of NaN', () => new CheckpointFolder('x', { keepLast: Number.NaN })],
    ['an unknown best', () => new CheckpointFolder('x', { best: 'most' as 'least' })],
  ])('refuses %s', (_, call) => {
    expect(call).toThrow(ArgumentError);
  });

  test.each([-1, 0.5, Number.NaN])('refuses a step of %d', async (step) => {
    expect(await failure(new CheckpointFolder(directory).save({ progress: { step } }))).toBeInstanceOf(
      ArgumentError,
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});
