// Every op but the convolutions against the committed fixtures: value, gradient, second gradient, refusals.

import { describe } from 'vitest';
import { arithmeticAdapters } from './adapters/arithmetic.ts';
import { families } from './families.ts';
import { loadFixtures, loadIllegal } from './oracle.ts';
import { parityTests, refusalTests } from './suite.ts';

for (const family of families) parityTests(family, loadFixtures(family), arithmeticAdapters);

describe('illegal calls', () => refusalTests(loadIllegal(), arithmeticAdapters));
