// Printed graphs: the text and the picture languages to the letter, as they were looked at; the picture by its geometry.

import {
  add,
  backward,
  copy_,
  GradientError,
  matmul,
  mul,
  noGrad,
  rand,
  relu,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
} from '@adjoint/core';
import { backwardDiagram, type Diagram, trace } from '@adjoint/core/graph';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Edge } from '../../packages/core/src/graph/layers.ts';
import { type Box, layOut } from '../../packages/core/src/graph/layout.ts';
import { programs, runProgram, shape, values } from './graph-programs.ts';

const w = tensor([1, 2, 3, 4], { shape: [2, 2], requiresGrad: true });
const running = tensor([0, 0]);

/** A graph with a node of every kind. */
const graph = trace(
  (x, mask) => {
    const h = add(matmul(x, w), rand([2]));
    noGrad(() => copy_(running, sum(h.detach(), { axes: 0 })));
    return { y: reshape(mul(h, mask), [-1]), h: relu(mul(sum(h), 0.1)) };
  },
  { shape: [3, 2], name: 'x' },
  { shape: [3, 1], dtype: 'int32', name: 'mask' },
).named([['running', running]]);

/** Whether every tag is closed in its turn and no bare `<` or `&` is left: what an XML reader asks for. */
function expectWellFormed(xml: string): void {
  const open: string[] = [];
  for (const [tag, closing, name, rest] of xml.matchAll(/<(\/?)([A-Za-z]+)([^<>]*)>/g)) {
    if (closing === '/') expect(open.pop(), tag).toBe(name);
    else if (!rest.endsWith('/')) open.push(name);
  }
  expect(open).toEqual([]);
  const text = xml.replaceAll(/<[^<>]*>/g, '');
  expect(text).not.toMatch(/[<>]/);
  expect(text.replaceAll(/&(?:amp|lt|gt|quot);/g, '')).not.toContain('&');
}

