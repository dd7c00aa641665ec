// Makes the long ways of a picture vertical: chains of boxes that follow on each other, and edges led past many layers.

import type { Place } from './layers.ts';

/** Boxes whose order in each layer is decided. */
export interface Arrangement {
  readonly places: readonly Place[];
  readonly order: readonly (readonly number[])[];
  /** Whether a box stands beside the way, so that a chain passes it by. */
  readonly isAside: (node: number | null) => boolean;
  /** Half the width of each place. */
  readonly half: readonly number[];
  /** Least distance between neighbours. */
  readonly gap: number;
}

/** Moves the places of each chain to one x as far down as there is room in every layer, then to the next; in `x` itself. */
export function straighten(arrangement: Arrangement, x: number[]): void {
  const { places, order, isAside, half, gap } = arrangement;
  const index = new Array<number>(places.length).fill(0);
  for (const layer of order) for (const [i, place] of layer.entries()) index[place] = i;
  // What stands aside at the end of a layer gives way.
  const neighbour = (
    place: number,
    side: -1 | 1,
  ): { readonly place: number; readonly yields: boolean } | null => {
    const layer = order[places[place].layer];
    const other = layer[index[place] + side];
    if (other === undefined) return null;
    return { place: other, yields: isAside(places[other].node) && layer[index[other] + side] === undefined };
  };
  const distance = (a: number, b: number): number => half[a] + half[b] + gap;
  const limit = (place: number, side: -1 | 1): number => {
    const other = neighbour(place, side);
    if (other === null || other.yields) return side * Infinity;
    return x[other.place] - side * distance(place, other.place);
  };
  const move = (place: number, to: number): void => {
    x[place] = to;
    for (const side of [-1, 1] as const) {
      const other = neighbour(place, side);
      if (!other?.yields) continue;
      const free = to + side * distance(place, other.place);
      x[other.place] = side * Math.max(side * x[other.place], side * free);
    }
  };
  const moveTogether = (part: readonly number[], least: number, most: number): void => {
    const mean = part.reduce((total, place) => total + x[place], 0) / part.length;
    for (const place of part) move(place, Math.min(Math.max(mean, least), most));
  };
  for (const chain of chainsOf(arrangement)) {
    let part: number[] = [];
    let [least, most] = [-Infinity, Infinity];
    for (const place of chain) {
      const [from, to] = [limit(place, -1), limit(place, 1)];
      if (Math.max(least, from) > Math.min(most, to)) {
        moveTogether(part, least, most);
        part = [];
        [least, most] = [from, to];
      }
      part.push(place);
      least = Math.max(least, from);
      most = Math.min(most, to);
    }
    moveTogether(part, least, most);
  }
}

// Runs of places in which each has but one way on and one way in, the longest first.
function chainsOf({ places, isAside }: Arrangement): number[][] {
  const waysIn = places.map(({ above }) => above.filter((from) => !isAside(places[from].node)));
  const next = (place: number): number | null => {
    const [below, ...others] = places[place].below;
    return below === undefined || others.length > 0 || waysIn[below].length !== 1 ? null : below;
  };
  const chains: number[][] = [];
  places.forEach(({ node }, place) => {
    const [from] = waysIn[place];
    const startsHere = waysIn[place].length !== 1 || next(from) !== place;
    if (!startsHere || isAside(node)) return;
    const chain = [place];
    for (let on = next(place); on !== null; on = next(on)) chain.push(on);
    chains.push(chain);
  });
  return chains.sort((a, b) => b.length - a.length);
}
