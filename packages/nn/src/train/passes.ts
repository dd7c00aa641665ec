// Batches with the knowledge of which is the last of its pass: a pass ends with its last batch, not with the request for one more.

import { DataLoader } from '../data/loader.ts';

/** Anything that gives batches, anew with each iteration. */
export type Batches<Batch> = Iterable<Batch> | AsyncIterable<Batch>;

/** A batch, and whether its pass ends with it. */
export interface PlacedBatch<Batch> {
  readonly batch: Batch;
  readonly last: boolean;
}

/**
 * The batches of one pass. A DataLoader knows its last batch, and its state must not run ahead of what was trained on; of anything
 * else the next batch is taken before one is given out.
 */
async function* onePass<Batch>(data: Batches<Batch>): AsyncGenerator<PlacedBatch<Batch>, void, undefined> {
  if (data instanceof DataLoader) {
    for await (const batch of data as DataLoader<unknown, Batch>) yield { batch, last: data.batch === 0 };
    return;
  }
  let held: { readonly batch: Batch } | null = null;
  for await (const batch of data) {
    if (held !== null) yield { batch: held.batch, last: false };
    held = { batch };
  }
  if (held !== null) yield { batch: held.batch, last: true };
}

/** The batches of one pass in groups of `count`, the last one maybe smaller. */
export async function* grouped<Batch>(
  data: Batches<Batch>,
  count: number,
): AsyncGenerator<{ readonly batches: readonly Batch[]; readonly last: boolean }, void, undefined> {
  let batches: Batch[] = [];
  for await (const { batch, last } of onePass(data)) {
    batches.push(batch);
    if (batches.length < count && !last) continue;
    yield { batches, last };
    batches = [];
  }
}
