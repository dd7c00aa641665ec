// What a contestant is: a library that builds a case and runs it.

import type { CaseSpec } from '../cases.ts';

/** A case that is ready to run. */
export interface Prepared {
  /** One run, with all of its results computed when it returns (or resolves). */
  readonly run: () => void | Promise<void>;
  /** The results of one run, in the order and layout of PyTorch (images are N, C, H, W). */
  readonly results: () => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;
  /** Frees what the case holds, where a library asks for that. */
  readonly release?: () => void;
}

/** A library under measurement. */
export interface Contestant {
  /** Its name and version, and how it runs. */
  readonly describe: () => string;
  /** Builds a case; null if the library cannot do it. */
  readonly prepare: (spec: CaseSpec) => Prepared | null | Promise<Prepared | null>;
}
