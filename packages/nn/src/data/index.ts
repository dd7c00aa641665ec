// @adjoint/nn/data: readers of data files.
export { type DataFault, DataFileError, DataFormatError } from './errors.ts';
export { DEFAULT_MAX_BYTES, gunzipIfNeeded } from './gzip.ts';
export { type IdxArray, type IdxArrays, type IdxDtype, parseIdx } from './idx.ts';
export { type LabelledImages, type MnistSplit, type ReadMnistOptions, readMnist } from './mnist.ts';
