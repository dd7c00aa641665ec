// What an adjoint check answers: a verdict, the entries that differ, and both as text.

import { AdjointError, formatShape } from '../errors.ts';
import type { Shape } from '../shape.ts';
import type { VerdictKind } from './report.ts';

/**
 * What an adjoint check found, in the words of {@link VerdictKind}, and two of its own:
 * - `notLinear`: the forward or the transposed map is not linear;
 * - `inexact`: results are not integers, or too large to be exact, so that equality proves nothing.
 */
export type AdjointVerdictKind = VerdictKind | 'notLinear' | 'inexact';

/** An entry of the matrix that differs: `forward` is A[output, input], `transpose` is Aᵀ[input, output]. */
export interface AdjointEntry {
  /** Index into A x. */
  readonly output: readonly number[];
  /** Index into x. */
  readonly input: readonly number[];
  /** A[output, input]. */
  readonly forward: number;
  /** Aᵀ[input, output]. */
  readonly transpose: number;
}

/** What an adjoint check answers. */
export interface AdjointReport {
  /** Whether the two maps are adjoint, as far as was tried. */
  readonly ok: boolean;
  /** What was found, and a sentence that explains it. */
  readonly verdict: { readonly kind: AdjointVerdictKind; readonly text: string };
  /** Shapes of x and of A x. */
  readonly input: Shape;
  /** Shape of A x. */
  readonly output: Shape;
  /** `<A x, y>` and `<x, Aᵀ y>` of each trial that was made. */
  readonly products: readonly { readonly forward: number; readonly transpose: number }[];
  /** Entries that differ, found by unit vectors where the matrix is small; at most five. */
  readonly entries: readonly AdjointEntry[];
  /** The report as text: what the assertion's error says. */
  readonly message: string;
}

/** Thrown by {@link assertAdjoint}; carries the report. */
export class AdjointCheckError extends AdjointError {
  override readonly name = 'AdjointCheckError';
  /** What the check found. */
  readonly report: AdjointReport;

  constructor(report: AdjointReport) {
    super(report.message, { op: 'adjointCheck', actual: report.verdict.kind, expected: 'ok' });
    this.report = report;
  }
}

/** A report as text. */
export function messageOf(
  kind: AdjointVerdictKind,
  text: string,
  input: Shape,
  output: Shape,
  entries: readonly AdjointEntry[],
): string {
  const lines = [`${formatShape(input)} -> ${formatShape(output)}: ${kind}. ${text}`];
  for (const { output: row, input: column, forward, transpose } of entries) {
    lines.push(`  A[${row.join(', ')} | ${column.join(', ')}] is ${forward}, the transpose has ${transpose}`);
  }
  return lines.join('\n');
}
