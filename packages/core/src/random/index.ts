// Random numbers: generators, and the tensors drawn from them.

export { type RandomOptions, rand, randLike, randn, randnLike, truncatedNormal } from './create.ts';
export {
  defaultGenerator,
  Generator,
  type GeneratorOptions,
  type GeneratorState,
  manualSeed,
} from './generator.ts';
export { type RandomIntegerOptions, randint, randperm } from './integers.ts';
export { type BernoulliOptions, bernoulli, type MultinomialOptions, multinomial } from './sample.ts';
