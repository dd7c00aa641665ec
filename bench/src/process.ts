// Talking to one contestant's process: a command per line, an answer per line. What else it prints is not for us.
//
// Between an answer and the next command the process is stopped: threads of many libraries go on waiting busily for a while, on the
// processors that the next one is measured on.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CaseSpec } from './cases.ts';
import type { Command } from './contestants/serve.ts';
import type { Entry } from './roster.ts';

/** A contestant could not do what it was asked. */
export class ContestantError extends Error {
  override name = 'ContestantError';
}

interface Answer {
  readonly error?: string;
  readonly description?: string;
  readonly unsupported?: boolean;
  readonly bound?: boolean;
  readonly digests?: number[][];
  readonly milliseconds?: number;
}

// Nobody else wakes those that are stopped.
const running = new Set<ChildProcessWithoutNullStreams>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A running contestant. */
export class ContestantProcess {
  readonly entry: Entry;
  readonly #child: ChildProcessWithoutNullStreams;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  #complaints = '';
  #ended = false;

  constructor(entry: Entry) {
    this.entry = entry;
    this.#child = spawn(entry.command, [...entry.args], { env: { ...process.env, ...entry.env } });
    this.#child.stderr.on('data', (text) => {
      this.#complaints = `${this.#complaints}${text}`.slice(-2000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('@')) return;
      this.#waiting?.resolve(JSON.parse(line.slice(1)) as Answer);
      this.#waiting = null;
    });
    this.#child.on('close', (code, signal) => {
      this.#ended = true;
      running.delete(this.#child);
      this.#waiting?.reject(
        new ContestantError(
          `the process ended (${signal ?? code}): ${this.#complaints.trim().split('\n').at(-1)}`,
        ),
      );
      this.#waiting = null;
    });
    running.add(this.#child);
    // A process that ended is told of by 'close'; writing to it need not be an event of its own.
    this.#child.stdin.on('error', () => {});
  }

  /** Its name, version and way of running. */
  async describe(): Promise<string> {
    return (await this.#ask({ do: 'describe' })).description!;
  }

  /** Builds a case and gives what its results are like: 'bound' if it only says how fast anyone could be, null if it cannot do it. */
  async prepare(spec: CaseSpec): Promise<number[][] | 'bound' | null> {
    const answer = await this.#ask({ do: 'prepare', spec });
    if (answer.bound) return 'bound';
    return answer.unsupported ? null : answer.digests!;
  }

  /** Milliseconds that `runs` runs of the prepared case take. */
  async time(runs: number): Promise<number> {
    return (await this.#ask({ do: 'time', runs })).milliseconds!;
  }

  /** Lets go of the prepared case. */
  async release(): Promise<void> {
    if (!this.#ended) await this.#ask({ do: 'release' });
  }

  /** Ends the process: it has nothing more to read. */
  end(): void {
    this.#send('SIGCONT');
    this.#child.stdin.end();
  }

  // Windows has no such signals: there they wait as they like.
  #send(signal: 'SIGCONT' | 'SIGSTOP'): void {
    if (process.platform !== 'win32') this.#child.kill(signal);
  }

  #ask(command: Command): Promise<Answer> {
    if (this.#ended) return Promise.reject(new ContestantError('the process has ended'));
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#send('SIGCONT');
      this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    }).then((answer) => {
      this.#send('SIGSTOP');
      if (answer.error !== undefined) throw new ContestantError(answer.error);
      return answer;
    });
  }
}
