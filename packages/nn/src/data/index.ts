// @adjoint/nn/data: parsers of data files, for browsers and Node. Files on disk are read by @adjoint/nn/data/node.
export { type DataFault, DataFileError, DataFormatError } from './errors.ts';
export { DEFAULT_MAX_BYTES, gunzipIfNeeded } from './gzip.ts';
export { type IdxArray, type IdxArrays, type IdxDtype, parseIdx } from './idx.ts';
export { type LabelledImages, type NamedBytes, type ParseMnistOptions, parseMnist } from './mnist.ts';
export { type ParseNpzOptions, parseNpz, type SerializeNpzOptions, serializeNpz } from './npz.ts';
