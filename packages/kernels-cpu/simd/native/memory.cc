#include "memory.h"

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

void keepFreedMemory() {
#ifdef __GLIBC__
  // Whoever has set these has the last word.
  for (const char* name : {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"})
    if (getenv(name)) return;
  // Memory that is mapped for one array alone goes back with it; no threshold above 32 MB is accepted.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
#endif
}

void expectToFill(void* data, size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t PAGE = uintptr_t(1) << 21;
  const uintptr_t first = (reinterpret_cast<uintptr_t>(data) + PAGE - 1) & ~(PAGE - 1), end = (reinterpret_cast<uintptr_t>(data) + bytes) & ~(PAGE - 1);
  // A hint: where it is refused, pages are small.
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#else
  (void)data, (void)bytes;
#endif
}
