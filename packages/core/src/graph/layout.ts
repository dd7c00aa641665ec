// Where each box of a picture stands and how its edges run: the second half of a layered layout.

import { arrangeLayers, type Edge, type Layers } from './layers.ts';
import { straighten } from './straighten.ts';

/** A box to be placed. */
export interface Box {
  readonly width: number;
  readonly height: number;
  /** `aside` hangs on the node that uses it, rather than on the way from inputs to outputs. */
  readonly role: 'input' | 'way' | 'aside';
}

/** A point of the picture; y grows downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Centres of the boxes, and per edge the points that it runs through, from the bottom of one box to the top of another. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly centres: readonly Point[];
  readonly routes: readonly (readonly Point[])[];
}

const gapX = 24;
const gapY = 36;
const margin = 16;
const throughWidth = 8;
const rounds = 12;

/** Lays out boxes in layers from top to bottom. An edge runs from a box to one with a higher number. */
export function layOut(boxes: readonly Box[], edges: readonly Edge[]): Layout {
  const layers = arrangeLayers(boxes.length, edges, (node) => boxes[node].role === 'input');
  const { places, order } = layers;
  const x = placeHorizontally(layers, boxes);
  const widthOf = (place: number): number => boxes[places[place].node ?? -1]?.width ?? throughWidth;
  const left = Math.min(...x.map((centre, place) => centre - widthOf(place) / 2)) - margin;
  const right = Math.max(...x.map((centre, place) => centre + widthOf(place) / 2)) + margin;

  let y = margin;
  const middles: number[] = [];
  const heights: number[] = [];
  for (const layer of order) {
    const height = Math.max(...layer.map((place) => boxes[places[place].node ?? -1]?.height ?? 0));
    heights.push(height);
    middles.push(y + height / 2);
    y += height + gapY;
  }
  const at = (place: number): Point => ({ x: x[place] - left, y: middles[places[place].layer] });
  const routes = layers.routes.map((route) =>
    route.flatMap((place, i) => {
      const { x: px, y: py } = at(place);
      const { node, layer } = places[place];
      const half = (node === null ? heights[layer] : boxes[node].height) / 2;
      const ends: Point[] = [];
      if (i > 0) ends.push({ x: px, y: py - half });
      if (i < route.length - 1) ends.push({ x: px, y: py + half });
      return ends;
    }),
  );
  return {
    width: right - left,
    height: y - gapY + margin,
    centres: boxes.map((_, node) => at(node)),
    routes,
  };
}

// Draws each place towards its neighbours above, then below, and again: the long way through the graph becomes straight.
function placeHorizontally({ places, order }: Layers, boxes: readonly Box[]): number[] {
  const x = new Array<number>(places.length).fill(0);
  const half = places.map(({ node }) => (node === null ? throughWidth : boxes[node].width) / 2);
  // How much an edge pulls: one that is led around others most, one from a parameter least.
  const stiffness = (a: number, b: number): number => {
    if (places[a].node === null || places[b].node === null) return 4;
    return boxes[places[a].node].role === 'aside' ? 0.05 : 1;
  };
  const settle = (layer: readonly number[], neighbours: 'above' | 'below' | 'both'): void => {
    const wishes = layer.map((place) => {
      const { above, below } = places[place];
      const pulls = [
        ...(neighbours === 'below' ? [] : above.map((other) => [x[other], stiffness(other, place)])),
        ...(neighbours === 'above' ? [] : below.map((other) => [x[other], stiffness(place, other)])),
      ];
      const weight = pulls.reduce((total, [, w]) => total + w, 0);
      if (weight === 0) return { at: x[place], weight: 0.01 };
      return { at: pulls.reduce((total, [target, w]) => total + target * w, 0) / weight, weight };
    });
    const solved = separate(
      wishes,
      layer.map((place, i) => (i === 0 ? 0 : half[layer[i - 1]] + half[place] + gapX)),
    );
    layer.forEach((place, i) => {
      x[place] = solved[i];
    });
  };
  for (const layer of order) settle(layer, 'above');
  for (let round = 0; round < rounds; round++) {
    for (const layer of [...order].reverse()) settle(layer, 'below');
    for (const layer of order) settle(layer, 'above');
  }
  for (let round = 0; round < rounds; round++) for (const layer of order) settle(layer, 'both');
  const isAside = (node: number | null): boolean => node !== null && boxes[node].role === 'aside';
  straighten({ places, order, isAside, half, gap: gapX }, x);
  return x;
}

/**
 * The positions nearest to the wishes (least squares, weighted) that keep their order and distances: isotonic regression by
 * pooling adjacent violators, on positions from which the distances have been taken off.
 */
function separate(
  wishes: readonly { readonly at: number; readonly weight: number }[],
  distances: readonly number[],
): number[] {
  const pools: { mean: number; weight: number; count: number }[] = [];
  let offset = 0;
  const offsets = distances.map((distance) => {
    offset += distance;
    return offset;
  });
  wishes.forEach(({ at, weight }, i) => {
    let pool = { mean: at - offsets[i], weight, count: 1 };
    for (let last = pools.at(-1); last !== undefined && last.mean > pool.mean; last = pools.at(-1)) {
      pools.pop();
      const total = last.weight + pool.weight;
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / total,
        weight: total,
        count: last.count + pool.count,
      };
    }
    pools.push(pool);
  });
  return pools
    .flatMap(({ mean, count }) => new Array<number>(count).fill(mean))
    .map((mean, i) => mean + offsets[i]);
}
