// @adjoint/nn/progress: a progress bar with loss, speed and time left on a terminal, plain lines elsewhere.
//
// An entry of its own, because it is for Node while /train runs in browsers too.

import { ArgumentError } from '@adjoint/core/errors';
import { requireOptions } from '@adjoint/core/options';
import { createLogUpdate } from 'log-update';

/** Where progress is written: `process.stderr` is one, and so is anything that takes strings. */
export interface ProgressStream {
  /** Takes a piece of text, escape sequences included. */
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** Width of the terminal in characters; 0 where the terminal does not know it, as under `script` and in some containers. Default 80. */
  readonly columns?: number;
}

/** Options of {@link createProgress}. */
export interface ProgressOptions {
  /** How many units there are to do: at least 0. */
  readonly total: number;
  /** How many were done before this run, as after resuming; they do not count as speed. Default 0. */
  readonly initial?: number | undefined;
  /** What is counted. Default `'images'`. */
  readonly unit?: string | undefined;
  /** Where to write. Default `process.stderr`, so that the output of a program stays its own. */
  readonly stream?: ProgressStream | undefined;
  /** Draw a bar (true) or write plain lines (false). Default: whether `stream` is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** The clock, in milliseconds. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** What to show beside the bar, in the order given: numbers to four digits, strings as they are. */
export type ProgressMetrics = Readonly<Record<string, number | string>>;

/** A running display of progress; see {@link createProgress}. */
export interface Progress {
  /** Say that `done` units of the total are done. Cheap: call it after every batch. */
  update(done: number, metrics?: ProgressMetrics): void;
  /** Write a line of its own, above the bar. */
  log(line: string): void;
  /** Show the last state and leave it standing. Afterwards every call is without effect. */
  stop(): void;
}

const REDRAW_MS = 100;
const LINE_MIN_MS = 1_000;
const LINE_MAX_MS = 30_000;
const LINE_STEP = 0.05;
const SPEED_WINDOW_MS = 10_000;

/**
 * Show progress: `38%  ███▊░░░░░░  22,800/60,000  1,234 images/s  0:30 left  loss 0.01234`.
 *
 * On a terminal the line is redrawn at most ten times a second. Elsewhere (a file, a pipe, CI) a plain line is
 * written at the first update, then at each twentieth of the total, though not within a second of the last line
 * and after thirty seconds at the latest, and at the end. Speed and time left follow the last ten seconds.
 *
 * It draws when it is called and at no other time: there is no timer to keep the process alive, and the cursor is
 * never hidden, so that no kind of death of the process leaves the terminal in disorder.
 *
 * @throws ArgumentError if `total` or `initial` is negative or not finite.
 *
 * @example
 * ```ts
 * const progress = createProgress({ total: 60_000 });
 * for (let done = 64; done <= 60_000; done += 64) progress.update(done, { epoch: '1/5', loss: 0.0123 });
 * progress.stop();
 * ```
 */
export function createProgress(options: ProgressOptions): Progress {
  requireOptions('createProgress', options, {
    total: 'number',
    initial: 'number',
    unit: 'string',
    stream: 'own',
    isTTY: 'boolean',
    now: 'function',
  });
  const { total, initial = 0, unit = 'images', now = () => performance.now() } = options;
  for (const [operand, value] of Object.entries({ total, initial })) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new ArgumentError(`${operand} must be a number of ${unit}, at least 0, found ${value}.`, {
      op: 'createProgress',
      operand,
      actual: value,
      expected: 'a finite number, at least 0',
    });
  }
  const stream = options.stream ?? process.stderr;
  const display = (options.isTTY ?? stream.isTTY === true) ? barDisplay(stream) : lineDisplay(stream);
  const speed = speedometer(now(), initial);
  let state: ProgressState = { done: initial, total, unit, metrics: {}, speed: undefined };
  let stopped = false;
  return {
    update(done, metrics = {}) {
      if (stopped) return;
      const time = now();
      state = { done, total, unit, metrics, speed: speed(time, done) };
      display.show(state, time);
    },
    log(line) {
      if (!stopped) display.log(line, state);
    },
    stop() {
      if (stopped) return;
      stopped = true;
      display.finish(state);
    },
  };
}

/** All that a line tells. */
interface ProgressState {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly metrics: ProgressMetrics;
  /** Units per second; undefined while too little is known. */
  readonly speed: number | undefined;
}

interface Display {
  show(state: ProgressState, time: number): void;
  log(line: string, state: ProgressState): void;
  finish(state: ProgressState): void;
}

