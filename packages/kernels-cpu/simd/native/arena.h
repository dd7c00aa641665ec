// The scratch memory of kernel calls that one thread makes, one after the other: taken piece by piece, and forgotten all at once.
#pragma once
#include <cstddef>
#include <cstdlib>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

/** A few blocks, which become one when a call has needed more than one. */
class Arena {
 public:
  ~Arena() { release(); }

  /** 64-byte aligned memory with unspecified contents until `reset`, or null. */
  void* take(size_t wanted) {
    const size_t bytes = ((wanted + 63) & ~size_t(63)) + GAP;
    if (bytes < wanted) return nullptr;
    if (count_ == 0 || bytes > blocks_[count_ - 1].size - used_) {
      if (count_ == MOST_BLOCKS || !add(bytes < LEAST ? LEAST : bytes)) return nullptr;
      used_ = 0;
    }
    void* at = static_cast<char*>(blocks_[count_ - 1].data) + used_;
    used_ += bytes;
    allow(at, wanted);
    return at;
  }

  /** Forgets what was taken. Keeps one block that would have held it all, unless that is large. */
  void reset() {
    used_ = 0;
    if (count_ <= 1 && total() <= KEPT) {
      if (count_ == 1) forbid(blocks_[0]);
      return;
    }
    const size_t size = total();
    release();
    if (size <= KEPT) add(size);
  }

 private:
  struct Block {
    void* data;
    size_t size;
  };
  static constexpr int MOST_BLOCKS = 64;
  /** Bytes of a block, at least (a large page of memory), and of one that is kept from call to call, at most. */
  static constexpr size_t LEAST = size_t(1) << 21, KEPT = size_t(1) << 26;

  size_t total() const {
    size_t sum = 0;
    for (int i = 0; i < count_; i++) sum += blocks_[i].size;
    return sum;
  }

  bool add(size_t bytes) {
    const size_t size = (bytes + LEAST - 1) & ~(LEAST - 1);
    if (size < bytes) return false;
    void* data = nullptr;
    if (posix_memalign(&data, LEAST, size) != 0) return false;
#ifdef MADV_HUGEPAGE
    madvise(data, size, MADV_HUGEPAGE);
#endif
    blocks_[count_] = {data, size};
    forbid(blocks_[count_++]);
    return true;
  }

  void release() {
    for (int i = 0; i < count_; i++) {
      allow(blocks_[i].data, blocks_[i].size);
      free(blocks_[i].data);
    }
    count_ = 0;
  }

  // AddressSanitizer is told what is taken and what is not, with a gap after each piece: it cannot know by itself.
#ifdef __SANITIZE_ADDRESS__
  static constexpr size_t GAP = 64;
  static void allow(void* at, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(at, bytes); }
  static void forbid(const Block& block) { ASAN_POISON_MEMORY_REGION(block.data, block.size); }
#else
  static constexpr size_t GAP = 0;
  static void allow(void*, size_t) {}
  static void forbid(const Block&) {}
#endif

  Block blocks_[MOST_BLOCKS];
  int count_ = 0;
  size_t used_ = 0;
};
