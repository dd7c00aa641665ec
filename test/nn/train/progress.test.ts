// The progress display, seen through a stream that keeps what is written and a clock that the test moves.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ArgumentError } from '@adjoint/core/errors';
import { createProgress, type ProgressOptions } from '@adjoint/nn/progress';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const ESCAPE = '\u001b';

/** A stream, a clock and a progress on both. */
function stage(options: Partial<ProgressOptions> & { readonly isTTY: boolean }) {
  const written: string[] = [];
  const clock = { ms: 5000 };
  const stream = { write: (text: string) => written.push(text), columns: 100 };
  const progress = createProgress({ total: 1000, stream, now: () => clock.ms, ...options });
  return { progress, written, clock };
}

/** What a terminal of enough rows shows after all that was written: log-update's sequences, and no others. */
function screenOf(written: readonly string[]): string[] {
  const rows = [''];
  let row = 0;
  const pattern = new RegExp(`${ESCAPE}\\[(\\??)(\\d*)([A-Za-z])|\\n|[^${ESCAPE}\\n]+`, 'g');
  let column = 0;
  for (const [token, isPrivate, count, command] of written.join('').matchAll(pattern)) {
    if (token === '\n') {
      row++;
      column = 0;
      rows[row] ??= '';
    } else if (command === undefined) {
      rows[row] = rows[row].slice(0, column).padEnd(column) + token + rows[row].slice(column + token.length);
      column += token.length;
    } else if (command === 'A') row = Math.max(0, row - Number(count || 1));
    else if (command === 'G') column = 0;
    else if (command === 'K') rows[row] = count === '2' ? '' : rows[row].slice(0, column);
    else if (isPrivate !== '?' || count !== '2026')
      throw new Error(`a sequence this terminal lacks: ${token}`);
  }
  return rows;
}

describe('on a terminal', () => {
  test('one line with part, bar, counts, speed, time left and metrics, redrawn in place', () => {
    const { progress, written, clock } = stage({ isTTY: true });
    for (let done = 0; done <= 500; done += 10) {
      progress.update(done, { epoch: '1/2', loss: 1 / (done + 1) });
      clock.ms += 200;
    }
    const [line, ...rest] = screenOf(written);
    expect(line).toMatch(
      /^ 50% {2}█+░+ {2}500\/1,000 {2}50 images\/s {2}0:10 left {2}epoch 1\/2 {2}loss 0\.001996$/,
    );
    expect(rest).toEqual(['']);
    const filled = line.match(/█/g)?.length ?? 0;
    expect(Math.abs(filled - (line.match(/░/g)?.length ?? 0))).toBeLessThanOrEqual(1);
  });

  test('is redrawn no more than ten times a second, but at the end always', () => {
    const { progress, written, clock } = stage({ isTTY: true });
    for (let done = 1; done < 1000; done++) {
      progress.update(done);
      clock.ms += 1;
    }
    expect(written.length).toBeLessThanOrEqual(10);
    progress.update(1000);
    expect(screenOf(written)[0]).toMatch(/^100%/);
    progress.stop();
  });

  test('lines are logged above the bar, which stays the last', () => {
    const { progress, written, clock } = stage({ isTTY: true });
    progress.log('before');
    progress.update(1);
    clock.ms += 1000;
    progress.log('between');
    expect(screenOf(written).at(-2)).toContain('1/1,000');
    progress.update(2);
    progress.stop();
    const screen = screenOf(written);
    expect(screen.slice(0, 2)).toEqual(['before', 'between']);
    expect(screen[2]).toMatch(/^ {2}0% .*2\/1,000/);
    expect(screen.slice(3)).toEqual(['']);
  });

  test('no line is ever as wide as the terminal, and the cursor stays as it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.nat({ max: 1200 }),
        fc.double(),
        (columns, done, loss) => {
          const written: string[] = [];
          const stream = { write: (text: string) => written.push(text), columns, isTTY: true };
          const progress = createProgress({ total: 1000, stream, now: () => 0 });
          progress.update(done, { loss });
          progress.stop();
          for (const line of screenOf(written))
            expect(line.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
          // Hiding (25l) is what would have to be undone; screenOf throws at it, and here it is said.
          expect(written.join('')).not.toContain(`${ESCAPE}[?25`);
        },
      ),
    );
  });

  test('a terminal that does not know its size, as under script(1), has the bar of 80 columns', () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text), columns: 0, rows: 0, isTTY: true };
    const progress = createProgress({ total: 1000, stream, now: () => 0 });
    progress.update(500, { loss: 1 });
    progress.stop();
    expect(screenOf(written)[0]).toMatch(/^ 50% {2}█+░+ {2}500\/1,000 {2}loss 1$/);
  });

  test('after stop nothing is written', () => {
    const { progress, written } = stage({ isTTY: true });
    progress.update(3, { loss: 1 });
    progress.stop();
    const before = written.length;
    progress.update(4);
    progress.log('late');
    progress.stop();
    expect(written).toHaveLength(before);
  });
});