describe('as text', () => {
  it('every value is given once, with its dtype, shape and attributes', () => {
    expect(`\n${graph}\n`).toBe(`
graph {
  %x = input            : float32 (3, 2)
  %mask = input         : int32 (3, 1)
  %w0 = parameter       : float32 (2, 2)
  %0 = matmul(%x, %w0)  : float32 (3, 2)
  %1 = rand()           : float32 (2,)
  %2 = add(%0, %1)      : float32 (3, 2)
  %3 = detach(%2)       : float32 (3, 2)
  %4 = sum(%3)          : float32 (2,)    {axes=[0] keepdim=false from=[3, 2]}
  %running = constant   : float32 (2,)
  copy_(%running, %4)   : float32 (2,)
  %5 = mul(%2, %mask)   : float32 (3, 2)
  %6 = reshape(%5)      : float32 (6,)    {to=[6] from=[3, 2]}
  %7 = sum(%2)          : float32 ()      {axes=[0, 1] keepdim=false from=[3, 2]}
  %8 = mul(%7, 0.1)     : float32 ()
  %9 = relu(%8)         : float32 ()
  return y: %6, h: %9
}
`);
  });

  it('no name stands for two values', () => {
    const twice = trace(
      (a, b) => add(add(a, b), w),
      { shape: [2, 2], name: '0' },
      { shape: [2, 2], name: '0' },
    );
    const names = twice.named([['0', w]]).nodes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('for other programs', () => {
  const small = trace((x) => matmul(square(x), w), { shape: [1, 2], name: 'say "x" <#>' });

  it('DOT has nodes with captions and edges with the names of operands', () => {
    expect(`\n${small.toDot()}\n`).toBe(`
digraph "graph" {
  node [style="filled,rounded", fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9];
  n0 [label="say \\"x\\" <#>\\nfloat32 (1, 2)", shape=oval, fillcolor="#dbeafe", color="#2563eb"];
  n1 [label="square\\nfloat32 (1, 2)", shape=box, fillcolor="#ffffff", color="#475569"];
  n0 -> n1;
  n2 [label="w0\\nfloat32 (2, 2)", shape=box, fillcolor="#fef3c7", color="#d97706"];
  n3 [label="matmul\\nfloat32 (1, 2)", shape=box, fillcolor="#ffffff", color="#475569"];
  n1 -> n3 [label="a"];
  n2 -> n3 [label="b"];
  out0 [label="output", shape=oval, style=dashed];
  n3 -> out0;
}
`);
  });

  it('Mermaid has the same, with its entities', () => {
    expect(`\n${small.toMermaid()}\n`).toBe(`
flowchart TD
  n0(["say #quot;x#quot; #lt;#35;#gt;<br/>float32 (1, 2)"]):::input
  n1["square<br/>float32 (1, 2)"]:::op
  n0 --> n1
  n2["w0<br/>float32 (2, 2)"]:::parameter
  n3["matmul<br/>float32 (1, 2)"]:::op
  n1 -->|"a"| n3
  n2 -->|"b"| n3
  out0(["output"])
  n3 --> out0
  classDef input fill:#dbeafe,stroke:#2563eb,color:#0f172a
  classDef op fill:#ffffff,stroke:#475569,color:#0f172a
  classDef parameter fill:#fef3c7,stroke:#d97706,color:#0f172a
`);
  });

  it('SVG and HTML are well-formed, and need nothing from elsewhere', () => {
    for (const drawn of [graph.toSvg(), small.toSvg(), small.toHtml()]) {
      expectWellFormed(drawn.replace('<!doctype html>', '').replace('<meta charset="utf-8">', ''));
      const addresses = drawn.match(/https?:[^"' ]*/g);
      expect(addresses).toEqual(['http://www.w3.org/2000/svg']);
      expect(drawn).toContain(drawn.includes('mask') ? '%mask = input' : 'say &quot;x&quot; &lt;#&gt;');
    }
    expect(graph.toHtml()).toContain('copy_(%running, %4)');
    expect(graph.toHtml()).toContain('FLOPs');
  });
});

interface Rect {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const boxesOf = (svg: string): Rect[] =>
  [...svg.matchAll(/<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g)].map((match) => {
    const [x, y, width, height] = match.slice(1).map(Number);
    return { left: x, right: x + width, top: y, bottom: y + height };
  });

describe('the picture', () => {
  const pictures = fc.tuple(programs, values).map(([program, x]): Diagram => {
    const weight = tensor(x, { dtype: 'float64', requiresGrad: true });
    return trace((given: Tensor) => runProgram(program, [given, weight]), { shape, dtype: 'float64' });
  });

  it('shows every node and result in a box of its own, inside the frame, and every edge', () => {
    fc.assert(
      fc.property(pictures, (diagram) => {
        const svg = diagram.toSvg();
        const [width, height] = svg
          .match(/viewBox="0 0 (\d+) (\d+)"/)!
          .slice(1)
          .map(Number);
        const boxes = boxesOf(svg);
        expect(boxes.length).toBe(diagram.nodes.length + diagram.outputs.length);
        boxes.forEach((a, i) => {
          expect(Math.min(a.left, a.top, width - a.right, height - a.bottom)).toBeGreaterThan(0);
          for (const b of boxes.slice(0, i)) {
            const apart = a.left > b.right || b.left > a.right || a.top > b.bottom || b.top > a.bottom;
            expect(apart).toBe(true);
          }
        });
        const edges = diagram.nodes.flatMap(({ operands }) => [
          ...new Set(operands.map(({ source }) => source).filter((s) => typeof s === 'number')),
        ]);
        expect(svg.match(/<path d="M[\d.]+ [\d.]+ [VC]/g)?.length ?? 0).toBe(
          edges.length + diagram.outputs.length,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('of any graph has edges that run downwards and through no box', () => {
    const role = fc.constantFrom<Box['role'][]>('input', 'way', 'aside');
    const drawings = fc
      .array(fc.record({ role, width: fc.integer({ min: 20, max: 200 }) }), { minLength: 1, maxLength: 25 })
      .chain((nodes) => {
        const pair = fc.tuple(fc.nat(nodes.length - 1), fc.nat(nodes.length - 1));
        const edges = fc
          .uniqueArray(pair, { selector: String, maxLength: 40 })
          .map((pairs) => pairs.filter(([from, to]) => from < to) as Edge[]);
        const boxes: Box[] = nodes.map((node) => ({ ...node, height: 40 }));
        return fc.record({ boxes: fc.constant(boxes), edges });
      });
    fc.assert(
      fc.property(drawings, ({ boxes, edges }) => {
        const { centres, routes } = layOut(boxes, edges);
        routes.forEach((route, e) => {
          const [from, to] = edges[e];
          expect(route[0]).toEqual({ x: centres[from].x, y: centres[from].y + 20 });
          expect(route.at(-1)).toEqual({ x: centres[to].x, y: centres[to].y - 20 });
          for (let i = 1; i < route.length; i++) {
            const [a, b] = [route[i - 1], route[i]];
            expect(b.y).toBeGreaterThan(a.y);
            // Where an edge passes boxes it runs straight down; it bends between the layers only.
            const beside = centres.filter(({ y }) => y + 20 > a.y && y - 20 < b.y);
            if (beside.length > 0) expect(b.x).toBe(a.x);
            centres.forEach(({ x, y }, node) => {
              if (y + 20 > a.y && y - 20 < b.y)
                expect(Math.abs(x - a.x)).toBeGreaterThan(boxes[node].width / 2);
            });
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('of a chain is one straight line, whatever hangs beside it', () => {
    const weights = Array.from({ length: 6 }, () => tensor([1, 2, 3, 4], { shape: [2, 2] }));
    const chain = trace((x) => weights.reduce((h, weight) => relu(matmul(h, weight)), x), { shape: [1, 2] });
    const centres = boxesOf(chain.toSvg()).map(({ left, right }) => (left + right) / 2);
    const way = chain.nodes.flatMap(({ kind }, i) => (kind === 'constant' ? [] : [centres[i]]));
    expect(way.length).toBe(13);
    for (const x of [...way, centres.at(-1)!]) expect(x).toBeCloseTo(way[0], 0);
  });
});

describe('the tape of a tensor', () => {
  it('is shown as a graph is, with what it keeps', () => {
    const loss = sum(square(matmul(tensor([[1, 2]]), w)));
    expect(`\n${backwardDiagram(loss, { names: [['weight', w]] })}\n`).toBe(`
tape {
  %weight = leaf           : float32 (2, 2)
  %0 = matmul(·, %weight)  : float32 (1, 2)  {saves=[a]}
  %1 = square(%0)          : float32 (1, 2)  {saves=[x]}
  %2 = sum(%1)             : float32 ()      {axes=[0, 1] keepdim=false from=[1, 2]}
  return %2
}
`);
    backward(loss);
    expect(String(backwardDiagram(loss))).toContain(
      '%1 = square(%0)      : float32 (1, 2)  {saves=[] (let go)}',
    );
    expectWellFormed(backwardDiagram(loss).toSvg());
  });

  it('of a leaf is the leaf', () => {
    expect(String(backwardDiagram(w))).toBe('tape {\n  %w0 = leaf  : float32 (2, 2)\n  return %w0\n}');
  });

  it('is an error where nothing was recorded', () => {
    expect(() => backwardDiagram(noGrad(() => square(w)))).toThrow(GradientError);
  });
});
