// The same cases with fresh data: PyTorch runs now, with a new seed and all 53 bits, where it is installed.

import { describe, expect, it } from 'vitest';
import { adapters } from './adapters/index.ts';
import { families } from './families.ts';
import { paritySeed, pytorchVersion, withGenerated } from './live.ts';
import { refusedFamilies } from './not-yet.ts';
import { type Call, loadFixtures, loadIllegal, loadTrajectories } from './oracle.ts';
import { parityTests } from './suite.ts';

const everything = (directory?: string): Call[] => [
  ...families.flatMap((family) => loadFixtures(family, directory)),
  ...loadIllegal(directory),
  ...loadTrajectories(directory),
];

const version = pytorchVersion();
if (version === null) {
  console.warn(
    'PyTorch is not installed for /usr/bin/python3: no live parity, the committed fixtures run alone.',
  );
  it('is skipped without PyTorch', () => expect(version).toBeNull());
} else {
  const seed = paritySeed();
  describe(`live PyTorch ${version}; repeat with ADJOINT_PARITY_SEED=${seed}`, () => {
    const cases = withGenerated({ seed, values: 'real' }, (directory) =>
      families.map((family) => ({ family, cases: loadFixtures(family, directory) })),
    );
    for (const { family, cases: drawn } of cases) {
      if (!refusedFamilies.includes(family)) parityTests(family, drawn, adapters);
    }
  });

  it('the committed fixtures are what the generator writes for seed 0', () => {
    // Not the numbers, whose last bits differ between processors: those the other suites compare.
    const titles = (calls: readonly Call[]): string[] =>
      calls.map(({ op, name, options }) => `${op} ${name} ${JSON.stringify(options)}`);
    const fresh = withGenerated({ seed: '0', values: 'dyadic' }, (directory) => everything(directory));
    expect(titles(fresh)).toEqual(titles(everything()));
  });
}
