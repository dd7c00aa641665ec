// Steps of optimisers: src/reference/descent.ts, a register of doubles at a time. What is kept between steps is rounded to T where
// the reference stores it.

namespace ADJOINT_NAMESPACE {

INLINE void storeDoubles(double* p, Doubles v) { store(p, v); }
INLINE void storeDoubles(float* p, Doubles v) {
  *reinterpret_cast<HalfFloatsUnaligned*>(p) = narrowed(v);
}

/** The `n` elements from `p` on, as doubles; 1 in the place of those that a register has besides. */
template <class T> INLINE Doubles stepLoad(const T* p, Index n) {
  if (n == HALF) return loadDoubles(p);
  T lanes[HALF];
  for (Index i = 0; i < HALF; i++) lanes[i] = i < n ? p[i] : T(1);
  return loadDoubles(lanes);
}

/** Stores the first `n` elements, and returns all as they were rounded. */
template <class T> INLINE Doubles stepStore(T* p, Doubles v, Index n) {
  if (n == HALF) {
    storeDoubles(p, v);
    return loadDoubles(p);
  }
  T lanes[HALF];
  storeDoubles(lanes, v);
  for (Index i = 0; i < n; i++) p[i] = lanes[i];
  return loadDoubles(lanes);
}

INLINE Doubles constant(double x) { return splat<double>(x); }

/** Calls `body(i, n)` for the n elements from i on, as many as a register of doubles holds or what is left at the end. */
template <class F> static void eachStep(Run& run, Index count, const F& body) {
  parallel(run, ceilDivide(count, MAP_TASK), [&](Index task, int) {
    const Index end = smaller(count, (task + 1) * MAP_TASK);
    Index i = task * MAP_TASK;
    for (; i + HALF <= end; i += HALF) body(i, Index(HALF));
    if (i < end) body(i, end - i);
  });
}

/** Arrays: values, gradient, and velocity if it has one. Numbers: has a velocity, which is the first, nesterov, sign, … */
template <class T> static Status sgdStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool moves = own[0] != 0, first = own[1] != 0, nesterov = own[2] != 0;
  const Doubles sign = constant(own[3]), rate = constant(own[4]), decay = constant(own[5]), momentum = constant(own[6]), share = constant(1 - own[7]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const velocity = moves ? u.array<T>(2) : nullptr;
  eachStep(run, u.count, [&](Index i, Index n) {
    const Doubles value = stepLoad(values + i, n);
    const Doubles g = sign * stepLoad(gradient + i, n) + decay * value;
    Doubles step = g;
    if (moves) {
      const Doubles v = stepStore(velocity + i, first ? g : momentum * stepLoad(velocity + i, n) + share * g, n);
      step = nesterov ? g + momentum * v : v;
    }
    stepStore(values + i, value - rate * step, n);
  });
  return DONE;
}

/** Arrays: values, gradient, mean, square, and the largest square if it has one. Numbers: has a largest, sign, step size, … */
template <class T> static Status adamStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool bounded = own[0] != 0;
  const Doubles sign = constant(own[1]), rate = constant(own[2]), upscale = constant(1 / own[3]), beta1 = constant(own[4]), share1 = constant(1 - own[4]),
                beta2 = constant(own[5]), share2 = constant(1 - own[5]), eps = constant(own[6]), coupled = constant(own[7]), kept = constant(own[8]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const mean = u.array<T>(2);
  T* const square = u.array<T>(3);
  T* const largest = bounded ? u.array<T>(4) : nullptr;
  eachStep(run, u.count, [&](Index i, Index n) {
    const Doubles value = stepLoad(values + i, n) * kept;
    const Doubles g = sign * stepLoad(gradient + i, n) + coupled * value;
    const Doubles m = stepStore(mean + i, beta1 * stepLoad(mean + i, n) + share1 * g, n);
    Doubles spread = stepStore(square + i, beta2 * stepLoad(square + i, n) + share2 * g * g, n);
    if (bounded) {
      // As Math.max: NaN of either.
      const Doubles most = stepLoad(largest + i, n);
      spread = stepStore(largest + i, largerOf<double>(most, spread), n);
    }
    stepStore(values + i, value - rate * m / (squareRoot<double>(spread) * upscale + eps), n);
  });
  return DONE;
}

/** Arrays: values, gradient, square, mean and velocity if it has them. Numbers: has a mean, has a velocity, sign, … */
template <class T> static Status rmspropStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool centred = own[0] != 0, moves = own[1] != 0;
  const Doubles sign = constant(own[2]), rate = constant(own[3]), alpha = constant(own[4]), share = constant(1 - own[4]), eps = constant(own[5]),
                decay = constant(own[6]), momentum = constant(own[7]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const square = u.array<T>(2);
  T* const mean = centred ? u.array<T>(3) : nullptr;
  T* const velocity = moves ? u.array<T>(centred ? 4 : 3) : nullptr;
  eachStep(run, u.count, [&](Index i, Index n) {
    const Doubles value = stepLoad(values + i, n);
    const Doubles g = sign * stepLoad(gradient + i, n) + decay * value;
    Doubles spread = stepStore(square + i, alpha * stepLoad(square + i, n) + share * g * g, n);
    if (centred) {
      const Doubles m = stepStore(mean + i, alpha * stepLoad(mean + i, n) + share * g, n);
      spread -= m * m;
    }
    Doubles step = g / (squareRoot<double>(spread) + eps);
    if (moves) step = stepStore(velocity + i, momentum * stepLoad(velocity + i, n) + step, n);
    stepStore(values + i, value - rate * step, n);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
