// What the fixtures hold and @adjoint/core does not have. coverage.test.ts fails when a line here is out of date.

/** Ops without an adapter, because there is nothing to call. */
export const notYet: readonly string[] = [
  // reductions
  'median',
  // shape
  // indexing
  // losses
  'ctcOfLogits',
  // normalisation
  // pooling
  // resample
  // attention
];

/** Families whose ops exist, but refuse the options that the family is about. */
export const refusedFamilies: readonly string[] = ['convPadding'];
