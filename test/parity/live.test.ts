// The same cases with fresh data: PyTorch runs now, with a new seed and all 53 bits, where it is installed.

import { describe, expect, it } from 'vitest';
import { adapters } from './adapters/index.ts';
import { families } from './families.ts';
import { paritySeed, pytorchVersion, withGenerated } from './live.ts';
import { type Call, exactInFloat32, loadFixtures, loadIllegal, loadTrajectories } from './oracle.ts';
import { parityTests } from './suite.ts';

const version = pytorchVersion();
if (version === null) {
  console.warn(
    'PyTorch is not installed for /usr/bin/python3: no live parity, the committed fixtures run alone.',
  );
  it('runs the committed fixtures alone, because there is no PyTorch', () => expect(version).toBeNull());
} else {
  await live(version, paritySeed());
}

async function live(pytorch: string, seed: string): Promise<void> {
  const [drawn, large, regenerated] = await Promise.all([
    withGenerated({ seed, values: 'real' }, (directory) =>
      families.map((family) => ({ family, cases: loadFixtures(family, directory) })),
    ),
    withGenerated({ seed, values: 'dyadic', family: 'large' }, (directory) =>
      loadFixtures('large', directory),
    ),
    withGenerated({ seed: '0', values: 'dyadic' }, titles),
  ]);

  describe(`live PyTorch ${pytorch}; repeat with ADJOINT_PARITY_SEED=${seed}`, () => {
    for (const { family, cases } of drawn) parityTests(family, cases, adapters);
    parityTests('sizes of real layers', large, adapters);
    parityTests('sizes of real layers in float32', exactInFloat32(large), adapters);
  });

  it('the committed fixtures hold what the generator writes for seed 0', () => {
    expect(regenerated).toEqual(titles());
  });
}

/** What every record calls; not its numbers, whose last bits differ between processors and which the suites compare. */
function titles(directory?: string): string[] {
  const calls: Call[] = families.flatMap((family) => loadFixtures(family, directory));
  calls.push(...loadIllegal(directory), ...loadTrajectories(directory));
  return calls.map(({ op, name, options }) => `${op} ${name} ${JSON.stringify(options)}`);
}
