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

  /** Goes on with one thread, for good. */
  giveUp(): void {
    this.#most = 1;
    this.disband();
  }

  #hire({ module, memory, exports }: SharedInstance): void {
    if (this.threads === 1) return;
    if (this.#workers.length === 0 && maySleep(memory)) exports.allowWaiting();
    while (this.#workers.length + 1 < this.threads) {
      const thread = this.#workers.length + 1;
      const stack = exports.hire() >>> 0;
      if (stack === 0) {
        this.#most = thread;
        return;
      }
      const team = this.#workers;
      try {
        const worker = this.#startWorker({ module, memory, stack, thread }, () => {
          // Not one that was sent home.
          if (team === this.#workers) this.giveUp();
        });
        team.push(worker);
      } catch {
        // The host gives no more workers, which `threads` says from now on.
        this.#most = thread;
      }
    }
  }
}
