// Each example runs by its one command, for a few steps, and does what it says.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adjoint-examples-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/**
 * What an example prints. Without ADJOINT_DATA digits are drawn, so that these tests are the same on every machine. They run side by side
 * and need no threads of their own.
 */
function run(name: string, ...args: string[]): Promise<string> {
  const { ADJOINT_DATA: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'examples', name), ...args], {
    cwd: root,
    env: { ...env, ADJOINT_NUM_THREADS: '1' },
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${name} ended with ${code}: ${Buffer.concat(err)}`));
    });
  });
}

/** The numbers that follow `before` in the output. */
function numbers(output: string, before: RegExp): number[] {
  const found = [...output.matchAll(new RegExp(`${before.source}(-?[\\d.]+(?:e[+-]?\\d+)?)`, 'g'))];
  return found.map(([, number]) => Number(number));
}

async function picture(...path: string[]) {
  return decode(await readFile(join(folder, ...path)));
}

// Each is a process of its own: they share the cores.
describe.concurrent('examples', () => {
  test('digits: learns to tell most apart, and writes a report and an event file', async () => {
    const output = await run(
      'digits.ts',
      '--steps',
      '60',
      '--images',
      '1000',
      '--out',
      join(folder, 'digits'),
    );
    const [first] = numbers(output, /first loss /);
    // Ten classes: log 10 at first.
    expect(first).toBeCloseTo(Math.log(10), 0);
    expect(numbers(output, /last loss /)[0]).toBeLessThan(0.7 * first);
    expect(numbers(output, /test accuracy /)[0]).toBeGreaterThan(70);
    const report = await readFile(join(folder, 'digits/report.html'), 'utf8');
    expect(report).toContain('test accuracy');
    expect(await readdir(join(folder, 'digits/tensorboard'))).toHaveLength(1);
  });

  test('gan: the critic learns, and the artist draws in its style', async () => {
    const output = await run('gan.ts', '--steps', '10', '--images', '320', '--out', join(folder, 'gan'));
    const critic = numbers(output, /critic /);
    // Undecided at first: 2 log 2.
    expect(critic[0]).toBeCloseTo(2 * Math.log(2), 0);
    expect(critic[1]).toBeLessThan(critic[0]);
    const { width, height } = await picture('gan/samples.png');
    expect([width, height]).toEqual([2 + 16 * 58, 2 + 4 * 58]);
  });

  test('super-resolution: better than bilinear', async () => {
    const output = await run(
      'super-resolution.ts',
      '--steps',
      '40',
      '--images',
      '600',
      '--out',
      join(folder, 'sr'),
    );
    const [bilinear, learned] = [numbers(output, /bilinear /)[0], numbers(output, /U-Net /)[0]];
    expect(learned).toBeGreaterThan(bilinear + 1);
    expect((await picture('sr/samples.png')).width).toBe(2 + 3 * (3 * 28 + 2));
  });

  test('char-lstm: learns letters, and recites some', async () => {
    const output = await run('char-lstm.ts', '--steps', '20');
    const losses = numbers(output, /loss /);
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(0.8 * losses[0]);
    expect(output.slice(output.indexOf("\n'Twas"))).toHaveLength(1 + 5 + 160 + 1);
  });

  test('transformer: learns which digits there are, then where they go', async () => {
    const output = await run('transformer.ts', '--steps', '60');
    const losses = numbers(output, /loss /);
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]);
    // One in ten by chance.
    expect(numbers(output, /new sequences: /)[0]).toBeGreaterThan(40);
    expect(output).toMatch(/(\d ){8} → {2}(\d ){7}\d/);
  });

  test('pinn: solves its equation', async () => {
    const output = await run('pinn.ts', '--steps', '12');
    expect(numbers(output, /sin\(πx\): /)[0]).toBeLessThan(1e-4);
  });

  test('custom-op: the closed form, and the checks tell right from wrong', async () => {
    const output = await run('custom-op.ts');
    const points = [-800, -1.5, -0.2, 0, 0.7, 3].map((x) => x - 0.5);
    const loss =
      points.reduce((sum, x) => sum + Math.abs(x) + Math.log((1 + Math.exp(-2 * Math.abs(x))) / 2), 0) / 6;
    expect(numbers(output, /loss /)[0]).toBeCloseTo(loss, 6);
    expect(output).toMatch(/gradcheck: true\s+gradgradcheck: true/);
    expect(output).toMatch(/forgotten, gradcheck: false\n.*sign/);
  });

  test('kernels-alone: both sides of the adjoint identity are one number', async () => {
    const output = await run('kernels-alone.ts');
    const [left] = numbers(output, /⟨conv\(x\), y⟩ = /);
    expect(left).toBeGreaterThan(0);
    expect(numbers(output, /⟨x, convᵀ\(y\)⟩ = /)).toEqual([left]);
  });

  test('tensors-alone: descent and Newton meet at the line', async () => {
    const output = await run('tensors-alone.ts');
    const [descent, newton] = ['descent: ', 'Newton: {2}'].map(
      (name) => numbers(output, new RegExp(name))[0],
    );
    expect(Math.abs(descent - newton)).toBeLessThan(1e-3);
    expect(Math.abs(newton - 3)).toBeLessThan(0.1);
  });
});
