// The convolution family against PyTorch's numbers: every option, value, gradient and second gradient, with ===
// in float64 and float32.

import { describe } from 'vitest';
import { convAdapters, groupedConvAdapters } from './adapters/conv.ts';
import { exactInFloat32, loadFixtures, loadIllegal } from './oracle.ts';
import { parityTests, refusalTests } from './suite.ts';

for (const family of ['conv', 'convTranspose', 'convPadding']) {
  const cases = loadFixtures(family);
  const grouped = cases.filter(({ options }) => options.groups !== undefined && options.groups !== 1);
  parityTests(family, cases, convAdapters);
  parityTests(`${family} in float32`, exactInFloat32(cases), convAdapters);
  parityTests(`${family}, weight in the grouped layout and bias with all axes`, grouped, groupedConvAdapters);
}

describe('illegal calls', () => refusalTests(loadIllegal(), convAdapters));
