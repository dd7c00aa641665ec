// @adjoint/core/io: tensors in files' formats. Bytes in, bytes out: for browsers and Node alike.
export { requireBytes } from './bytes.ts';
export { parseNpy, serializeNpy } from './npy.ts';
export { MAX_HEADER_BYTES } from './safetensors-format.ts';
export {
  type ParseSafetensorsOptions,
  parseSafetensors,
  type SafetensorsContent,
} from './safetensors-read.ts';
export {
  type ParseShardsOptions,
  parseSafetensorsShards,
  type SerializeShardsOptions,
  serializeSafetensorsShards,
} from './safetensors-shards.ts';
export { type SerializeSafetensorsOptions, serializeSafetensors } from './safetensors-write.ts';
