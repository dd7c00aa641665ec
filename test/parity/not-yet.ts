// What the fixtures hold and @adjoint/core does not have. coverage.test.ts fails when a line here is out of date.

/** Ops without an adapter, because there is nothing to call. */
export const notYet: readonly string[] = [];
