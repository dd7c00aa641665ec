// One command, one run: us and every peer on this machine, case by case in turn, and a table of medians and ratios.

import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { cases } from './cases.ts';
import { type Effort, measure } from './measure.ts';
import { ContestantError, ContestantProcess } from './process.ts';
import { caseTable, groupTable, nameOf, problems, type Row, setting } from './report.ts';
import { caveats, roster } from './roster.ts';
import { processorTime } from './stolen.ts';

interface Options {
  readonly filter?: RegExp;
  readonly peers?: RegExp;
  readonly threads: readonly number[];
  readonly rounds?: number;
  readonly quick?: boolean;
  readonly output?: string;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new InvalidArgumentError(`It is no regular expression: ${(error as Error).message}`);
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Use a positive integer.');
  return value;
}

const options = new Command('bench')
  .description('Adjoint and its peers side by side, in one run.')
  .option('--filter <pattern>', 'cases whose group or name matches this regular expression', pattern)
  .option('--peers <pattern>', 'contestants whose label matches; Adjoint always takes part', pattern)
  .option(
    '--threads <list>',
    'numbers of threads, with commas',
    (text) => text.split(',').map(positive),
    [1, 4],
  )
  .option('--rounds <count>', 'turns that everyone gets per case (default 9; 3 if quick)', positive)
  .option('--quick', 'a rough look: fewer and shorter turns, nothing of 16M elements')
  .option('--output <file>', 'also write the report to a file')
  .parse()
  .opts<Options>();

const { filter, peers, quick = false } = options;
const effort: Effort = { rounds: options.rounds ?? (quick ? 3 : 9), turn: quick ? 30 : 100 };
const chosen = cases.filter(
  ({ group, name }) =>
    (filter === undefined || filter.test(group) || filter.test(name)) && !(quick && / 16M/.test(name)),
);
if (chosen.length === 0) {
  console.error(`No case matches ${filter}. There are:\n${cases.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(1);
}

const load = loadavg()[0];
const begun = processorTime();
const lines: string[] = [];

/** Starts everyone, and says who they are; who does not start does not take part. */
async function start(threads: number): Promise<ContestantProcess[]> {
  const started: ContestantProcess[] = [];
  const entries = roster(threads).filter(
    ({ label }) => peers === undefined || peers.test(label) || label === 'Adjoint',
  );
  lines.push(...caveats(entries).map((caveat) => `**${caveat}**`), '');
  for (const entry of entries) {
    const contestant = new ContestantProcess(entry);
    try {
      lines.push(`- ${nameOf(entry)}: ${await contestant.describe()}`);
      started.push(contestant);
    } catch (error) {
      if (!(error instanceof ContestantError)) throw error;
      lines.push(`- ${nameOf(entry)}: takes no part: ${error.message}`);
    }
    console.error(lines.at(-1));
  }
  return started;
}

lines.push(
  setting(load),
  `Medians of ${effort.rounds} turns of about ${effort.turn} ms; ratios above 1: Adjoint is faster.`,
);
let failed = false;
for (const threads of options.threads) {
  lines.push('', `## ${threads} ${threads === 1 ? 'thread' : 'threads'}`, '');
  const contestants = await start(threads);
  const rows: Row[] = [];
  for (const [i, benchCase] of chosen.entries()) {
    const row: Row = { case: benchCase, outcomes: await measure(benchCase, contestants, effort) };
    rows.push(row);
    console.error(`${i + 1}/${chosen.length} ${caseTable([row]).split('\n')[2]}`);
    for (const problem of problems([row])) console.error(`  ${problem}`);
  }
  for (const contestant of contestants) contestant.end();
  lines.push('', groupTable(rows), '', caseTable(rows));
  const found = problems(rows);
  if (found.length > 0) lines.push('', 'Not measured:', '', ...found.map((problem) => `- ${problem}`));
  failed ||= found.some((problem) => problem.includes(': Adjoint'));
}

const ended = processorTime();
if (ended.total > begun.total) {
  const share = (100 * (ended.stolen - begun.stolen)) / (ended.total - begun.total);
  lines.push('', `The host took ${share.toFixed(0)} % of the processors' time during the run.`);
}
const report = `${lines.join('\n')}\n`;
console.log(report);
if (options.output !== undefined) writeFileSync(options.output, report);
// A case in which Adjoint fails, or in which the others get other numbers than it, is a failure of the run.
process.exitCode = failed ? 1 : 0;
