// The geometries as the kernels receive them: always three spatial axes, those that are not there with extent 1.
#pragma once
#include "runtime.h"

/** The trilinear form of src/geometry.ts; channels are per group. */
struct ConvShape {
  Index batch, groups, inChannels, outChannels;
  Index in[3], kernel[3], out[3], stride[3], padding[3], dilation[3];
};