describe('where the output is no terminal', () => {
  test('plain lines: the first update, every twentieth, the end; without escapes', () => {
    const { progress, written, clock } = stage({ isTTY: false });
    for (let done = 0; done <= 1000; done += 5) {
      progress.update(done, { loss: 0.5 });
      clock.ms += 100;
    }
    progress.stop();
    expect(written.join('')).not.toContain(ESCAPE);
    expect(written.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(written).toHaveLength(21);
    expect(written[0]).toBe('  0%  0/1,000  loss 0.5000\n');
    expect(written[10]).toBe(' 50%  500/1,000  50 images/s  0:10 left  loss 0.5000\n');
    expect(written[20]).toBe('100%  1,000/1,000  50 images/s  loss 0.5000\n');
  });

  test('quick work writes no more than a line a second', () => {
    const { progress, written, clock } = stage({ isTTY: false });
    for (let done = 0; done <= 1000; done++) {
      progress.update(done);
      clock.ms += 3;
    }
    progress.stop();
    // 3 seconds: at 0, 1, 2 and 3, the last of which is the end.
    expect(written).toHaveLength(4);
    expect(written[3]).toMatch(/^100%/);
  });

  test('slow work writes a line every thirty seconds', () => {
    const { progress, written, clock } = stage({ isTTY: false });
    for (let second = 0; second <= 300; second++) {
      progress.update(second / 100);
      clock.ms += 1000;
    }
    expect(written).toHaveLength(11);
  });

  test('the last state is written once, whether stop comes early or at the end', () => {
    const early = stage({ isTTY: false });
    early.progress.update(1);
    early.clock.ms += 10;
    early.progress.update(2);
    early.progress.stop();
    expect(early.written.map((line) => line.split('  ')[2] ?? line)).toHaveLength(2);
    expect(early.written[1]).toContain('2/1,000');

    const whole = stage({ isTTY: false });
    whole.progress.update(1000);
    whole.progress.stop();
    expect(whole.written).toHaveLength(1);
  });

  test('logged lines go out as they are', () => {
    const { progress, written } = stage({ isTTY: false });
    progress.log('epoch 1: loss 0.1');
    expect(written).toEqual(['epoch 1: loss 0.1\n']);
  });
});

describe('speed and time left', () => {
  const lastLine = (written: readonly string[]) => written[written.length - 1];

  test('follow the last ten seconds, not the whole run', () => {
    const { progress, written, clock } = stage({ isTTY: false, total: 100_000 });
    let done = 0;
    const run = (seconds: number, perSecond: number) => {
      for (let step = 0; step < seconds * 10; step++) {
        clock.ms += 100;
        done += perSecond / 10;
        progress.update(done);
      }
    };
    run(60, 100);
    run(12, 1000);
    progress.stop();
    expect(lastLine(written)).toContain('  1,000 images/s');
    expect(lastLine(written)).toContain('  1:22 left');
  });

  test('what was done before this run does not count', () => {
    const { progress, written, clock } = stage({ isTTY: false, initial: 500 });
    clock.ms += 1000;
    progress.update(520);
    expect(lastLine(written)).toBe(' 52%  520/1,000  20 images/s  0:24 left\n');
  });

  test('work that stands still has speed 0 and no end', () => {
    const { progress, written, clock } = stage({ isTTY: false });
    clock.ms += 40_000;
    progress.update(0);
    expect(lastLine(written)).toBe('  0%  0/1,000  0.0 images/s\n');
  });

  test.each([
    [0.9, '0:01'],
    [59.2, '1:00'],
    [750, '12:30'],
    [3909, '1:05:09'],
    [273_600, '3d 4h'],
  ])('%d seconds are %s', (seconds, shown) => {
    const { progress, written, clock } = stage({ isTTY: false, total: 1 + seconds, unit: 'steps' });
    clock.ms += 1000;
    progress.update(1);
    expect(lastLine(written)).toContain(`  1.0 steps/s  ${shown} left`);
  });

  test('a total of nothing is done', () => {
    const { progress, written } = stage({ isTTY: false, total: 0 });
    progress.stop();
    expect(written).toEqual(['100%  0/0\n']);
  });
});

test('totals that are none are refused', () => {
  for (const total of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => createProgress({ total })).toThrow(ArgumentError);
    expect(() => createProgress({ total: 1, initial: total })).toThrow(ArgumentError);
  }
});

test('an unfinished progress keeps no process alive, and leaves Ctrl-C to the program', async () => {
  const script = `
    import { createProgress } from '@adjoint/nn/progress';
    // Once, before the bar exists: the order in which a library that watches signals would end the process itself.
    process.once('SIGINT', () => { clearTimeout(waiting); console.log('stopped cleanly'); });
    const waiting = setTimeout(() => {}, 60_000);
    const progress = createProgress({ total: 10, isTTY: true });
    progress.update(1, { loss: 1 });
    console.log('ready');
  `;
  // Before any library looks whether there is a terminal.
  const terminal = 'data:text/javascript,process.stderr.isTTY = true';
  const child = spawn(
    process.execPath,
    ['--import', terminal, '--import', 'tsx', '--input-type=module', '--eval', script],
    {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (text.includes('ready')) child.kill('SIGINT');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...end) => resolve(end));
  });
  expect({ code, signal, output }, errors).toEqual({
    code: 0,
    signal: null,
    output: 'ready\nstopped cleanly\n',
  });
});
