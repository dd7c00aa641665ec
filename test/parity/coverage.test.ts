// No op slips by: each op of the fixtures has an adapter, or stands in notYet and is truly absent from @adjoint/core.

import * as core from '@adjoint/core';
import { describe, expect, it } from 'vitest';
import { adapters } from './adapters/index.ts';
import { families } from './families.ts';
import { notYet } from './not-yet.ts';
import { loadFixtures, loadIllegal } from './oracle.ts';

describe('ops of the fixtures', () => {
  const ops = new Set(
    [...families.flatMap((family) => loadFixtures(family)), ...loadIllegal()].map(({ op }) => op),
  );

  it('are each called by an adapter, or listed as not yet there', () => {
    expect([...ops].filter((op) => !(op in adapters) && !notYet.includes(op)).sort()).toEqual([]);
    expect(notYet.filter((op) => op in adapters || !ops.has(op))).toEqual([]);
  });

  it('are absent from @adjoint/core where they are listed as not yet there', () => {
    expect(notYet.filter((op) => op in core)).toEqual([]);
  });
});
