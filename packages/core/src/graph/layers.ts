// Which layer a node stands in, and in which order: the first half of a layered layout (Sugiyama, Tagawa and Toda, 1981).
//
// Edges run from one layer to the next; a longer one is led through invisible nodes in between, so that it crosses no box.

/** A place in a layer: a node, or one that an edge passes through. */
export interface Place {
  readonly layer: number;
  /** The node, or null for a place that an edge passes through. */
  readonly node: number | null;
  readonly above: number[];
  readonly below: number[];
}

/** Places, and per layer their order from left to right. */
export interface Layers {
  readonly places: readonly Place[];
  readonly order: readonly (readonly number[])[];
  /** Per edge, the places that it runs through, ends included. */
  readonly routes: readonly (readonly number[])[];
}

/** An edge from a node to one with a higher number. */
export type Edge = readonly [from: number, to: number];

const sweeps = 24;

/** Puts nodes into layers so that edges run downwards, and orders them so that few edges cross. */
export function arrangeLayers(
  count: number,
  edges: readonly Edge[],
  isInput: (node: number) => boolean,
): Layers {
  const layerOf = assignLayers(count, edges, isInput);
  const places: Place[] = layerOf.map((layer, node) => ({ layer, node, above: [], below: [] }));
  const link = (a: number, b: number): void => {
    places[a].below.push(b);
    places[b].above.push(a);
  };
  const routes = edges.map(([from, to]) => {
    const route = [from];
    for (let layer = layerOf[from] + 1; layer < layerOf[to]; layer++) {
      route.push(places.push({ layer, node: null, above: [], below: [] }) - 1);
    }
    route.push(to);
    for (let i = 1; i < route.length; i++) link(route[i - 1], route[i]);
    return route;
  });
  return { places, order: orderLayers(places), routes };
}

// Each node below all that it depends on. What does not depend on an input, such as a weight and a reshape of it, stands
// as low as what uses it allows; an input directly above its first use.
function assignLayers(count: number, edges: readonly Edge[], isInput: (node: number) => boolean): number[] {
  const layer = new Array<number>(count).fill(0);
  const incoming: number[][] = layer.map(() => []);
  const outgoing: number[][] = layer.map(() => []);
  for (const [from, to] of edges) {
    incoming[to].push(from);
    outgoing[from].push(to);
  }
  const anchored = new Array<boolean>(count).fill(false);
  for (let node = 0; node < count; node++) {
    for (const from of incoming[node]) {
      layer[node] = Math.max(layer[node], layer[from] + 1);
      anchored[node] ||= anchored[from] || isInput(from);
    }
  }
  for (let node = count - 1; node >= 0; node--) {
    if (anchored[node] || outgoing[node].length === 0) continue;
    layer[node] = Math.min(...outgoing[node].map((to) => layer[to])) - 1;
  }
  return layer;
}

// Sweeps down and up, sorting each layer by the mean place of its neighbours, and keeps the order with fewest crossings.
function orderLayers(places: readonly Place[]): number[][] {
  const layers: number[][] = [];
  places.forEach(({ layer }, place) => {
    layers[layer] ??= [];
    layers[layer].push(place);
  });
  const position = new Array<number>(places.length).fill(0);
  const number = (): void => {
    for (const layer of layers) for (const [i, place] of layer.entries()) position[place] = i;
  };
  number();
  let best = layers.map((layer) => layer.slice());
  let fewest = crossings(layers, places, position);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wish = new Map(
        layer.map((place) => [
          place,
          meanPosition(down ? places[place].above : places[place].below, position, place),
        ]),
      );
      layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
      for (const [i, place] of layer.entries()) position[place] = i;
    }
    const now = crossings(layers, places, position);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => layer.slice());
    }
  }
  return best;
}

function meanPosition(neighbours: readonly number[], position: readonly number[], place: number): number {
  if (neighbours.length === 0) return position[place];
  return neighbours.reduce((total, neighbour) => total + position[neighbour], 0) / neighbours.length;
}

// Pairs of edges between neighbouring layers whose ends are in opposite order.
function crossings(
  layers: readonly (readonly number[])[],
  places: readonly Place[],
  position: readonly number[],
): number {
  let total = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((place) =>
      places[place].below.map((below) => position[below]).sort((a, b) => a - b),
    );
    total += inversions(ends);
  }
  return total;
}

// Pairs of numbers that are out of order, counted by Fenwick's tree of how many of each size came before.
function inversions(numbers: readonly number[]): number {
  const tree = new Int32Array(Math.max(0, ...numbers) + 2);
  let total = 0;
  numbers.forEach((value, seen) => {
    let notLarger = 0;
    for (let i = value + 1; i > 0; i -= i & -i) notLarger += tree[i];
    total += seen - notLarger;
    for (let i = value + 1; i < tree.length; i += i & -i) tree[i]++;
  });
  return total;
}
