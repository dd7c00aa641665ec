// Every op but the convolutions against the committed fixtures: value, gradient, second gradient, refusals.

import { describe } from 'vitest';
import { convAdapters } from './adapters/conv.ts';
import { adapters } from './adapters/index.ts';
import { families } from './families.ts';
import { exactInFloat32, loadFixtures, loadIllegal } from './oracle.ts';
import { parityTests, refusalTests } from './suite.ts';

const others = Object.fromEntries(Object.entries(adapters).filter(([op]) => !(op in convAdapters)));

for (const family of families) {
  const cases = loadFixtures(family);
  parityTests(family, cases, others);
  parityTests(`${family} in float32`, exactInFloat32(cases), others);
}

describe('illegal calls', () => refusalTests(loadIllegal(), others));
