// The threads of the WebAssembly tier: workers on the module's shared memory, started when the first call comes that is worth it.
// The fork-join itself is simd/wasm/team.cc; here is who takes part.

import { type Memory, type Module, maySleep, type StartWorker, type Worker } from './wasm-host.ts';

/** What a team needs of an instance: see simd/wasm/module.cc and team.cc. */
interface TeamExports {
  hire(): number;
  share(threads: number): void;
  allowWaiting(): void;
}

/** An instance on a shared memory. */
export interface SharedInstance {
  readonly module: Module;
  readonly memory: Memory;
  readonly exports: TeamExports;
}

/** As many as the native tier has at most. */
const MOST_THREADS = 64;

/**
 * The threads that work on one instance. A worker ends in the middle of a task only if that traps, which it then reports
 * (`resign` in team.cc), or if the whole process ends: nobody else can reach it, and here all are at rest when they are stopped.
 */
export class WasmTeam {
  readonly #startWorker: StartWorker;
  #wanted = 1;
  #most = MOST_THREADS;
  /** Why there are no more, once that is known. */
  #why = `a team has no more than ${MOST_THREADS}`;
  #workers: Worker[] = [];
  /** What the instance was told; 0 if it was told nothing. */
  #sharing = 0;

  constructor(startWorker: StartWorker) {
    this.#startWorker = startWorker;
  }

  /** How many threads share the work of a kernel, the caller's included: fewer than asked for if the host gives no more. */
  get threads(): number {
    return Math.min(this.#wanted, this.#most);
  }

  set threads(count: number) {
    this.#wanted = count;
  }

  /** Why there are fewer threads than asked for, as a sentence; undefined if there are as many. */
  get limit(): string | undefined {
    if (this.threads === this.#wanted) return undefined;
    return `There ${this.threads === 1 ? 'is one thread' : `are ${this.threads} threads`} of ${this.#wanted}, because ${this.#why}.`;
  }

  /** Before a call on the instance: shares it among all threads. Nothing may be reserved yet. */
  prepare(instance: SharedInstance): void {
    this.#hire(instance);
    if (this.threads === this.#sharing) return;
    instance.exports.share(this.threads);
    this.#sharing = this.threads;
  }

  /** Sends all workers home: their instance is given up, or cannot have any. */
  disband(): void {
    for (const worker of this.#workers) worker.stop();
    this.#workers = [];
    this.#sharing = 0;
  }

  /** Goes on with one thread, for good; `why` is the end of a sentence. */
  giveUp(why: string): void {
    this.#limit(1, why);
    this.disband();
  }

  #limit(most: number, why: string): void {
    this.#most = most;
    this.#why = why;
  }

  #hire({ module, memory, exports }: SharedInstance): void {
    if (this.threads === 1) return;
    if (this.#workers.length === 0 && maySleep(memory)) exports.allowWaiting();
    while (this.#workers.length + 1 < this.threads) {
      const thread = this.#workers.length + 1;
      const stack = exports.hire() >>> 0;
      if (stack === 0) {
        this.#limit(thread, 'there is no memory for the stacks of more');
        return;
      }
      const team = this.#workers;
      try {
        const worker = this.#startWorker({ module, memory, stack, thread }, (why) => {
          // Not one that was sent home.
          if (team === this.#workers) this.giveUp(`a worker could not begin or has ended (${why})`);
        });
        team.push(worker);
      } catch (error) {
        // `threads` says so from now on.
        this.#limit(
          thread,
          `the host starts no more workers (${error instanceof Error ? error.message : error})`,
        );
      }
    }
  }
}
