// The table: samples of every op. An op that is missing here fails the suite.

import type { OpSamples } from '../sample.ts';
import { arithmeticSamples } from './arithmetic.ts';
import { attentionSamples } from './attention.ts';
import { classSamples } from './classes.ts';
import { derivativeSamples } from './derivatives.ts';
import { functionSamples } from './functions.ts';
import { indexingSamples } from './indexing.ts';
import { layoutSamples } from './layout.ts';
import { networkSamples } from './networks.ts';
import { normSamples } from './norms.ts';
import { predicateSamples } from './predicates.ts';
import { reductionSamples } from './reductions.ts';

export const samples: readonly OpSamples[] = [
  ...arithmeticSamples,
  ...functionSamples,
  ...derivativeSamples,
  ...predicateSamples,
  ...layoutSamples,
  ...indexingSamples,
  ...classSamples,
  ...reductionSamples,
  ...normSamples,
  ...attentionSamples,
  ...networkSamples,
];
