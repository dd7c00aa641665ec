// docs/ops.md says what the records say now. `pnpm run docs` brings it up to date.

import { expect, it } from 'vitest';
import { document } from './document.ts';
import { samples } from './samples/index.ts';

const page = await document();

it('docs/ops.md is up to date; if it is not, run pnpm run docs', async () => {
  await expect(page).toMatchFileSnapshot('../../docs/ops.md');
});

it('every op has a section, which says what its comment says', () => {
  const sections = new Map(
    page
      .split('\n### ')
      .slice(1)
      .map((text) => [text.split('\n')[0], text]),
  );
  const silent = samples.filter(({ op }) => (sections.get(op.name)?.split('\n')[2] ?? '').length < 4);
  expect(silent.map(({ op }) => op.name)).toEqual([]);
});
