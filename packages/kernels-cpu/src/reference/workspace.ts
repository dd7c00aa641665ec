// Scratch memory in double precision that kernels take and never hand out: recycled, because only they ever see it.

/** Larger workspaces (32 MiB) are not kept between calls. */
const KEPT = 2 ** 22;

/** One recycled array. A kernel must be done with it before anything else takes from the same workspace. */
export class Workspace {
  #array = new Float64Array(0);

  /** At least `length` doubles with unspecified contents. */
  take(length: number): Float64Array {
    if (this.#array.length >= length) return this.#array;
    const array = new Float64Array(length);
    if (length <= KEPT) this.#array = array;
    return array;
  }
}
