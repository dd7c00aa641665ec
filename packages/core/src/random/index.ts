// Random numbers: generators, and the tensors drawn from them.

export {
  type RandomIntegerOptions,
  type RandomOptions,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  truncatedNormal,
} from './create.ts';
export {
  defaultGenerator,
  Generator,
  type GeneratorOptions,
  type GeneratorState,
  manualSeed,
} from './generator.ts';
export { type BernoulliOptions, bernoulli, type MultinomialOptions, multinomial } from './sample.ts';
