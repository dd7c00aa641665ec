// The WebAssembly boundary: one linear memory that holds operands and scratch, handed out from one end and released after
// every call. It is imported, shared where there are threads. No library is linked: what little the compiler asks for is at the end.

#include "arguments.h"
#include "team.h"
#include "tier.h"

namespace ADJOINT_NAMESPACE {
extern const Tier tier;
}

extern "C" unsigned char __heap_base;

namespace {

using ADJOINT_NAMESPACE::tier;

/** Arguments that are numbers: NUMBERS of src/tiers/machine.ts. */
double numbers[128];
unsigned long used = 0;
/** The stacks of other threads, below what is handed out. */
unsigned long stacks = 0;
enum { STACK_BYTES = 1 << 18 };

void* reserve(unsigned long long bytes) {
  const unsigned long base = ((reinterpret_cast<unsigned long>(&__heap_base) + 63) & ~63ul) + stacks;
  const unsigned long long end = base + used + ((bytes + 63) & ~63ull);
  const unsigned long long size = static_cast<unsigned long long>(__builtin_wasm_memory_size(0)) << 16;
  if (end > size) {
    const unsigned long long pages = (end - size + 0xffff) >> 16;
    if (pages > 0xffff || __builtin_wasm_memory_grow(0, static_cast<unsigned long>(pages)) == static_cast<unsigned long>(-1)) return nullptr;
  }
  void* at = reinterpret_cast<void*>(base + used);
  used = static_cast<unsigned long>(end - base);
  return at;
}

Run run = {1, nullptr, nullptr};

/** Calls `body(kernels, zero)` with the kernels of the element type. */
template <class F> Status withKernels(int isDouble, const F& body) { return isDouble ? body(tier.twofold, 0.0) : body(tier.single, 0.0f); }

}  // namespace

void runTasks(Run& run, Index n, Task task, void* context) {
  if (run.threads > 1 && n > 1) return runOnTeam(run.threads, n, task, context);
  for (Index i = 0; i < n; i++) task(context, i, 0);
}

void* takeBytes(Run&, unsigned long long bytes) { return reserve(bytes); }

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

/** Memory for an operand until it is released; 0 if there is none. */
EXPORT(reserve) void* exportReserve(double bytes) { return reserve(static_cast<unsigned long long>(bytes)); }
EXPORT(mark) unsigned long exportMark() { return used; }
EXPORT(release) void exportRelease(unsigned long mark) { used = mark; }
/** How many threads share the work of the calls that follow. */
EXPORT(share) void exportShare(int threads) { run.threads = threads; }
/** The top of a stack for one more thread, or 0. Only while nothing is reserved. */
EXPORT(hire) unsigned long exportHire() {
  void* stack = reserve(STACK_BYTES);
  used = 0;
  if (!stack) return 0;
  stacks += STACK_BYTES;
  return reinterpret_cast<unsigned long>(stack) + STACK_BYTES;
}
EXPORT(numbers) double* exportNumbers() { return numbers; }

EXPORT(matmul) int exportMatmul(int isDouble, void* a, void* b, const double* starts, int batch, void* out, int accumulate, void* bias) {
  Index* positions = take<Index>(run, 2 * batch);
  if (!positions) return OUT_OF_MEMORY;
  for (Index t = 0; t < 2 * batch; t++) positions[t] = Index(starts[t]);
  const double* n = numbers;
  return withKernels(isDouble, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    return kernels.matmul(run, batch, positions, positions + batch, Index(n[0]), Index(n[1]), Index(n[2]), static_cast<T*>(a), Index(n[3]),
                          Index(n[4]), static_cast<T*>(b), Index(n[5]), Index(n[6]), static_cast<T*>(out), accumulate != 0, static_cast<T*>(bias), Index(n[8]));
  });
}

/** kind: 0 forward, 1 input gradient, 2 weight gradient. */
EXPORT(conv) int exportConv(int kind, int isDouble, void* a, void* b, void* out) {
  const ConvShape shape = shapeOf(numbers);
  return withKernels(isDouble, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    const auto kernel = kind == 0 ? kernels.convForward : kind == 1 ? kernels.convInputGrad : kernels.convWeightGrad;
    return kernel(run, shape, static_cast<T*>(a), static_cast<T*>(b), static_cast<T*>(out));
  });
}

/** Arrays that are not there are null. */
EXPORT(map) int exportMap(void* a, void* b, void* c, void* out, int count) {
  void* const operands[] = {a, b, c};
  Map m = mapOf(numbers, count);
  for (int p = 0; p < m.arity; p++) m.arrays[p] = operands[p];
  m.arrays[m.arity] = out;
  return tier.map(run, m);
}

EXPORT(reduce) int exportReduce(int isDouble, void* a, void* out) {
  return withKernels(isDouble, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    return kernels.reduce(run, int(numbers[0]), reductionOf(numbers + 1), static_cast<T*>(a), static_cast<T*>(out));
  });
}

EXPORT(units) int exportUnits() {
  void* arrays[MOST_UNIT_ARRAYS];
  for (int p = 0; p < unitArraysOf(numbers); p++) arrays[p] = reinterpret_cast<void*>(static_cast<unsigned long>(unitStartOf(numbers, p)));
  const auto kernel = unitsAreDouble(numbers) ? tier.twofold.units : tier.single.units;
  return kernel(run, unitKernelOf(numbers), unitsOf(numbers, arrays));
}

extern "C" void* memset(void* to, int value, unsigned long n) { return __builtin_memset(to, value, n); }
extern "C" void* memcpy(void* to, const void* from, unsigned long n) { return __builtin_memcpy(to, from, n); }
