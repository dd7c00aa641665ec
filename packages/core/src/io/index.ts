// @adjoint/core/io: tensors in files' formats. Bytes in, bytes out: for browsers and Node alike.
export { parseNpy, serializeNpy } from './npy.ts';
export {
  MAX_HEADER_BYTES,
  type ParseSafetensorsOptions,
  parseSafetensors,
  type SafetensorsContent,
  type SerializeSafetensorsOptions,
  serializeSafetensors,
} from './safetensors.ts';
export {
  type ParseShardsOptions,
  parseSafetensorsShards,
  type SerializeShardsOptions,
  serializeSafetensorsShards,
} from './safetensors-shards.ts';
