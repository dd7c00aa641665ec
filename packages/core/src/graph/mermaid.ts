// A graph as a Mermaid flowchart.

import { colours } from './colours.ts';
import { captionOf, type DiagramContent, typeOf } from './content.ts';

/** Writes a flowchart; operands are named on the edges of ops that have several. */
export function drawMermaid({ nodes, outputs }: DiagramContent): string {
  const lines = nodes.flatMap((node, i) => {
    const label = `"${inQuotes(captionOf(node))}<br/>${inQuotes(typeOf(node))}"`;
    const box = node.kind === 'input' ? `([${label}])` : `[${label}]`;
    const edges = node.operands.flatMap(({ label: operand, source }) =>
      typeof source === 'string'
        ? []
        : [`n${source} -->${node.operands.length > 1 ? `|"${inQuotes(operand)}"|` : ''} n${i}`],
    );
    return [`n${i}${box}:::${node.kind}`, ...edges];
  });
  const ends = outputs.flatMap(({ name, source }, i) => [
    `out${i}(["${inQuotes(name === '' ? 'output' : name)}"])`,
    `n${source} --> out${i}`,
  ]);
  const used = new Set(nodes.map(({ kind }) => kind));
  const styles = [...used].map(
    (kind) => `classDef ${kind} fill:${colours[kind].fill},stroke:${colours[kind].line},color:#0f172a`,
  );
  return ['flowchart TD', ...[...lines, ...ends, ...styles].map((line) => `  ${line}`)].join('\n');
}

// Quoted labels take any text but quotes; entities are written with '#'.
function inQuotes(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll('"', '#quot;')
    .replaceAll('<', '#lt;')
    .replaceAll('>', '#gt;');
}
