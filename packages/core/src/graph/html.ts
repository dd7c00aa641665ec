// A graph as one HTML page: the picture, the program, and, where there is one, the table of costs.

import { colours } from './colours.ts';
import type { DiagramContent, NodeKind } from './content.ts';
import { drawSvg, escapeXml } from './svg.ts';
import { drawText } from './text.ts';

const meanings: Readonly<Record<NodeKind, string>> = {
  input: 'input',
  parameter: 'parameter',
  constant: 'constant',
  op: 'op',
  view: 'view (no copy)',
  made: 'made in each run',
  write: 'change in place',
};

/** Writes the page. `summary` is plain text, shown as it is. */
export function drawHtml(diagram: DiagramContent, summary?: string): string {
  const title = escapeXml(diagram.title);
  const used = new Set(diagram.nodes.map(({ kind }) => kind));
  const legend = [...used].map(
    (kind) =>
      `<span style="background:${colours[kind].fill};border-color:${colours[kind].line}">${meanings[kind]}</span>`,
  );
  const section = (heading: string, text: string): string[] => [
    `<h2>${heading}</h2>`,
    `<pre>${escapeXml(text)}</pre>`,
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${title}</title><style>`,
    'body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #0f172a; background: #ffffff; }',
    'pre { overflow-x: auto; font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; }',
    'figure { margin: 1rem 0; overflow-x: auto; }',
    '.legend span { display: inline-block; margin-right: 0.5rem; padding: 0 0.6rem; border: 1px solid; border-radius: 4px; }',
    '</style></head>',
    '<body>',
    `<h1>${title}</h1>`,
    `<p class="legend">${legend.join('')}</p>`,
    `<figure>${drawSvg(diagram)}</figure>`,
    ...(summary === undefined ? [] : section('Costs', summary)),
    ...section('Program', drawText(diagram)),
    '</body>',
    '</html>',
  ].join('\n');
}
