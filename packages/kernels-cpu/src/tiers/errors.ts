// The errors of the fast tiers.

/** A fast kernel could not get the scratch memory it needs. Nothing was computed. */
export class KernelMemoryError extends Error {
  override readonly name = 'KernelMemoryError';
  readonly op: string;

  constructor(op: string) {
    super(
      `${op}: no memory for the workspace. Free memory or use smaller operands; ` +
        'ADJOINT_KERNELS=reference needs less of it, and more time.',
    );
    this.op = op;
  }
}

/** A number of threads that is no positive integer. */
export class KernelThreadsError extends RangeError {
  override readonly name = 'KernelThreadsError';
  readonly source: 'setNumThreads' | 'ADJOINT_NUM_THREADS';
  readonly actual: unknown;

  constructor(source: 'setNumThreads' | 'ADJOINT_NUM_THREADS', actual: unknown) {
    super(
      `${source}: the number of threads is ${typeof actual === 'string' ? `'${actual}'` : String(actual)}, expected an integer of at least 1. ` +
        'Pass the number of processor cores that the work may use.',
    );
    this.source = source;
    this.actual = actual;
  }
}
