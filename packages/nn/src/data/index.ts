// @adjoint/nn/data: datasets, loaders, transforms and parsers of data files, for browsers and Node. Files on disk are read by
// @adjoint/nn/data/node.
export { type AffineOptions, affine, type RandomAffineOptions, randomAffine } from './affine.ts';
export { type CifarImages, type CifarVariant, parseCifar } from './cifar.ts';
export { type Collated, collate, type NumberArray } from './collate.ts';
export {
  type CsvTable,
  type NumericTable,
  type ParseCsvOptions,
  type ParseNumericCsvOptions,
  parseCsv,
  parseNumericCsv,
} from './csv.ts';
export {
  ConcatDataset,
  type Dataset,
  type IterableDataset,
  mapDataset,
  type RandomSplitOptions,
  randomSplit,
  Subset,
  TensorDataset,
  type TensorTuple,
} from './dataset.ts';
export { type DataFault, DataFileError, DataFormatError } from './errors.ts';
export { DEFAULT_MAX_BYTES, gunzipIfNeeded } from './gzip.ts';
export { type IdxArray, type IdxArrays, type IdxDtype, parseIdx } from './idx.ts';
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './loader.ts';
export { type LabelledImages, type NamedBytes, type ParseMnistOptions, parseMnist } from './mnist.ts';
export { type ParseNpzOptions, parseNpz, type SerializeNpzOptions, serializeNpz } from './npz.ts';
export { type DecodePngOptions, decodePng } from './png.ts';
export {
  DistributedSampler,
  type DistributedSamplerOptions,
  type Pass,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './samplers.ts';
export {
  type CropSize,
  centerCrop,
  normalize,
  type RandomCropOptions,
  type RandomFlipOptions,
  type RandomTransformOptions,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
} from './transforms.ts';
