// Steps of optimisers: src/reference/descent.ts, a register at a time, in the type of the arrays.

namespace ADJOINT_NAMESPACE {

template <class T> INLINE Vec<T> constant(double x) { return splat<T>(T(x)); }

/** Calls `body(i, some)` for the elements from i on, a register at a time; `some` reads and writes as many as there are. */
template <class T, class F> static void eachStep(Run& run, Index count, const F& body) {
  parallel(run, ceilDivide(count, MAP_TASK), [&](Index task, int) {
    const Index first = task * MAP_TASK;
    eachVector<T>(smaller(Index(MAP_TASK), count - first), [&](Index i, const auto& some) __attribute__((always_inline)) { body(first + i, some); });
  });
}

/** Arrays: values, gradient, and velocity if it has one. Numbers: has a velocity, which is the first, nesterov, sign, … */
template <class T> static Status sgdStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool moves = own[0] != 0, first = own[1] != 0, nesterov = own[2] != 0;
  const Vec<T> sign = constant<T>(own[3]), rate = constant<T>(own[4]), decay = constant<T>(own[5]), momentum = constant<T>(own[6]),
               share = constant<T>(1 - own[7]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const velocity = moves ? u.array<T>(2) : nullptr;
  eachStep<T>(run, u.count, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> value = some.get(values + i);
    const Vec<T> g = sign * some.get(gradient + i) + decay * value;
    Vec<T> step = g;
    if (moves) {
      const Vec<T> v = first ? g : momentum * some.get(velocity + i) + share * g;
      some.put(velocity + i, v);
      step = nesterov ? g + momentum * v : v;
    }
    some.put(values + i, value - rate * step);
  });
  return DONE;
}

/** Arrays: values, gradient, mean, square, and the largest square if it has one. Numbers: has a largest, sign, step size, … */
template <class T> static Status adamStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool bounded = own[0] != 0;
  const Vec<T> sign = constant<T>(own[1]), rate = constant<T>(own[2]), uncorrected = constant<T>(1 / own[3]), beta1 = constant<T>(own[4]),
               share1 = constant<T>(1 - own[4]), beta2 = constant<T>(own[5]), share2 = constant<T>(1 - own[5]), eps = constant<T>(own[6]),
               coupled = constant<T>(own[7]), kept = constant<T>(own[8]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const mean = u.array<T>(2);
  T* const square = u.array<T>(3);
  T* const largest = bounded ? u.array<T>(4) : nullptr;
  eachStep<T>(run, u.count, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> value = some.get(values + i) * kept;
    const Vec<T> g = sign * some.get(gradient + i) + coupled * value;
    const Vec<T> m = beta1 * some.get(mean + i) + share1 * g;
    some.put(mean + i, m);
    // The share first: of a large gradient the square alone may overflow.
    Vec<T> spread = beta2 * some.get(square + i) + share2 * g * g;
    some.put(square + i, spread);
    if (bounded) {
      // As Math.max: NaN of either.
      spread = largerOf<T>(some.get(largest + i), spread);
      some.put(largest + i, spread);
    }
    some.put(values + i, value - rate * m / (squareRoot<T>(spread) * uncorrected + eps));
  });
  return DONE;
}

/** Arrays: values, gradient, square, mean and velocity if it has them. Numbers: has a mean, has a velocity, sign, … */
template <class T> static Status rmspropStep(Run& run, const Units& u) {
  const double* const own = u.numbers;
  const bool centred = own[0] != 0, moves = own[1] != 0;
  const Vec<T> sign = constant<T>(own[2]), rate = constant<T>(own[3]), alpha = constant<T>(own[4]), share = constant<T>(1 - own[4]),
               eps = constant<T>(own[5]), decay = constant<T>(own[6]), momentum = constant<T>(own[7]);
  T* const values = u.array<T>(0);
  const T* const gradient = u.array<const T>(1);
  T* const square = u.array<T>(2);
  T* const mean = centred ? u.array<T>(3) : nullptr;
  T* const velocity = moves ? u.array<T>(centred ? 4 : 3) : nullptr;
  eachStep<T>(run, u.count, [&](Index i, const auto& some) __attribute__((always_inline)) {
    const Vec<T> value = some.get(values + i);
    const Vec<T> g = sign * some.get(gradient + i) + decay * value;
    Vec<T> spread = alpha * some.get(square + i) + share * g * g;
    some.put(square + i, spread);
    if (centred) {
      const Vec<T> m = alpha * some.get(mean + i) + share * g;
      some.put(mean + i, m);
      spread -= m * m;
    }
    Vec<T> step = g / (squareRoot<T>(spread) + eps);
    if (moves) {
      step = momentum * some.get(velocity + i) + step;
      some.put(velocity + i, step);
    }
    some.put(values + i, value - rate * step);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
