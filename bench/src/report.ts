// The report: a table of cases per number of threads, and the geometric means that bars are set on, in Markdown.

import { cpus } from 'node:os';
import type { BenchCase } from './cases.ts';
import { median, type Outcome } from './measure.ts';

/** All that was measured of one case on some number of threads. */
export interface Row {
  readonly case: BenchCase;
  readonly outcomes: readonly Outcome[];
}

/** Median milliseconds of the best variant under a label; undefined if there is none. */
function best({ outcomes }: Row, label: string): number | undefined {
  const medians = outcomes
    .filter(({ process, times }) => process.entry.label === label && times.length > 0)
    .map(({ times }) => median(times));
  return medians.length === 0 ? undefined : Math.min(...medians);
}

function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–';
  if (milliseconds < 0.01) return `${(milliseconds * 1e3).toFixed(2)} µs`;
  if (milliseconds < 1) return `${(milliseconds * 1e3).toFixed(0)} µs`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
}

const ratioText = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));

/** How many times as fast `ours` is as `theirs`. */
function ratio(row: Row, ours: string, theirs: string): number | undefined {
  const [a, b] = [best(row, ours), best(row, theirs)];
  return a === undefined || b === undefined ? undefined : b / a;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

function labelsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(({ outcomes }) => outcomes.map(({ process }) => process.entry.label)))];
}

/** Our tiers, and everyone they are compared with. */
function pairsOf(labels: readonly string[]): [string, string][] {
  const ours = labels.filter((label) => label.startsWith('Adjoint'));
  const peers = labels.filter((label) => !label.startsWith('Adjoint'));
  return ours.flatMap((own) => peers.map((peer): [string, string] => [own, peer]));
}

/** Case by case: medians of all, and PyTorch's best time over ours. */
export function caseTable(rows: readonly Row[]): string {
  const labels = labelsOf(rows);
  const head = ['case', ...labels, 'PyTorch / Adjoint'];
  return markdownTable(
    head,
    rows.map((row) => [
      row.case.name,
      ...labels.map((label) => duration(best(row, label))),
      ratioText(ratio(row, 'Adjoint', 'PyTorch')),
    ]),
  );
}

/** Group by group: the geometric mean and the least of the peers' time over ours. Above 1 we are faster. */
export function groupTable(rows: readonly Row[]): string {
  const pairs = pairsOf(labelsOf(rows));
  const groups = [...new Set(rows.map((row) => row.case.group))];
  return markdownTable(
    ['group', ...pairs.map(([own, peer]) => `${peer} / ${own}`)],
    groups.map((group) => [
      group,
      ...pairs.map(([own, peer]) => {
        const ratios = rows
          .filter((row) => row.case.group === group)
          .map((row) => ratio(row, own, peer))
          .filter((value) => value !== undefined);
        if (ratios.length === 0) return '–';
        const mean = Math.exp(ratios.reduce((total, value) => total + Math.log(value), 0) / ratios.length);
        return `${mean.toFixed(2)} (least ${Math.min(...ratios).toFixed(2)}, of ${ratios.length})`;
      }),
    ]),
  );
}

/** What went wrong, one line each. */
export function problems(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    row.outcomes
      .filter(({ problem }) => problem !== '')
      .map(({ process, problem }) => `${row.case.name}: ${nameOf(process.entry)}: ${problem}`),
  );
}

/** A contestant's label, and its variant if it has several. */
export function nameOf({ label, variant }: { readonly label: string; readonly variant: string }): string {
  return variant === '' ? label : `${label} (${variant})`;
}

/** When and where this was measured. */
export function setting(load: number): string {
  const processors = cpus();
  return `${new Date().toISOString().slice(0, 10)}, ${processors.length}× ${processors[0].model.trim()}, ${process.platform} ${process.arch}, load average ${load.toFixed(1)} before the run.`;
}
