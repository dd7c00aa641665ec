// The table: how each op of the fixtures is called. An op of a fixture that is not here stands in notYet.

import type { Adapters } from '../suite.ts';
import { arithmeticAdapters } from './arithmetic.ts';
import { convAdapters } from './conv.ts';
import { elementwiseAdapters } from './elementwise.ts';
import { indexingAdapters } from './indexing.ts';
import { lossAdapters } from './losses.ts';
import { networkAdapters } from './networks.ts';
import { productAdapters } from './products.ts';
import { reductionAdapters } from './reductions.ts';
import { shapeAdapters } from './shape.ts';

export { convAdapters, groupedConvAdapters } from './conv.ts';

export const adapters: Adapters = {
  ...arithmeticAdapters,
  ...convAdapters,
  ...elementwiseAdapters,
  ...productAdapters,
  ...reductionAdapters,
  ...shapeAdapters,
  ...indexingAdapters,
  ...lossAdapters,
  ...networkAdapters,
};
