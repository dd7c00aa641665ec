// Generated geometries: everything that is legal, small enough to check by brute force.

import { type ConvGeometry, convGeometry, convTransposeGeometry, poolGeometry } from '@adjoint/kernels-cpu';
import fc from 'fast-check';

const axisOptions = fc.record({
  input: fc.integer({ min: 1, max: 7 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 4 }),
  padding: fc.integer({ min: 0, max: 4 }),
  dilation: fc.integer({ min: 1, max: 4 }),
  /** Picks outputPadding from its legal interval. */
  extra: fc.nat(99),
});

const channelOptions = fc.record({
  batch: fc.integer({ min: 0, max: 3 }),
  groups: fc.integer({ min: 1, max: 3 }),
  inPerGroup: fc.integer({ min: 1, max: 3 }),
  outPerGroup: fc.integer({ min: 1, max: 3 }),
});

/** Options of `convGeometry`, plus what `convTransposeGeometry` adds; some have an empty output. */
export const optionsArbitrary = fc
  .tuple(
    channelOptions,
    fc
      .integer({ min: 1, max: 3 })
      .chain((dims) => fc.array(axisOptions, { minLength: dims, maxLength: dims })),
  )
  .map(([{ batch, groups, inPerGroup, outPerGroup }, axes]) => ({
    batch,
    groups,
    inChannels: groups * inPerGroup,
    outChannels: groups * outPerGroup,
    // Three axes of full size are slow to check by brute force.
    inputSize: axes.map(({ input }) => (axes.length === 3 ? Math.ceil(input / 2) : input)),
    kernelSize: axes.map(({ kernel }) => (axes.length === 3 ? Math.ceil(kernel / 2) : kernel)),
    stride: axes.map(({ stride }) => stride),
    padding: axes.map(({ padding }) => padding),
    dilation: axes.map(({ dilation }) => dilation),
    outputPadding: axes.map(({ extra, stride, dilation }) => extra % Math.max(stride, dilation)),
  }));

const attempt = (make: () => ConvGeometry): ConvGeometry | undefined => {
  try {
    return make();
  } catch {
    return undefined;
  }
};

/** Legal geometries, made by either constructor. */
export const geometryArbitrary: fc.Arbitrary<ConvGeometry> = fc
  .tuple(fc.boolean(), optionsArbitrary)
  .map(([transpose, { outputPadding, ...options }]) =>
    attempt(() => (transpose ? convTransposeGeometry({ ...options, outputPadding }) : convGeometry(options))),
  )
  .filter((geometry) => geometry !== undefined);

const poolAxisOptions = fc.record({
  input: fc.integer({ min: 1, max: 7 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 4 }),
  padding: fc.nat(2),
  dilation: fc.integer({ min: 1, max: 3 }),
});

/** Pooling geometries of 1 to 3 axes; rows of the input have up to `widest` elements. */
export const poolGeometries = ({ widest = 7 } = {}) =>
  fc
    .record({
      width: fc.integer({ min: 1, max: widest }),
      batch: fc.nat(2),
      channels: fc.integer({ min: 1, max: 2 }),
      ceilMode: fc.boolean(),
      countIncludePad: fc.boolean(),
      divisorOverride: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      axes: fc.array(poolAxisOptions, { minLength: 1, maxLength: 3 }),
    })
    .map(({ axes, width, ...rest }) => {
      try {
        return poolGeometry({
          ...rest,
          inputSize: axes.map(({ input }, axis) => (axis === axes.length - 1 ? width : input)),
          kernelSize: axes.map(({ kernel }) => kernel),
          stride: axes.map(({ stride }) => stride),
          padding: axes.map(({ padding, kernel }) => Math.min(padding, Math.floor(kernel / 2))),
          dilation: axes.map(({ dilation }) => dilation),
        });
      } catch {
        return undefined;
      }
    })
    .filter((geometry) => geometry !== undefined);
