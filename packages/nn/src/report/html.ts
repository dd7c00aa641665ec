// The report of a run: one HTML file that needs nothing else, with curves, pictures and numbers.

import { requireArgument, requireOptions } from '@adjoint/core/options';
import type { Picture } from './image-grid.ts';
import { escapeXml, type LossCurveOptions, lossCurveSvg } from './loss-curve.ts';

/** A picture and what to write under it. */
export interface CaptionedPicture extends Picture {
  /** What stands under it. */
  readonly caption: string;
}

/** What a {@link htmlReport} shows. */
export interface ReportContent {
  /** The heading, and the page's title. */
  readonly title: string;
  /** A sentence or two under the title. */
  readonly summary?: string | undefined;
  /** Facts by name: options of the run, final scores. Numbers are shown to four digits. */
  readonly facts?: Readonly<Record<string, string | number>> | undefined;
  /** Curves, one below the other. */
  readonly curves?: readonly LossCurveOptions[] | undefined;
  /** Pictures, one below the other. */
  readonly pictures?: readonly CaptionedPicture[] | undefined;
  /** How often each class (rows) was taken for each (columns), with the names of the classes. Default names: numbers. */
  readonly confusion?:
    | {
        readonly counts: readonly (readonly number[])[];
        readonly classes?: readonly string[] | undefined;
      }
    | undefined;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #27272a; --quiet: #71717a; --line: #e4e4e7; --card: #fff; --page: #fafafa; }
body { font: 15px/1.5 system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; color: var(--ink); background: var(--page); margin: 0; }
main { max-width: 860px; margin: 32px auto; padding: 0 24px; }
h1 { font-size: 26px; margin: 0 0 8px; }
h2 { font-size: 18px; margin: 32px 0 12px; }
h1, p { overflow-wrap: anywhere; }
section, dl { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
section { padding: 12px; margin: 0 0 16px; overflow-x: auto; }
section svg { width: 100%; min-width: 560px; height: auto; display: block; }
dl { display: grid; grid-template-columns: fit-content(50%) 1fr; gap: 4px 20px; margin: 16px 0; padding: 12px 16px; }
dt, th, caption, figcaption { color: var(--quiet); }
dt, dd { overflow-wrap: anywhere; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
figure { margin: 0; }
figcaption { margin-top: 8px; }
img { max-width: 100%; height: auto; image-rendering: pixelated; display: block; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 8px; white-space: nowrap; }
th, td { padding: 4px 10px; text-align: right; font-weight: 400; }
thead th { vertical-align: bottom; }
th[scope=row] { white-space: nowrap; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e7; --quiet: #a1a1aa; --line: #3f3f46; --card: #1c1c1f; --page: #111113; }
  svg .page { fill: var(--card); }
  svg .ink { fill: var(--ink); }
  svg .quiet { fill: var(--quiet); }
  svg .grid { stroke: var(--line); }
  svg .axis { stroke: var(--quiet); }
  svg .training { stroke: #60a5fa; }
  svg .training-mean { stroke: #dbeafe; }
  svg .held-out { stroke: #fb923c; }
  svg circle.training-mean { fill: #dbeafe; }
  svg circle.held-out { fill: #fb923c; }
}
`;

/**
 * Writes the report of a run as one HTML file: no scripts, no links, pictures inside; light or dark as the reader's system is.
 *
 * @example
 * const html = htmlReport({
 *   title: 'Digits',
 *   facts: { accuracy: 0.987 },
 *   curves: [{ title: 'Loss', training: [{ step: 1, loss: 2.3 }, { step: 2, loss: 1.9 }] }],
 *   pictures: [{ ...imageGrid(rand([8, 1, 28, 28])), caption: 'Samples' }],
 * });
 * html.startsWith('<!doctype html>'); // true
 */
export function htmlReport(content: ReportContent): string {
  requireOptions('htmlReport', content, {
    title: 'string',
    summary: 'string',
    facts: 'own',
    curves: 'list',
    pictures: 'list',
    confusion: 'own',
  });
  requireArgument('htmlReport', 'title', content.title, 'string');
  const { title, summary, facts = {}, curves = [], pictures = [], confusion } = content;
  const parts = [
    `<h1>${escapeXml(title)}</h1>`,
    summary === undefined ? '' : `<p>${escapeXml(summary)}</p>`,
    factList(facts),
    curves.length === 0 ? '' : '<h2>Curves</h2>',
    ...curves.map((curve) => `<section>${lossCurveSvg(curve)}</section>`),
    confusion === undefined ? '' : confusionTable(confusion.counts, confusion.classes),
    pictures.length === 0 ? '' : '<h2>Pictures</h2>',
    ...pictures.map(figure),
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body><main>',
    ...parts.filter((part) => part !== ''),
    '</main></body>',
    '</html>',
    '',
  ].join('\n');
}

function factList(facts: Readonly<Record<string, string | number>>): string {
  const entries = Object.entries(facts);
  if (entries.length === 0) return '';
  const rows = entries.map(
    ([name, value]) => `<dt>${escapeXml(name)}</dt><dd>${escapeXml(shown(value))}</dd>`,
  );
  return `<dl>${rows.join('')}</dl>`;
}

function shown(value: string | number): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

function confusionTable(
  counts: readonly (readonly number[])[],
  classes: readonly string[] = counts.map((_, i) => String(i)),
): string {
  const most = Math.max(1, ...counts.flat());
  const head = classes.map((name) => `<th scope="col">${escapeXml(name)}</th>`).join('');
  const rows = counts.map((row, i) => {
    const cells = row.map((count, j) => {
      // Right ones blue, wrong ones orange; the root shows the few among the many.
      const [red, green, blue] = i === j ? [37, 99, 235] : [234, 88, 12];
      const strength = count === 0 ? 0 : 0.08 + 0.6 * Math.sqrt(count / most);
      return `<td style="background:rgb(${red} ${green} ${blue} / ${strength.toFixed(2)})">${count}</td>`;
    });
    return `<tr><th scope="row">${escapeXml(classes[i] ?? String(i))}</th>${cells.join('')}</tr>`;
  });
  const caption = '<caption>Rows: the class it is. Columns: the class it was taken for.</caption>';
  return `<h2>Confusion matrix</h2>\n<section><table>${caption}<thead><tr><td></td>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function figure({ png, width, height, caption }: CaptionedPicture): string {
  const text = escapeXml(caption);
  return `<section><figure><img src="data:image/png;base64,${base64(png)}" width="${width}" height="${height}" alt="${text}"><figcaption>${text}</figcaption></figure></section>`;
}

const PIECE = 0x6000;

// By pieces of a multiple of three bytes, whose codes stand side by side; a call does not take a million arguments.
function base64(data: Uint8Array): string {
  let code = '';
  for (let at = 0; at < data.length; at += PIECE)
    code += btoa(String.fromCharCode(...data.subarray(at, at + PIECE)));
  return code;
}
