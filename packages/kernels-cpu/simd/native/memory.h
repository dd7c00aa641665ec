// What the C library and the system are told about the memory of arrays.
#pragma once
#include <cstddef>

/**
 * Has the C library keep up to 256 MB of memory that was freed, rather than hand it back to the system: a step of training frees and
 * allocates the same arrays over and over, and the first touch of a page that comes from the system costs several times what it takes to
 * fill it. (PyTorch is sped up by other allocators for the same reason.)
 */
void keepFreedMemory();

/**
 * Says that a large array is about to be written from end to end. Where its memory is new, the system then hands it out in large
 * pages: a fresh array costs more in page faults than it takes to compute what it holds.
 */
void expectToFill(void* data, size_t bytes);
