// Every kernel that works unit by unit. ARCHITECTURE.md says how to add one.

namespace ADJOINT_NAMESPACE {

template <class T> using UnitKernel = Status (*)(Run& run, const Units& units);

/** By the names and in the order of UNIT_KERNELS in src/tiers/machine.ts. */
template <class T> constexpr Named<UnitKernel<T>> unitKernels[] = {
    NAMED(softmax, softmax<T, false>),
    NAMED(logSoftmax, softmax<T, true>),
    NAMED(softmaxGrad, softmaxGrad<T, false>),
    NAMED(logSoftmaxGrad, softmaxGrad<T, true>),
    NAMED(logsumexp, logSumExp<T>),
    NAMED(crossEntropy, crossEntropy<T>),
    NAMED(crossEntropyGrad, crossEntropyGrad<T>),
    NAMED(groupMoments, groupMoments<T>),
    NAMED(normaliseSamples, normaliseSamples<T>),
    NAMED(normaliseBy, normaliseBy<T>),
    NAMED(normaliseSamplesGrad, normaliseSamplesGrad<T>),
    NAMED(normaliseByGrad, normaliseByGrad<T>),
    NAMED(normaliseSums, normaliseSums<T>),
    NAMED(sgdStep, sgdStep<T>),
    NAMED(adamStep, adamStep<T>),
    NAMED(rmspropStep, rmspropStep<T>),
    NAMED(maxPool, maxPoolPlanes<T, true>),
    NAMED(avgPool, avgPoolPlanes<T>),
    NAMED(avgPoolInputGrad, avgPoolPlanesGrad<T>),
    NAMED(gather, gatherRows<T>),
    NAMED(scatterAdd, scatterAddRows<T>),
    NAMED(indexSelect, selectSlices<T>),
    NAMED(indexAdd, addSlices<T>),
    NAMED(sparseAlong, sparseRows<T>),
    NAMED(randomWords, randomWords<T>),
    NAMED(randomUniform, randomUniform<T>),
    NAMED(randomNormal, randomNormal<T>),
    NAMED(randomBelow, randomBelow<T>),
    NAMED(cumsum, cumulativeSum<T>),
    NAMED(cumprod, cumulativeProduct<T>),
    NAMED(argmax, placeOfLargest<T>),
    NAMED(argmin, placeOfSmallest<T>),
    NAMED(any, anyTrue<T>),
    NAMED(all, allTrue<T>),
    NAMED(recurrence, recurrence<T>),
    NAMED(adaptiveMaxPool, adaptiveMaxPlanes<T>),
    NAMED(overlap, overlapPlanes<T>),
    NAMED(maxPoolInputGrad, maxPoolPlanesGrad<T>),
    NAMED(argsort, argsort<T>),
    NAMED(maxPoolValues, maxPoolPlanes<T, false>),
    NAMED(argtopk, argtopk<T>),
    NAMED(attention, attention<T>),
    NAMED(attentionGrad, attentionGrad<T>),
};

template <class T> static Status units(Run& run, int kernel, const Units& given) {
  if (kernel < 0 || kernel >= int(sizeof(unitKernels<T>) / sizeof(unitKernels<T>[0]))) return NOT_HERE;
  return unitKernels<T>[kernel].run(run, given);
}

}  // namespace ADJOINT_NAMESPACE
