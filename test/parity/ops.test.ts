// Every op but the convolutions against the committed fixtures: value, gradient, second gradient, refusals.

import { describe } from 'vitest';
import { arithmeticAdapters } from './adapters/arithmetic.ts';
import { families } from './families.ts';
import { exactInFloat32, loadFixtures, loadIllegal } from './oracle.ts';
import { parityTests, refusalTests } from './suite.ts';

for (const family of families) {
  const cases = loadFixtures(family);
  parityTests(family, cases, arithmeticAdapters);
  parityTests(`${family} in float32`, exactInFloat32(cases), arithmeticAdapters);
}

describe('illegal calls', () => refusalTests(loadIllegal(), arithmeticAdapters));
