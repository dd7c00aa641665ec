// Random numbers of the counter-based generator Philox4x32-10 (src/reference/philox.ts and random.ts), bit for bit: in a sum no product
// is left unrounded, whatever the instruction set could do.

namespace ADJOINT_NAMESPACE {

typedef unsigned Word;
typedef unsigned long long WordPair;
/** One word of each of some blocks, in lanes of twice its size; the upper halves are 0. */
typedef WordPair BlockWords __attribute__((vector_size(BYTES)));

/** Where the words of a call begin: src/kernels/random.ts. */
struct WordSource {
  WordPair key[2], stream[2], position;
};

/** Numbers: key, stream, position; then the kernel's own. `words` is how many each element takes. */
enum { SOURCE_NUMBERS = 5 };
static WordSource readSource(const Units& u, int words) {
  const double* n = u.numbers;
  return {{WordPair(n[0]), WordPair(n[1])}, {WordPair(n[2]), WordPair(n[3])}, WordPair(n[4]) + WordPair(u.first) * WordPair(words)};
}

/** Blocks that are made at once: two registers of each word, because one alone waits for its multiplications. */
enum { BLOCKS = 2 * HALF };

alignas(64) constexpr WordPair lanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/** Products of words in full. GCC multiplies all of 64 bits where only half of them are there; Clang sees that. */
INLINE BlockWords productOfWords(BlockWords a, BlockWords b) {
#if defined(__x86_64__) && !defined(__clang__) && ADJOINT_VECTOR_BYTES == 64
  typedef int V __attribute__((vector_size(64)));
  typedef long long Wide __attribute__((vector_size(64)));
  return (BlockWords)__builtin_ia32_pmuludq512_mask((V)a, (V)b, Wide{}, -1);
#elif defined(__x86_64__) && !defined(__clang__) && ADJOINT_VECTOR_BYTES == 32
  typedef int V __attribute__((vector_size(32)));
  return (BlockWords)__builtin_ia32_pmuludq256((V)a, (V)b);
#elif defined(__x86_64__) && !defined(__clang__)
  typedef int V __attribute__((vector_size(16)));
  return (BlockWords)__builtin_ia32_pmuludq128((V)a, (V)b);
#else
  return a * b;
#endif
}

/** Four words of each of BLOCKS blocks from `block` on. */
static void makeBlocks(const WordSource& source, WordPair block, Word* out) {
  const BlockWords low = BlockWords{} + 0xffffffffull, m0 = BlockWords{} + 0xd2511f53ull, m1 = BlockWords{} + 0xcd9e8d57ull;
  BlockWords c0[2], c1[2], c2[2], c3[2], k0 = BlockWords{} + source.key[0], k1 = BlockWords{} + source.key[1];
  for (int r = 0; r < 2; r++) {
    BlockWords number;
    __builtin_memcpy(&number, lanes, sizeof number);
    number += block + WordPair(r * HALF);
    c0[r] = number & low;
    c1[r] = number >> 32;
    c2[r] = BlockWords{} + source.stream[0];
    c3[r] = BlockWords{} + source.stream[1];
  }
  for (int round = 0; round < 10; round++) {
    UNROLL for (int r = 0; r < 2; r++) {
      const BlockWords p0 = productOfWords(c0[r], m0), p1 = productOfWords(c2[r], m1);
      c0[r] = (p1 >> 32) ^ c1[r] ^ k0;
      c1[r] = p1 & low;
      c2[r] = (p0 >> 32) ^ c3[r] ^ k1;
      c3[r] = p0 & low;
    }
    k0 = (k0 + 0x9e3779b9ull) & low;
    k1 = (k1 + 0xbb67ae85ull) & low;
  }
  for (int r = 0; r < 2; r++) {
    const BlockWords first = c0[r] | c1[r] << 32, second = c2[r] | c3[r] << 32;
    store(reinterpret_cast<double*>(out) + 4 * HALF * r / 2, lowInterleaved((Doubles)first, (Doubles)second));
    store(reinterpret_cast<double*>(out) + 4 * HALF * r / 2 + HALF, highInterleaved((Doubles)first, (Doubles)second));
  }
}

/** Elements that are made at once, and the memory for their words: two each, and blocks that begin before and end after them. */
enum { DRAWS = 256, DRAW_WORDS = 2 * DRAWS + 2 * 4 * BLOCKS };

/** `count` words from the `first` of the source on, somewhere in `buffer`. */
static const Word* wordsFrom(const WordSource& source, WordPair first, Index count, Word* buffer) {
  const WordPair at = source.position + first;
  const Index skipped = Index(at % 4);
  for (Index i = 0; i < skipped + count; i += 4 * BLOCKS) makeBlocks(source, at / 4 + WordPair(i / 4), buffer + i);
  return buffer + skipped;
}

/** Calls `body(first element, how many, their words)` for pieces of the elements, each of which takes so many words. */
template <class F> static void eachDraw(Run& run, const WordSource& source, Index count, int words, const F& body) {
  parallel(run, ceilDivide(count, MAP_TASK), [&](Index task, int) {
    Word buffer[DRAW_WORDS] __attribute__((aligned(64)));
    const Index end = smaller(count, (task + 1) * MAP_TASK);
    for (Index i = task * MAP_TASK; i < end; i += DRAWS) {
      const Index n = smaller(DRAWS, end - i);
      body(i, n, wordsFrom(source, WordPair(i) * WordPair(words), n * words, buffer));
    }
  });
}

/** Array: out, of 32 bits. */
template <class T> static Status randomWords(Run& run, const Units& u) {
  float* const out = u.array<float>(0);
  eachDraw(run, readSource(u, 1), u.count, 1, [&](Index i, Index n, const Word* words) { __builtin_memcpy(out + i, words, n * sizeof(Word)); });
  return DONE;
}

// Whole numbers below 2^52 are the last bits of the doubles from 2^52 on.
INLINE Doubles wholeNumbers(BlockWords n) {
  const Doubles base = splat(4503599627370496.0);
  return (Doubles)(n | (BlockWords)base) - base;
}
/** Words as numbers. As integers with a sign, for which there are instructions, and back by half of their range. */
INLINE Doubles wordNumbers(const Word* words) {
  const auto moved = loadBeside<double, Word>(words) ^ 0x80000000u;
  return __builtin_convertvector((Beside<double, int>::V)moved, Doubles) + splat(2147483648.0);
}

/** The number below 2^53 that each of some pairs of words makes. */
INLINE Doubles pairNumbers(const Word* words) {
  BlockWords pairs;
  __builtin_memcpy(&pairs, words, sizeof pairs);
  return wholeNumbers((pairs & 0xffffffffull) >> 5) * splat(67108864.0) + wholeNumbers(pairs >> 38);
}

/** 2^−bits. */
INLINE double unitOf(int bits) { return 1.0 / double(1ull << bits); }

/** Array: out. Numbers: source, bits. */
template <class T> static Status randomUniform(Run& run, const Units& u) {
  const int bits = int(u.numbers[SOURCE_NUMBERS]);
  T* const out = u.array<T>(0);
  const T unit = T(unitOf(bits));
  const double share = bits < 32 ? unitOf(32 - bits) : 1;
  const int words = bits == 53 ? 2 : 1;
  if (sizeof(T) == 4 && bits > 24) return NOT_HERE;
  eachDraw(run, readSource(u, words), u.count, words, [&](Index first, Index n, const Word* from) {
    eachVector<T>(n, [&](Index i, auto some) {
      if constexpr (sizeof(T) == 4) {
        typename Beside<T, Word>::V v = loadBeside<T, Word>(from + i) >> Word(32 - bits);
        some.put(out + first + i, __builtin_convertvector((Bits<T>)v, Vec<T>) * splat(unit));
      } else {
        const Doubles n = words == 2 ? pairNumbers(from + 2 * i) : floorOf<double>(wordNumbers(from + i) * splat(share));
        some.put(out + first + i, n * splat(unit));
      }
    });
  });
  return DONE;
}

/** A ratio of two polynomials of x, of eight coefficients each, the constant term first. */
INLINE Doubles ratioAt(Doubles x, const double (&top)[8], const double (&bottom)[8]) {
  Doubles a = splat(top[7]), b = splat(bottom[7]);
  UNROLL for (int i = 6; i >= 0; i--) {
    a = roundedProduct(a, x) + splat(top[i]);
    b = roundedProduct(b, x) + splat(bottom[i]);
  }
  return a / b;
}

// Coefficients of src/reference/normal-quantile.ts, where their source is.
constexpr double centreTop[8] = {3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946,
                                 45921.95393154987,  67265.7709270087,   33430.57558358813,  2509.0809287301227};
constexpr double centreBottom[8] = {1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854};
constexpr double shoulderTop[8] = {1.4234371107496835, 4.630337846156546,  5.769497221460691,    3.6478483247632045,
                                   1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414};
constexpr double shoulderBottom[8] = {1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-9};
constexpr double tailTop[8] = {6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7};
constexpr double tailBottom[8] = {1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15};

/** `portableLog` of numbers in (0, 1]. */
INLINE Doubles portableLog(Doubles x) {
  Doubles m, e;
  splitLog<double>(x, m, e);
  const Doubles s = (m - splat(1.0)) / (m + splat(1.0)), square = s * s;
  Doubles series = splat(1.0 / 23);
  UNROLL for (int odd = 21; odd >= 1; odd -= 2) series = roundedProduct(series, square) + splat(1.0 / odd);
  return roundedProduct(e, splat(0.6931471805599453)) + roundedProduct(s + s, series);
}

/** Replaces probabilities outside the centre of the distribution, [0.075, 0.925], by their quantiles. */
static __attribute__((noinline)) void tailQuantiles(double* p, Index n) {
  for (Index i = 0; i < n; i += HALF) {
    const Doubles x = load(p + i);
    const Bits<double> isLow = x - splat(0.5) < Doubles{};
    const Doubles r = squareRoot<double>(-portableLog(choose<double>(isLow, x, splat(1.0) - x)));
    Doubles size = ratioAt(r - splat(1.6), shoulderTop, shoulderBottom);
    const Bits<double> isFar = r > splat(5.0);
    bool someAreFar = false;
    for (int lane = 0; lane < HALF; lane++) someAreFar |= isFar[lane] != 0;
    if (someAreFar) size = choose<double>(isFar, ratioAt(r - splat(5.0), tailTop, tailBottom), size);
    store(p + i, choose<double>(isLow, -size, size));
  }
}

/** `normalQuantile` of `n` probabilities, of which there is memory for a multiple of HALF: those of the tails together, for they are few. */
static void normalQuantiles(const double* p, Index n, double* out) {
  double tails[DRAWS];
  Index places[DRAWS], count = 0;
  for (Index i = 0; i < n; i++) {
    const double q = p[i] - 0.5;
    tails[count] = p[i];
    places[count] = i;
    count += !((q < 0 ? -q : q) <= 0.425);
  }
  for (Index i = count; i < roundUp(count, HALF); i++) tails[i] = 0.01;
  tailQuantiles(tails, count);
  for (Index i = 0; i < n; i += HALF) {
    const Doubles q = load(p + i) - splat(0.5);
    store(out + i, q * ratioAt(splat(0.180625) - roundedProduct(q, q), centreTop, centreBottom));
  }
  for (Index i = 0; i < count; i++) out[places[i]] = tails[i];
}

INLINE void storeDoubles(double* p, Doubles v) { store(p, v); }
INLINE void storeDoubles(float* p, Doubles v) {
  *reinterpret_cast<HalfFloatsUnaligned*>(p) = __builtin_convertvector(v, HalfFloats);
}

/** Stores the first `n` elements. */
template <class T> INLINE void storeSome(T* p, Doubles v, Index n) {
  if (n == HALF) return storeDoubles(p, v);
  T lanes[HALF];
  storeDoubles(lanes, v);
  for (Index i = 0; i < n; i++) p[i] = lanes[i];
}

/** Array: out. */
template <class T> static Status randomNormal(Run& run, const Units& u) {
  constexpr int words = sizeof(T) / 4;
  T* const out = u.array<T>(0);
  eachDraw(run, readSource(u, words), u.count, words, [&](Index first, Index n, const Word* from) {
    double p[DRAWS], z[DRAWS];
    for (Index i = 0; i < n; i += HALF) {
      const Doubles drawn = words == 2 ? pairNumbers(from + 2 * i) : wordNumbers(from + i) + splat(0.5);
      // The middle of the last of 2^53 parts would round to 1.
      const Doubles middle = words == 2 ? drawn * splat(unitOf(53)) + splat(unitOf(54)) : drawn * splat(unitOf(32));
      store(p + i, smallerOf<double>(middle, splat(1 - unitOf(53))));
    }
    normalQuantiles(p, n, z);
    for (Index i = 0; i < n; i += HALF) storeSome(out + first + i, load(z + i), smaller(HALF, n - i));
  });
  return DONE;
}

/** Arrays: out, of any type; a number to which 1 is added if a word was not fair. Numbers: source, limit, low, type of out. */
template <class T> static Status randomBelow(Run& run, const Units& u) {
  const double limit = u.numbers[SOURCE_NUMBERS], low = u.numbers[SOURCE_NUMBERS + 1];
  const int type = int(u.numbers[SOURCE_NUMBERS + 2]);
  const double fair = double((1ull << 32) - (1ull << 32) % WordPair(limit));
  // One place per task: none writes where another does.
  const Index tasks = ceilDivide(u.count, MAP_TASK);
  Bits<double>* const unfair = take<Bits<double>>(run, tasks);
  if (!unfair) return OUT_OF_MEMORY;
  for (Index task = 0; task < tasks; task++) unfair[task] = Bits<double>{};
  eachDraw(run, readSource(u, 1), u.count, 1, [&](Index first, Index n, const Word* from) {
    double drawn[DRAWS];
    Bits<double> above = {};
    for (Index i = 0; i < n; i += HALF) {
      const Doubles word = wordNumbers(from + i);
      // What is past the end is no word of this call's.
      Doubles isOurs = splat(1.0);
      if (n - i < HALF)
        for (int lane = 0; lane < HALF; lane++) isOurs[lane] = lane < n - i;
      above |= (word >= splat(fair)) & (isOurs > Doubles{});
      // The quotient's distance from the next whole number is more than its rounding, so its floor is right; the rest is exact.
      store(drawn + i, (word - floorOf<double>(word / splat(limit)) * splat(limit)) + splat(low));
    }
    unfair[first / MAP_TASK] |= above;
    if (type == FLOAT64) copyRun(u.array<double>(0) + first, drawn, n);
    else put<double>(type, u.array<void>(0), first, n, drawn);
  });
  int count = 0;
  for (Index task = 0; task < tasks; task++)
    for (int lane = 0; lane < HALF; lane++) count |= unfair[task][lane] != 0;
  *u.array<int>(1) += count;
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
