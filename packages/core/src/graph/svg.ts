// A graph as a picture: an SVG document that needs no style sheet, script or font from elsewhere.

import { colours } from './colours.ts';
import { captionOf, type DiagramContent, type NodeKind, typeOf } from './content.ts';
import type { Edge } from './layers.ts';
import { type Box, layOut, type Point } from './layout.ts';

// Boxes are sized by the number of characters, which a font of one width makes exact.
const font = 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const fontSize = 12;
const characterWidth = 7.25;
const boxHeight = 42;

interface Drawn {
  readonly lines: readonly string[];
  readonly tooltip: string;
  readonly style: string;
  readonly role: Box['role'];
  readonly round: boolean;
}

/** Draws the graph from top to bottom, each box with its op, dtype and shape, and its attributes as a tooltip. */
export function drawSvg(diagram: DiagramContent): string {
  const { nodes, outputs, title } = diagram;
  const drawn: Drawn[] = nodes.map((node) => ({
    lines: [captionOf(node), typeOf(node)],
    tooltip: [`%${node.name} = ${node.label}`, node.note].filter((part) => part !== '').join(' '),
    style: `fill="${colours[node.kind].fill}" stroke="${colours[node.kind].line}"`,
    role: roleOf(node.kind),
    round: node.kind === 'input',
  }));
  const edges: Edge[] = nodes.flatMap(({ operands }, to) => {
    const sources = operands.flatMap(({ source }) => (typeof source === 'number' ? [source] : []));
    return [...new Set(sources)].map((from): Edge => [from, to]);
  });
  for (const { name, source } of outputs) {
    edges.push([source, drawn.length]);
    drawn.push({
      lines: [name === '' ? 'output' : name],
      tooltip: `result: %${nodes[source].name}`,
      style: 'fill="#ffffff" stroke="#475569" stroke-dasharray="4 3"',
      role: 'way',
      round: true,
    });
  }
  const boxes: Box[] = drawn.map(({ lines, role }) => ({
    width: Math.max(5, ...lines.map(({ length }) => length)) * characterWidth + 24,
    height: boxHeight,
    role,
  }));
  const { width, height, centres, routes } = layOut(boxes, edges);
  const size = `${Math.ceil(width)} ${Math.ceil(height)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" font-family='${font}' font-size="${fontSize}" text-anchor="middle">`,
    `<title>${escapeXml(title)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z" fill="#64748b"/></marker></defs>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    '<g fill="none" stroke="#64748b" marker-end="url(#arrow)">',
    ...routes.map((route) => `<path d="${curve(route)}"/>`),
    '</g>',
    ...drawn.map((node, i) => drawBox(node, boxes[i], centres[i])),
    '</svg>',
  ].join('\n');
}

function roleOf(kind: NodeKind): Box['role'] {
  if (kind === 'input') return 'input';
  return kind === 'parameter' || kind === 'constant' ? 'aside' : 'way';
}

function drawBox({ lines, tooltip, style, round }: Drawn, { width, height }: Box, { x, y }: Point): string {
  const corner = round ? height / 2 : 6;
  const texts = lines.map((line, i) => {
    const baseline = y + fontSize * 0.35 + (i - (lines.length - 1) / 2) * 15;
    const look = i === 0 ? 'font-weight="600" fill="#0f172a"' : 'fill="#475569"';
    return `<text x="${round1(x)}" y="${round1(baseline)}" ${look}>${escapeXml(line)}</text>`;
  });
  return [
    `<g><title>${escapeXml(tooltip)}</title>`,
    `<rect x="${round1(x - width / 2)}" y="${round1(y - height / 2)}" width="${round1(width)}" height="${height}" rx="${corner}" ${style}/>`,
    ...texts,
    '</g>',
  ].join('');
}

// Leaves and arrives vertically at every point.
function curve(points: readonly Point[]): string {
  const [start, ...rest] = points;
  let { x, y } = start;
  let path = `M${round1(x)} ${round1(y)}`;
  for (const to of rest) {
    const middle = (y + to.y) / 2;
    path +=
      to.x === x ? ` V${round1(to.y)}` : ` C${[x, middle, to.x, middle, to.x, to.y].map(round1).join(' ')}`;
    ({ x, y } = to);
  }
  return path;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text as XML and HTML take it, in elements and in attributes. */
export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
