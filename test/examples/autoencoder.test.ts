// The main job, run as a user runs it: what it writes, how it stops, how it goes on, and what it says of bad input.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'examples/autoencoder/main.ts');
const quick = ['--limit', '192', '--batch', '32', '--seed', '3'];
let folder: string;

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

// Without ADJOINT_DATA the digits are drawn, so that these tests are the same on every machine.
function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const { ADJOINT_DATA: _, ...rest } = process.env;
  return spawn(process.execPath, ['--import', 'tsx', main, ...args], { cwd: root, env: { ...rest, ...env } });
}

function finish(child: ChildProcess, onOutput: (text: string) => void = () => {}): Promise<Result> {
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (chunk: Buffer) => {
    stdout += chunk;
    onOutput(stdout);
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const run = (...args: string[]): Promise<Result> => finish(start(args));
const out = (name: string): string => join(folder, name);
async function hash(name: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(out(name), 'checkpoint.safetensors')))
    .digest('hex');
}

// An IDX file of zeros.
function idx(axes: number, sizes: readonly number[]): Uint8Array {
  const header = 4 + 4 * axes;
  const file = new Uint8Array(header + sizes.reduce((product, size) => product * size, 1));
  file.set([0, 0, 8, axes]);
  sizes.forEach((size, i) => {
    new DataView(file.buffer).setUint32(4 + 4 * i, size);
  });
  return file;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adjoint-autoencoder-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('the main job', () => {
  it('learns, and writes pictures, curve and checkpoint', async () => {
    const { code, stdout, stderr } = await run(...quick, '--epochs', '2', '--out', out('whole'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const losses = [...stdout.matchAll(/loss (\d\.\d+)/g)].map(([, loss]) => Number(loss));
    expect(losses.at(-1)!).toBeLessThan(losses[0] * 0.8);
    const png = decode(await readFile(join(out('whole'), 'reconstructions.png')));
    expect(Math.min(png.width, png.height)).toBeGreaterThan(28);
    expect(await readFile(join(out('whole'), 'loss.svg'), 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    expect(existsSync(join(out('whole'), 'checkpoint.safetensors'))).toBe(true);
  });

  it('goes on after an epoch to the bits of an uninterrupted run', async () => {
    await run(...quick, '--epochs', '1', '--out', out('half'));
    expect(await hash('half')).not.toBe(await hash('whole'));
    const { code } = await run(...quick, '--epochs', '2', '--out', out('half'), '--resume');
    expect(code).toBe(0);
    expect(await hash('half')).toBe(await hash('whole'));
  });

  it('says so when nothing is left to do, and changes no checkpoint', async () => {
    const before = await hash('half');
    const { code, stdout } = await run(...quick, '--epochs', '1', '--out', out('half'), '--resume');
    expect(code).toBe(0);
    expect(stdout).toContain('192 images from digits drawn from strokes; 1 epoch of 6 steps.');
    expect(stdout).toContain('Nothing is left to do: the checkpoint is of 2 epochs; give more with --epochs');
    expect(stdout).not.toContain('%');
    expect(await hash('half')).toBe(before);
  });

  it('stops at Ctrl-C with its checkpoint written, and goes on from it to the same bits', async () => {
    const child = start([...quick, '--epochs', '2', '--out', out('stopped')]);
    let interrupted = false;
    const { code, stdout } = await finish(child, (text) => {
      // The first line of progress: in the middle of an epoch.
      if (interrupted || !/\d%/.test(text)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(stdout).toMatch(/Stopped after step \d+ of 6 in epoch [12]; go on with --resume/);
    expect(await hash('stopped')).not.toBe(await hash('whole'));
    await run(...quick, '--epochs', '2', '--out', out('stopped'), '--resume');
    expect(await hash('stopped')).toBe(await hash('whole'));
  });

  it('does not resume with other settings, without a checkpoint, or from a damaged one', async () => {
    const other = await run(
      '--limit',
      '192',
      '--batch',
      '32',
      '--seed',
      '4',
      '--out',
      out('whole'),
      '--resume',
    );
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/made with seed 3, and this run has 4/);
    // As many images, but others: 256 black ones.
    const black = await mkdtemp(join(folder, 'black-'));
    await writeFile(join(black, 't10k-images-idx3-ubyte'), idx(3, [256, 28, 28]));
    await writeFile(join(black, 't10k-labels-idx1-ubyte'), idx(1, [256]));
    const others = await run(...quick, '--data', black, '--out', out('whole'), '--resume');
    expect(others.code).toBe(1);
    expect(others.stderr).toMatch(/made with images of SHA-256 [0-9a-f]{64}, and this run has [0-9a-f]{64}/);
    const none = await run(...quick, '--out', out('none'), '--resume');
    expect(none.code).toBe(1);
    expect(none.stderr).toContain(
      `nothing to go on from: ${join(out('none'), 'checkpoint.safetensors')} does not exist. Leave --resume out to start anew`,
    );
    expect(existsSync(out('none'))).toBe(false);
    const path = join(out('half'), 'checkpoint.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 100] ^= 1;
    await writeFile(path, bytes);
    const damaged = await run(...quick, '--epochs', '3', '--out', out('half'), '--resume');
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(/checkpoint\.safetensors.*byte \d+/);
    expect(damaged.stderr).not.toMatch(/\n\s+at /);
  });

  it('says that training diverged, and writes no checkpoint then', async () => {
    const { code, stderr } = await run(...quick, '--epochs', '1', '--lr', '1e30', '--out', out('diverged'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/the loss became (NaN|Infinity) in epoch 1.*smaller --lr/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(out('diverged'), 'checkpoint.safetensors'))).toBe(false);
  });

  it('says which folder cannot be made', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const { code, stderr } = await run(...quick, '--out', join(file, 'below'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/a-file.*cannot be made \(ENOTDIR/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('names the file and the byte of corrupt data, and every bad option', async () => {
    const data = await mkdtemp(join(folder, 'data-'));
    await writeFile(join(data, 't10k-images-idx3-ubyte'), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 9));
    await writeFile(join(data, 't10k-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0));
    const corrupt = await run('--data', data, '--out', out('corrupt'));
    expect(corrupt.code).toBe(1);
    expect(corrupt.stderr).toMatch(/t10k-images-idx3-ubyte, byte 8/);
    for (const args of [['--lr', '0'], ['--batch', '1.5'], ['--nonsense'], ['--data', '']]) {
      const { code, stderr } = await run(...args);
      expect(code).toBe(1);
      expect(stderr).toContain(args[0]);
    }
  });
});

const digits = process.env.ADJOINT_DATA ?? join(root, '../shared/data/mnist');
describe.runIf(existsSync(digits))('on real digits', () => {
  it('learns from the files of ADJOINT_DATA', async () => {
    const child = start([...quick, '--epochs', '1', '--out', out('real')], { ADJOINT_DATA: digits });
    const { code, stdout } = await finish(child);
    expect(code).toBe(0);
    expect(stdout).toContain('192 images from');
    expect(stdout).toContain('MNIST');
  });
});
