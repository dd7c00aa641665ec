// What a host must have for WebAssembly kernels, and what it may have for threads of them; each is tested before it is used.

/** A compiled module; workers are handed it as it is. */
export type Module = object;

/** A linear memory. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
}

/** The parts of the WebAssembly API that the tier uses. */
export interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => Module;
  readonly Instance: new (module: Module, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
  validate(bytes: Uint8Array): boolean;
}

interface NodeWorker {
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'exit', listener: () => void): void;
  unref(): void;
  terminate(): unknown;
}

interface WebWorker {
  onerror: ((event: { readonly message?: string }) => void) | null;
  onmessageerror: (() => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Host {
  readonly WebAssembly?: WebAssemblyApi;
  readonly process?: {
    readonly versions?: { readonly node?: string };
    getBuiltinModule?(name: string): unknown;
  };
  readonly SharedArrayBuffer?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: string[], options: { type: string }) => object;
  readonly URL?: { createObjectURL?(blob: object): string; revokeObjectURL?(url: string): void };
  readonly Buffer?: { readonly prototype: { fill(this: Uint8Array, value: Uint8Array): unknown } };
  readonly Atomics?: { wait(array: Int32Array, index: number, value: number, timeout: number): unknown };
}

const host = globalThis as Host;

/** The WebAssembly API, if there is one. */
export const webAssembly = (): WebAssemblyApi | undefined => host.WebAssembly;

// A function of no arguments and no result, with one instruction of each kind that the modules hold.
const HEAD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10];
const VECTOR = [0x41, 0, 0xfd, 0x0f];
const FENCE_AND_END = [0xfe, 3, 0, 0x0b];
const probes: Record<string, readonly number[]> = {
  simd128: [...HEAD, 12, 1, 10, 0, ...VECTOR, 0x1a, ...FENCE_AND_END],
  relaxed: [...HEAD, 23, 1, 21, 0, ...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 2, 0x1a, ...FENCE_AND_END],
};

/** Whether this host has the instructions of a set. */
export function hasInstructions(instructionSet: string): boolean {
  return host.WebAssembly?.validate(Uint8Array.from(probes[instructionSet])) ?? false;
}

/** Why this host compiles no modules though it has WebAssembly; a page's content security policy may forbid it. */
export function compilationFailure(): string | undefined {
  try {
    if (host.WebAssembly) new host.WebAssembly.Module(Uint8Array.from(probes.simd128));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a worker is told: see WORK. */
export interface Assignment {
  readonly module: Module;
  readonly memory: Memory;
  /** The top of its stack in that memory. */
  readonly stack: number;
  /** Its number, from 1. */
  readonly thread: number;
}

/** A worker that was started; it may be slow to begin, or never do so. */
export interface Worker {
  stop(): void;
}

/** Starts a worker that keeps no process alive. `onFailure` is called, later and with why, if it could not begin or has ended. */
export type StartWorker = (assignment: Assignment, onFailure: (why: string) => void) => Worker;

const WORK = `
const work = ({ module, memory, stack, thread }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, copySome: () => 0 } });
  exports.__stack_pointer.value = stack;
  try {
    exports.serve(thread);
  } catch (error) {
    exports.resign();
    throw error;
  }
};
`;

/** How this host starts workers that share memory, or why it has none, as a sentence. */
export function workerStarter(): StartWorker | { readonly reason: string } {
  const threads = host.process?.versions?.node
    ? (host.process.getBuiltinModule?.('node:worker_threads') as
        | { readonly Worker: new (script: string, options: object) => NodeWorker }
        | undefined)
    : undefined;
  if (threads && host.SharedArrayBuffer) return startNodeWorker(threads.Worker);
  const { Worker, Blob, URL } = host;
  // It may have shared memory, but cannot hand it to workers.
  if (host.crossOriginIsolated === false)
    return {
      reason:
        'There is one thread, because this page is not cross-origin isolated: the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp make it so.',
    };
  if (!host.SharedArrayBuffer || !Worker || !Blob || !URL?.createObjectURL)
    return { reason: 'There is one thread, because this host has no workers that share memory.' };
  return startWebWorker(Worker, () =>
    URL.createObjectURL?.(
      new Blob([WORK, 'onmessage = ({ data }) => work(data);'], { type: 'text/javascript' }),
    ),
  );
}

function startNodeWorker(NodeWorker: new (script: string, options: object) => NodeWorker): StartWorker {
  return (workerData, onFailure) => {
    const worker = new NodeWorker(`${WORK} work(require('node:worker_threads').workerData);`, {
      eval: true,
      workerData,
      // Nothing of what the program's own threads load.
      execArgv: [],
      env: {},
    });
    worker.on('error', ({ message }) => onFailure(message));
    worker.on('exit', () => onFailure('it has ended'));
    worker.unref();
    return { stop: () => void worker.terminate() };
  };
}

function startWebWorker(
  WebWorker: new (url: string) => WebWorker,
  urlOf: () => string | undefined,
): StartWorker {
  let url: string | undefined;
  return (assignment, onFailure) => {
    // Kept: a worker may read its script at any later time.
    url ??= urlOf();
    const worker = new WebWorker(url ?? '');
    // A policy that forbids it is not named in the event.
    worker.onerror = ({ message }) =>
      onFailure(message || 'a Content-Security-Policy must allow them from blob: in worker-src');
    worker.onmessageerror = () => onFailure('it cannot be handed the memory');
    worker.postMessage(assignment);
    return { stop: () => worker.terminate() };
  };
}

/** Whether this thread may sleep: the main thread of a browser may not. */
export function maySleep(memory: Memory): boolean {
  try {
    // Nobody wakes it, and it does not wait.
    host.Atomics?.wait(new Int32Array(memory.buffer, 0, 1), 0, 0, 0);
    return host.Atomics !== undefined;
  } catch {
    return false;
  }
}

/**
 * Copies bytes of which some are in a memory that threads share; not none. `set` copies those word by word, as if others might read them meanwhile,
 * at half the speed that caches have; Node fills a buffer with another one as C does.
 */
export const copyShared: (to: Uint8Array, from: Uint8Array) => void = host.Buffer
  ? fillWith(host.Buffer.prototype.fill)
  : (to, from) => to.set(from);

function fillWith(fill: (this: Uint8Array, value: Uint8Array) => unknown) {
  return (to: Uint8Array, from: Uint8Array) => void fill.call(to, from);
}
