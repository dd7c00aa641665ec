// docs/ops.md: what the records say of each op, what their comments say of conventions, and what the suite has tried.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DType, dtypes, isFloat } from '@adjoint/core';
import { isNoGradient } from '../../packages/core/src/registry.ts';
import { functionsByOp } from './parity.ts';
import { isLinear, isTyped, tryDType } from './run.ts';
import type { AnyOp, OpSamples } from './sample.ts';
import { samples as table } from './samples/index.ts';

const source = 'packages/core/src/ops';
const folder = join(import.meta.dirname, '../..', source);

/** A file of ops: what it is about, and its records with their comments, in order. */
interface Family {
  readonly file: string;
  readonly about: string;
  readonly ops: readonly { readonly entry: OpSamples; readonly comment: string }[];
}

/** Writes the page. */
export async function document(): Promise<string> {
  const families = await readFamilies();
  const functions = functionsByOp();
  return `${[
    introduction,
    '## All ops\n',
    '| op | operands | dtypes | derivatives checked | forward mode |\n|---|---|---|---|---|',
    ...families.flatMap(({ ops }) => ops.map(({ entry }) => row(entry))),
    ...families.map((family) => section(family, functions)),
  ].join('\n')}\n`;
}

const introduction = `# Ops

Every op of \`@adjoint/core\`, as its record has it. Public functions are these ops or compositions of them; ops without a
function of their own are the derivatives of others.

This page is generated: \`pnpm run docs\` writes it from the records, from their comments, and from what the suite in
\`test/registry\` finds when it runs each op on its samples. A test fails when it is out of date.

- **dtypes**: those that the op takes in its operands of numbers, and the dtype of the result where it is another. In all of
  them values agree with those of float64; 16-bit floats are computed in float32 and rounded once.
- **derivatives checked**: in each operand that has a gradient, derivatives to the third order are compared with central
  differences of float64, on contiguous operands and on 0-d and empty ones where the op takes them, and gradients are the same
  whatever the layout of the operands. *exact adjoint*: the op is linear in an operand, and backward is its transpose to the
  last bit on small integers.
- **forward mode**: *linear* and *multilinear* ops are their own tangents, *element-wise* ones share their rule with reverse
  mode, others have *a rule*. Both modes give the same Jacobian, to 12 digits.
- Values of every op are compared with PyTorch's in float64 to 10 digits, through the functions named in its section or as part
  of their derivatives, or with a formula.
`;

function row({ op, samples, refusals }: OpSamples): string {
  const operands = op.operands.map((name) => `\`${name}\``).join(', ');
  const columns = [
    `[\`${op.name}\`](#${anchor(op)})`,
    operands,
    dtypesOf({ op, samples, refusals }),
    orders(op),
    mode(op),
  ];
  return `| ${columns.join(' | ')} |`;
}

const anchor = ({ name }: AnyOp): string => name.toLowerCase();

// Dtypes that stay as they are, those that become another, and those that are refused.
function dtypesOf({ op, samples }: OpSamples): string {
  const sample = samples.find(({ operands }) => operands.some(({ kind }) => kind === 'numbers'));
  if (sample === undefined) return 'int32';
  const results = new Map<DType | 'refused', DType[]>();
  for (const dtype of dtypes) {
    const { output } = tryDType(op, sample, dtype);
    const result = isTyped(output) ? 'refused' : output.dtype;
    results.set(result, [...(results.get(result) ?? []), dtype]);
  }
  if (op.name === 'cast') return 'all, to any';
  const kept = dtypes.filter((dtype) => results.get(dtype)?.includes(dtype));
  const parts = kept.length > 1 ? [listed(kept)] : [];
  for (const [result, from] of results) {
    const others = kept.length > 1 ? from.filter((dtype) => dtype !== result) : from;
    if (result !== 'refused' && others.length > 0) parts.push(`${listed(others)} → ${result}`);
  }
  const refused = results.get('refused');
  return [...parts, ...(refused === undefined ? [] : [`not ${listed(refused)}`])].join('; ');
}

