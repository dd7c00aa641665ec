// The Node-API boundary. Arrays are read and written in place; numbers arrive in one array that both sides share, which is
// cheaper than an argument each. Every function returns a Status; nothing is thrown and nothing aborts.

#define NAPI_VERSION 8
#include <node_api.h>

#include <cstdint>
#include <new>

#include "arguments.h"
#include "memory.h"
#include "pool.h"
#include "tier.h"

#define DECLARE_TIER(name) namespace name { extern const Tier tier; }
#if defined(__x86_64__)
DECLARE_TIER(isa_avx512)
DECLARE_TIER(isa_avx2)
DECLARE_TIER(isa_sse2)
#elif defined(__aarch64__)
DECLARE_TIER(isa_neon)
#else
DECLARE_TIER(isa_portable)
#endif

namespace {

/** The tiers that this processor can run, fastest first. */
int listTiers(const Tier** tiers) {
  int count = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
    tiers[count++] = &isa_avx512::tier;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tiers[count++] = &isa_avx2::tier;
  tiers[count++] = &isa_sse2::tier;
#elif defined(__aarch64__)
  tiers[count++] = &isa_neon::tier;
#else
  tiers[count++] = &isa_portable::tier;
#endif
  return count;
}

/** What one JavaScript context (the main thread or a worker) has set up. */
struct Instance {
  const double* numbers;
  napi_ref numbersRef;
  const Tier* tier;
};

Instance& instanceOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Instance*>(data);
}

struct Array {
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type = napi_float32_array;
};

struct Arguments {
  napi_value values[6];
  size_t count = 6;
  Arguments(napi_env env, napi_callback_info info) { napi_get_cb_info(env, info, &count, values, nullptr, nullptr); }
};

Array arrayOf(napi_env env, napi_value value) {
  Array a;
  napi_get_typedarray_info(env, value, &a.type, &a.length, &a.data, nullptr, nullptr);
  return a;
}

Index bytesOf(napi_typedarray_type type) {
  if (type == napi_float64_array) return 8;
  if (type == napi_uint16_array) return 2;
  return type == napi_uint8_array ? 1 : 4;
}

napi_value integer(napi_env env, int value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

/** Calls `body(kernels, zero)` with the kernels of the element type; `zero` is of that type. */
template <class F> Status withKernels(napi_env env, napi_typedarray_type type, const F& body) {
  const Tier& tier = *instanceOf(env).tier;
  if (type == napi_float32_array) return body(tier.single, 0.0f);
  if (type == napi_float64_array) return body(tier.twofold, 0.0);
  return NOT_HERE;
}

enum ConvKind { FORWARD, INPUT_GRAD, WEIGHT_GRAD };

/** (first, second, out) as the kernel of that kind takes them. */
template <ConvKind kind> napi_value conv(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Array a = arrayOf(env, given.values[0]), b = arrayOf(env, given.values[1]), out = arrayOf(env, given.values[2]);
  const ConvShape shape = shapeOf(instanceOf(env).numbers);
  return integer(env, withKernels(env, out.type, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    Call call;
    const auto kernel = kind == FORWARD ? kernels.convForward : kind == INPUT_GRAD ? kernels.convInputGrad : kernels.convWeightGrad;
    return kernel(call.run, shape, static_cast<const T*>(a.data), static_cast<const T*>(b.data), static_cast<T*>(out.data));
  }));
}

/** (a, b, starts, out, bias): starts holds those of a, then those of b, as doubles; the bias may be null. */
napi_value matmul(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Array a = arrayOf(env, given.values[0]), b = arrayOf(env, given.values[1]), out = arrayOf(env, given.values[3]);
  const Array starts = arrayOf(env, given.values[2]), bias = arrayOf(env, given.values[4]);
  const double* n = instanceOf(env).numbers;
  const Index batch = Index(starts.length / 2);
  return integer(env, withKernels(env, out.type, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    Call call;
    Index* positions = take<Index>(call.run, 2 * batch);
    if (!positions) return OUT_OF_MEMORY;
    for (Index t = 0; t < 2 * batch; t++) positions[t] = Index(static_cast<const double*>(starts.data)[t]);
    return kernels.matmul(call.run, batch, positions, positions + batch, Index(n[0]), Index(n[1]), Index(n[2]),
                          static_cast<const T*>(a.data), Index(n[3]), Index(n[4]), static_cast<const T*>(b.data), Index(n[5]),
                          Index(n[6]), static_cast<T*>(out.data), false, bias.data ? static_cast<const T*>(bias.data) + Index(n[7]) : nullptr, Index(n[8]));
  }));
}