function barDisplay(stream: ProgressStream): Display {
  // log-update is typed for Node's streams, of which it uses no more than ProgressStream has. It is told not to touch
  // the cursor: the handlers that would restore it end the process on Ctrl-C before the program's own may run.
  const width = (): number => stream.columns || 80;
  // The height is kept from it: one line fits everywhere, and into a height of 0, which terminals without a size have, it draws nothing.
  const terminal: ProgressStream = {
    write: (text: string) => stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      return width();
    },
  };
  const draw = createLogUpdate(terminal as NodeJS.WritableStream, { showCursor: true });
  let last = Number.NEGATIVE_INFINITY;
  const render = (state: ProgressState): void => draw(barLine(state, width()));
  return {
    show(state, time) {
      if (time - last < REDRAW_MS && state.done < state.total) return;
      last = time;
      render(state);
    },
    log(line, state) {
      draw.clear();
      stream.write(`${line}\n`);
      if (last !== Number.NEGATIVE_INFINITY) render(state);
    },
    finish(state) {
      render(state);
      draw.done();
    },
  };
}

function lineDisplay(stream: ProgressStream): Display {
  let lastTime = Number.NEGATIVE_INFINITY;
  let lastDone = 0;
  let written: ProgressState | undefined;
  const write = (state: ProgressState): void => {
    stream.write(`${plainLine(state)}\n`);
    written = state;
  };
  return {
    show(state, time) {
      const elapsed = time - lastTime;
      const step = state.done - lastDone >= LINE_STEP * state.total && elapsed >= LINE_MIN_MS;
      if (!step && elapsed < LINE_MAX_MS) return;
      lastTime = time;
      lastDone = state.done;
      write(state);
    },
    log(line) {
      stream.write(`${line}\n`);
    },
    finish(state) {
      if (state !== written) write(state);
    },
  };
}

/** Units per second over the last ten seconds, from the times at which `done` was told. */
function speedometer(
  startTime: number,
  startDone: number,
): (time: number, done: number) => number | undefined {
  const marks = [{ time: startTime, done: startDone }];
  return (time, done) => {
    // Every 1/40 of the window is enough, and bounds the list.
    if (time - marks[marks.length - 1].time >= SPEED_WINDOW_MS / 40) marks.push({ time, done });
    while (marks.length > 1 && time - marks[1].time >= SPEED_WINDOW_MS) marks.shift();
    const elapsed = time - marks[0].time;
    // At the very start nothing being done says nothing; later it says that the work stands still.
    const known = elapsed > 0 && (done > startDone || elapsed >= SPEED_WINDOW_MS);
    return known ? (1000 * Math.max(0, done - marks[0].done)) / elapsed : undefined;
  };
}

function barLine(state: ProgressState, columns: number): string {
  const head = percentage(state);
  const tail = facts(state);
  // One column stays free: a full line makes some terminals wrap.
  const room = columns - 1 - head.length - tail.length - 4;
  // A bar too short to read is left out, and facts that do not fit are cut rather than wrapped.
  const line =
    room < 5 ? `${head}  ${tail}` : `${head}  ${bar(fraction(state), Math.min(room, 40))}  ${tail}`;
  return line.slice(0, Math.max(1, columns - 1));
}

function plainLine(state: ProgressState): string {
  return `${percentage(state)}  ${facts(state)}`;
}

function facts({ done, total, unit, metrics, speed }: ProgressState): string {
  const parts = [`${formatCount(done)}/${formatCount(total)}`];
  if (speed !== undefined) {
    parts.push(`${speed < 10 ? speed.toPrecision(2) : formatCount(Math.round(speed))} ${unit}/s`);
    if (speed > 0 && done < total) parts.push(`${formatDuration((total - done) / speed)} left`);
  }
  for (const [name, value] of Object.entries(metrics)) {
    parts.push(`${name} ${typeof value === 'number' ? formatMetric(value) : value}`);
  }
  return parts.join('  ');
}

function fraction({ done, total }: ProgressState): number {
  return total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
}

function percentage(state: ProgressState): string {
  // Rounded down: 100% means done.
  return `${Math.floor(100 * fraction(state))}%`.padStart(4);
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

function bar(part: number, width: number): string {
  const eighths = Math.floor(part * width * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return filled.padEnd(width, '░');
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function formatMetric(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return value.toPrecision(4);
}

/** `0:07`, `12:30`, `1:05:09`, `3d 4h`. */
function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600),
    Math.floor(whole / 60),
  ];
  if (days > 0) return `${days}d ${hours % 24}h`;
  if (hours > 0) return `${hours}:${two(minutes % 60)}:${two(whole % 60)}`;
  return `${minutes}:${two(whole % 60)}`;
}
