// The geometries as the kernels receive them: always three spatial axes, those that are not there with extent 1.
#pragma once
#include "runtime.h"

/** The trilinear form of src/geometry.ts; channels are per group. */
struct ConvShape {
  Index batch, groups, inChannels, outChannels;
  Index in[3], kernel[3], out[3], stride[3], padding[3], dilation[3];
};

/**
 * What a kernel gets that works unit by unit. An array that is split holds the elements of `count` units from its pointer on;
 * one that is shared is whole. What is written in a shared array is added to what was there: a call may come in several.
 */
struct Units {
  /** The number of the first unit among those of the whole call, and how many follow. */
  Index first, count;
  /** The kernel's own numbers. */
  const double* numbers;
  void* const* arrays;
  template <class A> A* array(int index) const { return static_cast<A*>(arrays[index]); }
};