/** (operands…, out); numbers: as `mapOf` reads them. */
napi_value map(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Instance& instance = instanceOf(env);
  const Array out = arrayOf(env, given.values[given.count - 1]);
  Map m = mapOf(instance.numbers, Index(out.length));
  for (int p = 0; p < m.arity; p++) m.arrays[p] = arrayOf(env, given.values[p]).data;
  m.arrays[m.arity] = out.data;
  expectToFill(out.data, out.length * size_t(bytesOf(out.type)));
  Call call;
  return integer(env, instance.tier->map(call.run, m));
}

/** (a, target); numbers: as `moveOf` reads them. */
template <Status (*Tier::*kernel)(Run&, const Move&)> napi_value move(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Array a = arrayOf(env, given.values[0]), target = arrayOf(env, given.values[1]);
  const Instance& instance = instanceOf(env);
  Call call;
  return integer(env, (instance.tier->*kernel)(call.run, moveOf(instance.numbers, a.data, target.data)));
}

/** (a, out); numbers: op, offset, then kept rank, extents, strides, and reduced rank, extents, strides. */
napi_value reduce(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Array a = arrayOf(env, given.values[0]), out = arrayOf(env, given.values[1]);
  const double* n = instanceOf(env).numbers;
  const int op = int(n[0]);
  const Reduction r = reductionOf(n + 1);
  return integer(env, withKernels(env, out.type, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    Call call;
    return kernels.reduce(call.run, op, r, static_cast<const T*>(a.data), static_cast<T*>(out.data));
  }));
}

/** (arrays…); numbers: as `runUnits` in src/tiers/units.ts writes them. */
napi_value units(napi_env env, napi_callback_info info) {
  napi_value values[MOST_UNIT_ARRAYS];
  size_t count = MOST_UNIT_ARRAYS;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  const Instance& instance = instanceOf(env);
  const double* n = instance.numbers;
  void* arrays[MOST_UNIT_ARRAYS] = {};
  for (int p = 0; p < unitArraysOf(n); p++) {
    const Array a = arrayOf(env, values[p]);
    arrays[p] = static_cast<char*>(a.data) + Index(unitStartOf(n, p)) * bytesOf(a.type);
    expectToFill(arrays[p], size_t(unitResultsOf(n, p) * bytesOf(a.type)));
  }
  Call call;
  const auto run = unitsAreDouble(n) ? instance.tier->twofold.units : instance.tier->single.units;
  return integer(env, run(call.run, unitKernelOf(n), unitsOf(n, arrays)));
}

/** (numbers): the array in which arguments arrive. */
napi_value shareNumbers(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  Instance& instance = instanceOf(env);
  instance.numbers = static_cast<const double*>(arrayOf(env, given.values[0]).data);
  napi_create_reference(env, given.values[0], 1, &instance.numbersRef);
  return nullptr;
}

napi_value setThreadCount(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  int32_t count = 1;
  napi_get_value_int32(env, given.values[0], &count);
  return integer(env, setThreads(count));
}

/** Names of the instruction sets that this processor can run, fastest first. */
napi_value instructionSets(napi_env env, napi_callback_info) {
  const Tier* tiers[4];
  const int count = listTiers(tiers);
  napi_value names = nullptr;
  napi_create_array_with_length(env, size_t(count), &names);
  for (int i = 0; i < count; i++) {
    napi_value name = nullptr;
    napi_create_string_utf8(env, tiers[i]->instructionSet, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, uint32_t(i), name);
  }
  return names;
}

/** (index into instructionSets): uses that one from now on in this context. */
napi_value useInstructionSet(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Tier* tiers[4];
  const int count = listTiers(tiers);
  int32_t index = 0;
  napi_get_value_int32(env, given.values[0], &index);
  if (index >= 0 && index < count) instanceOf(env).tier = tiers[index];
  return nullptr;
}

/** What JavaScript compares before it calls anything else. */
napi_value version(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_create_uint32(env, instanceOf(env).tier->boundary, &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  keepFreedMemory();
  const Tier* tiers[4];
  listTiers(tiers);
  Instance* instance = new (std::nothrow) Instance{nullptr, nullptr, tiers[0]};
  if (!instance) return nullptr;
  napi_set_instance_data(env, instance, [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr);
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {
      {"version", version},
      {"shareNumbers", shareNumbers},
      {"setThreads", setThreadCount},
      {"instructionSets", instructionSets},
      {"useInstructionSet", useInstructionSet},
      {"matmul", matmul},
      {"convForward", conv<FORWARD>},
      {"convInputGrad", conv<INPUT_GRAD>},
      {"convWeightGrad", conv<WEIGHT_GRAD>},
      {"map", map},
      {"move", move<&Tier::move>},
      {"addTo", move<&Tier::addTo>},
      {"reduce", reduce},
      {"units", units},
  };
  for (const auto& f : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.callback, nullptr, &value) != napi_ok) return nullptr;
    if (napi_set_named_property(env, exports, f.name, value) != napi_ok) return nullptr;
  }
  return exports;
}
