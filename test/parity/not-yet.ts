// What the fixtures hold and @adjoint/core does not have. coverage.test.ts fails when a line here is out of date.

/** Ops without an adapter, because there is nothing to call. */
export const notYet: readonly string[] = [
  // elementwise
  'remainder',
  'floorDivide',
  'lerp',
  // reductions
  'median',
  // matmul
  'bmm',
  'dot',
  'outer',
  'linear',
  'einsum',
  'triu',
  'tril',
  'diagonal',
  'trace',
  // shape
  'unfold',
  'fold',
  'meshgrid',
  // indexing
  'index',
  'sort',
  'argsort',
  'topk',
  'nonzero',
  'unique',
  'searchsorted',
  // losses
  'ctcOfLogits',
  // normalisation
  'layerNorm',
  'rmsNorm',
  'groupNorm',
  'batchNorm',
  'instanceNorm',
  'localResponseNorm',
  // pooling
  'maxPool1d',
  'maxPool2d',
  'maxPool3d',
  'avgPool1d',
  'avgPool2d',
  'avgPool3d',
  'adaptiveAvgPool1d',
  'adaptiveMaxPool1d',
  'adaptiveAvgPool2d',
  'adaptiveMaxPool2d',
  'adaptiveAvgPool3d',
  'adaptiveMaxPool3d',
  // resample
  'interpolate',
  'pixelShuffle',
  'pixelUnshuffle',
  // attention
  'scaledDotProductAttention',
  // promotion
];

/** Families whose ops exist, but refuse the options that the family is about. */
export const refusedFamilies: readonly string[] = ['convPadding'];

/** Single cases that Adjoint refuses on purpose where PyTorch computes, and why. */
export const deviations: readonly { readonly op: string; readonly name: RegExp; readonly why: string }[] = [
  {
    op: 'mul',
    name: /^promotes: bool, bool/,
    why: 'arithmetic on bool is refused; there are logical ops for it',
  },
];
