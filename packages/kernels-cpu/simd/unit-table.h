// Every kernel that works unit by unit. ARCHITECTURE.md says how to add one.

namespace ADJOINT_NAMESPACE {

template <class T> using UnitKernel = Status (*)(Run& run, const Units& units);

/** In the order of UNIT_KERNELS in src/tiers/machine.ts. */
template <class T> constexpr UnitKernel<T> unitKernels[] = {
    softmax<T, false>, softmax<T, true>, softmaxGrad<T, false>, softmaxGrad<T, true>, logSumExp<T>,
    crossEntropy<T>, crossEntropyGrad<T>,
    groupMoments<T>, normaliseSamples<T>, normaliseBy<T>, normaliseSamplesGrad<T>, normaliseByGrad<T>, normaliseSums<T>,
    sgdStep<T>,
    adamStep<T>,
    rmspropStep<T>,
    maxPoolPlanes<T>,
    avgPoolPlanes<T>,
    avgPoolPlanesGrad<T>,
    gatherRows<T>,
    scatterAddRows<T>,
    selectSlices<T>,
    addSlices<T>,
    sparseRows<T>,
    randomWords<T>,
    randomUniform<T>,
    randomNormal<T>,
    randomBelow<T>,
    cumulativeSum<T>,
    cumulativeProduct<T>,
    placeOfLargest<T>,
    placeOfSmallest<T>,
    anyTrue<T>,
    allTrue<T>,
};

template <class T> static Status units(Run& run, int kernel, const Units& given) {
  if (kernel < 0 || kernel >= int(sizeof(unitKernels<T>) / sizeof(unitKernels<T>[0]))) return NOT_HERE;
  return unitKernels<T>[kernel](run, given);
}

}  // namespace ADJOINT_NAMESPACE
