// The first k of lines in their stable order, without the order of the others: each element is held against the last of the best so far,
// registers of them at once, and few pass.

namespace ADJOINT_NAMESPACE {

/** The first k of all items that were offered. A few are kept in order; of more, as many again are let in before the first k are singled out. */
template <class T> struct Foremost {
  typedef SortItem<T> Item;
  typedef typename SortKey<T>::Bits Key;
  Item* items;
  Item* other;
  const Index k, room;
  Index count = 0;
  /** Whether there are k: who does not stand before `last`, the last of them, is none of the first k. */
  bool isFull = false;
  Item last;

  static Index roomFor(Index k, Index n) {
    if (k <= SORT_FEW) return k;
    const Index most = larger(2 * k, 256);
    return most > n / 4 ? n : most;
  }
  /** Items that it takes to find the first k of n. */
  static Index spaceFor(Index k, Index n) { return roomFor(k, n) + k; }
  Foremost(Item* space, Index k, Index n) : items(space), other(space + roomFor(k, n)), k(k), room(roomFor(k, n)) {}

  void offer(Item item) {
    if (isFull && item.key >= last.key) return;
    if (k <= SORT_FEW) return insert(item);
    items[count++] = item;
    if (count == room) single();
  }
  void insert(Item item) {
    Index to = isFull ? k - 1 : count++;
    for (; to > 0 && items[to - 1].key > item.key; to--) items[to] = items[to - 1];
    items[to] = item;
    isFull = count == k;
    last = items[count - 1];
  }
  /** Leaves the first k, in the order in which they came. Digit by digit, the highest first, finds the digits by which they are told from others. */
  void single() {
    if (count <= k) return;
    Key known = 0, bound = 0;
    // Of the items that have the bound's digits, how many are among the first k.
    Index among = k;
    for (int shift = 8 * sizeof(Key) - 8; shift >= 0; shift -= 8) {
      unsigned counts[SORT_DIGIT] = {};
      for (Index i = 0; i < count; i++) counts[items[i].key >> shift & 255] += (items[i].key & known) == bound;
      int digit = 0;
      for (; among > Index(counts[digit]); digit++) among -= counts[digit];
      known |= Key(255) << shift;
      bound |= Key(digit) << shift;
      if (among == Index(counts[digit])) break;
    }
    // Without branches, of which every other one would be guessed wrong.
    Index kept = 0;
    last = {0, 0};
    for (Index i = 0; i < count; i++) {
      const Item item = items[i];
      const Key digits = item.key & known;
      const bool isAmong = digits == bound, isKept = (digits < bound) | (isAmong & (among > 0));
      among -= isAmong;
      items[kept] = item;
      kept += isKept;
      const bool isLater = isKept & (item.key >= last.key);
      last = {isLater ? item.key : last.key, isLater ? item.place : last.place};
    }
    count = kept;
    isFull = true;
  }
  /** Those that were found, in order. */
  const Item* found() {
    if (k <= SORT_FEW) return items;
    single();
    return sortByDigits(items, other, count);
  }
};

/** Of keys the lowest are first: those of the largest elements, or of the smallest. */
template <class T, bool LARGEST> INLINE typename SortKey<T>::Bits topkKey(T x) {
  return LARGEST ? ~sortKey(x) : sortKey(x);
}

/** Offers elements side by side, the first of which is at `place` of its line. */
template <class T, bool LARGEST> static void offerRun(Foremost<T>& best, const T* x, Index n, Index place) {
  constexpr Index W = Lanes<T>::N, REGISTERS = 4;
  const auto offer = [&](Index i) __attribute__((always_inline)) { best.offer({topkKey<T, LARGEST>(x[i]), int(place + i)}); };
  Index i = 0;
  for (; i < n && !best.isFull; i++) offer(i);
  for (; i + REGISTERS * W <= n; i += REGISTERS * W) {
    const Vec<T> last = splat(x[best.last.place - place]);
    Bits<T> passes[REGISTERS], any = {};
    // Of NaN the keys tell.
    UNROLL for (Index r = 0; r < REGISTERS; r++) {
      const Vec<T> v = load(x + i + r * W);
      passes[r] = ~(LARGEST ? Bits<T>(v <= last) : Bits<T>(v >= last));
      any |= passes[r];
    }
    if (!anyLane(any)) continue;
    for (Index r = 0; r < REGISTERS; r++) {
      if (!anyLane(passes[r])) continue;
      LaneInt<T> lanes[W];
      storeInts<T>(lanes, passes[r]);
      for (Index lane = 0; lane < W; lane++)
        if (lanes[lane]) offer(i + r * W + lane);
    }
  }
  for (; i < n; i++) offer(i);
}

/** A long line is cut in pieces of so many elements at least, if they have many times k, and in so many pieces at most: each finds k of its own. */
enum { TOPK_PIECE = 1 << 15, TOPK_PIECES = 8, TOPK_PIECE_OF_K = 16 };

template <class T, bool LARGEST> static Status firstPlaces(Run& run, const Units& u) {
  typedef SortItem<T> Item;
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]), k = Index(u.numbers[2]), lines = u.count * inner;
  const T* const a = u.array<const T>(0);
  int* const out = u.array<int>(1);
  const Index piece = larger(TOPK_PIECE, ceilDivide(n, TOPK_PIECES)), pieces = ceilDivide(n, piece);
  if (inner == 1 && pieces > 1 && piece >= TOPK_PIECE_OF_K * k) {
    // The last piece may have fewer than k.
    const Index perThread = Foremost<T>::spaceFor(k, piece), count = (pieces - 1) * k + smaller(k, n - (pieces - 1) * piece);
    Item* const space = take<Item>(run, run.threads * perThread);
    Item* const found = take<Item>(run, pieces * k);
    Item* const mergeSpace = take<Item>(run, Foremost<T>::spaceFor(k, count));
    if (!space || !found || !mergeSpace) return OUT_OF_MEMORY;
    for (Index line = 0; line < lines; line++) {
      parallel(run, pieces, [&](Index task, int thread) {
        const Index first = task * piece, size = smaller(piece, n - first);
        Foremost<T> best(space + thread * perThread, k, piece);
        offerRun<T, LARGEST>(best, a + line * n + first, size, first);
        const Item* const from = best.found();
        for (Index i = 0; i < best.count; i++) found[task * k + i] = from[i];
      });
      Foremost<T> best(mergeSpace, k, count);
      for (Index i = 0; i < count; i++) best.offer(found[i]);
      const Item* const from = best.found();
      for (Index i = 0; i < k; i++) out[line * k + i] = from[i].place;
    }
    return DONE;
  }
  const Index perThread = Foremost<T>::spaceFor(k, n);
  Item* const space = take<Item>(run, run.threads * perThread);
  if (!space) return OUT_OF_MEMORY;
  const Index grain = larger(1, MAP_TASK / n);
  parallel(run, ceilDivide(lines, grain), [&](Index task, int thread) {
    for (Index line = task * grain; line < smaller(lines, (task + 1) * grain); line++) {
      Foremost<T> best(space + thread * perThread, k, n);
      const T* const x = a + line / inner * n * inner + line % inner;
      if (inner == 1) {
        offerRun<T, LARGEST>(best, x, n, 0);
      } else {
        for (Index i = 0; i < n; i++) best.offer({topkKey<T, LARGEST>(x[i * inner]), int(i)});
      }
      const Item* const from = best.found();
      int* const to = out + line / inner * k * inner + line % inner;
      for (Index i = 0; i < k; i++) to[i * inner] = from[i].place;
    }
  });
  return DONE;
}

/** Arrays: a, out: places on the line. Numbers: n, inner, k (from 1 to n), 1 if descending. */
template <class T> static Status argtopk(Run& run, const Units& u) {
  return u.numbers[3] != 0 ? firstPlaces<T, true>(run, u) : firstPlaces<T, false>(run, u);
}

}  // namespace ADJOINT_NAMESPACE
