// Killed at any moment, saves included, a run finds a whole checkpoint and ends with the bits of one that was never killed.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCheckpoint } from '@adjoint/nn/checkpoint';
import { afterAll, expect, test } from 'vitest';

const STEPS = 120;
const CHAINS = 4;
const KILLS = 6;
const root = mkdtempSync(join(tmpdir(), 'kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** When to kill: so many milliseconds after the run says a word for the first time. */
interface Kill {
  readonly word: 'at' | 'saving' | 'saved';
  readonly delay: number;
}

/** What a run said, line by line, until it ended or was killed. */
function run(path: string, kill?: Kill): Promise<string[]> {
  const program = join(import.meta.dirname, 'checkpoint-run.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, path, String(STEPS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(import.meta.dirname, '../../..'),
  });
  let said = '';
  let doomed = false;
  child.stdout.on('data', (text: Buffer) => {
    said += text;
    if (kill === undefined || doomed || !said.includes(kill.word)) return;
    doomed = true;
    setTimeout(() => child.kill('SIGKILL'), kill.delay);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve(said.trim().split('\n'));
      else reject(new Error(`the run ended with ${code ?? signal}, after ${JSON.stringify(said)}`));
    });
  });
}

test(`${CHAINS * KILLS} kills leave a whole checkpoint each time, and the same bits in the end`, async () => {
  const whole = join(root, 'whole.safetensors');
  expect((await run(whole)).at(-1)).toBe(`saved ${STEPS}`);
  const expected = readFileSync(whole);
  let killedInSaves = 0;
  let saved = 0;

  const chain = async (name: string): Promise<void> => {
    const folder = mkdtempSync(join(root, name));
    const path = join(folder, 'run.safetensors');
    for (let i = 0; i < KILLS; i++) {
      // At any moment, within or shortly after a save, and some saves later: on a loaded machine the first is over before any save is.
      const word = (['at', 'saving', 'saved'] as const)[i % 3];
      const said = await run(path, { word, delay: Math.random() * (word === 'saving' ? 5 : 250) });
      if (said.at(-1)?.startsWith('saving')) killedInSaves++;
      saved += said.filter((line) => line.startsWith('saved')).length;
      const done = said.filter((line) => /^(at|saved)/.test(line)).map((line) => Number(line.split(' ')[1]));
      const last = done[done.length - 1];
      // No save that was reported done is lost; the one that was under way is there or not.
      if (existsSync(path)) expect([last, last + 1]).toContain((await readCheckpoint(path)).progress.step);
      else expect(last).toBe(0);
    }
    await run(path);
    expect(readFileSync(path).equals(expected)).toBe(true);
    // What the killed saves left was swept up by those that came after.
    expect(readdirSync(folder)).toEqual(['run.safetensors']);
  };
  await Promise.all(Array.from({ length: CHAINS }, (_, i) => chain(`chain-${i}-`)));
  // That the kills came where they were meant to.
  expect(killedInSaves).toBeGreaterThan(0);
  expect(saved).toBeGreaterThan(0);
}, 240_000);
