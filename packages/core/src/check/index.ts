// @adjoint/core/check: gradient checks, for built-in ops and for yours.

export { type AdjointCheckOptions, adjointCheck, assertAdjoint } from './adjoint.ts';
export { adjointCheckOp, assertAdjointOp, type OperandAdjointReport } from './adjoint-op.ts';
export {
  AdjointCheckError,
  type AdjointEntry,
  type AdjointReport,
  type AdjointVerdictKind,
} from './adjoint-report.ts';
export { assertGradcheck, assertGradgradcheck, gradcheck, gradgradcheck } from './gradcheck.ts';
export { assertJvpcheck, jvpcheck } from './jvpcheck.ts';
export type { LinearMap } from './linear-map.ts';
export type { CheckOptions } from './options.ts';
export type { CheckedFunction, CheckPrecision } from './probe.ts';
export {
  type CheckReport,
  type Coordinate,
  GradcheckError,
  type PairReport,
  type StepTried,
  type Verdict,
  type VerdictKind,
} from './report.ts';