function listed(given: readonly DType[]): string {
  if (given.length === dtypes.length) return 'all';
  const floats = dtypes.filter(isFloat);
  const all = floats.every((dtype) => given.includes(dtype));
  return [...(all ? ['floats'] : []), ...given.filter((dtype) => !(all && isFloat(dtype)))].join(', ');
}

function orders(op: AnyOp): string {
  if (op.vjps.every(isNoGradient)) return 'none';
  return isLinear(op) ? '1st, 2nd, 3rd, exact adjoint' : '1st, 2nd, 3rd';
}

function mode({ forwardMode }: AnyOp): string {
  if (typeof forwardMode === 'function') return 'a rule';
  if (typeof forwardMode === 'object') return 'none';
  return forwardMode === 'elementwise' ? 'element-wise' : forwardMode;
}

function section({ file, about, ops }: Family, functions: ReturnType<typeof functionsByOp>): string {
  const title = `## [${file}](../${source}/${file})\n\n${about}\n`;
  const parts = ops.map(({ entry: { op, neverEmpty, neverScalar }, comment }) => {
    const lines = [`### ${op.name}\n`, `${comment}\n`];
    const limits = [
      ...noGradients(op),
      ...(neverEmpty === undefined ? [] : [`No empty operands: ${neverEmpty}.`]),
      ...(neverScalar === undefined ? [] : [`No 0-d operands: ${neverScalar}.`]),
    ];
    limits.push(...comparedIn(op, functions.get(op) ?? new Set()));
    if (limits.length > 0) lines.push(`${limits.map((limit) => `- ${limit}`).join('\n')}\n`);
    return lines.join('\n');
  });
  return `\n${title}\n${parts.join('\n')}`.trimEnd();
}

// The functions of the parity table that run it, its own first. A handful says enough.
function comparedIn({ name: own }: AnyOp, functions: ReadonlySet<string>): string[] {
  if (functions.size === 0) return [];
  const others = [...functions].filter((name) => name !== own).sort();
  const names = [...(functions.has(own) ? [own] : []), ...others].slice(0, 6).map((name) => `\`${name}\``);
  return [`Compared with PyTorch in: ${names.join(', ')}${functions.size > 6 ? ' and others' : ''}.`];
}

function noGradients(op: AnyOp): string[] {
  const lines = op.vjps.flatMap((rule, i) =>
    isNoGradient(rule) ? [`No gradient in \`${op.operands[i]}\`: ${rule.reason}`] : [],
  );
  // One reason for all operands is said once.
  const [first] = op.vjps;
  const shared = op.vjps.every(
    (rule) => isNoGradient(rule) && isNoGradient(first) && rule.reason === first.reason,
  );
  return shared && isNoGradient(first) ? [`No gradient: ${first.reason}`] : lines;
}

async function readFamilies(): Promise<Family[]> {
  const files = readdirSync(folder)
    .filter((file) => file !== 'table.ts')
    .sort();
  const families = await Promise.all(files.map(readFamily));
  return families.filter(({ ops }) => ops.length > 0);
}

async function readFamily(file: string): Promise<Family> {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const module: Readonly<Record<string, unknown>> = await import(path);
  const about = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? '';
  // A comment, and the constant that it stands above.
  const commented = text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+)\b/g);
  const ops = [...commented].flatMap(([, comment, name]) => {
    const entry = table.find(({ op }) => op === module[name]);
    return entry === undefined ? [] : [{ entry, comment: proseOf(comment) }];
  });
  return { file, about: firstParagraph(about.replaceAll(/^\/\/ ?/gm, '')), ops };
}

// The first paragraph of a file's comment, on one line.
function firstParagraph(text: string): string {
  const paragraph = text.split('\n\n')[0].replaceAll('\n', ' ').trim();
  return paragraph.endsWith('.') ? paragraph : `${paragraph}.`;
}

function proseOf(comment: string): string {
  return comment
    .replaceAll(/^ *\* ?/gm, '')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
