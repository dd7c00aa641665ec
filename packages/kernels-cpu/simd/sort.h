// The stable order of lines: of keys whose bits have the order of the numbers, digit after digit; of a few elements by putting each
// where it belongs among those before it.

namespace ADJOINT_NAMESPACE {

template <class T> struct SortKey { typedef unsigned Bits; };
template <> struct SortKey<double> { typedef unsigned long long Bits; };

template <class T> struct SortItem {
  typename SortKey<T>::Bits key;
  int place;
};

/** Bits that are ordered as the numbers are: 0 and −0 are equal, and so are all NaN, above everything else. */
template <class T> INLINE typename SortKey<T>::Bits sortKey(T x) {
  typedef typename SortKey<T>::Bits Key;
  constexpr Key sign = Key(1) << (8 * sizeof(Key) - 1);
  if (x != x) return ~Key(0);
  const T unsignedZero = x + T(0);
  Key bits;
  __builtin_memcpy(&bits, &unsignedZero, sizeof bits);
  // All of a negative number's bits are turned, of others the sign: without a branch, which would be guessed wrong every other time.
  return bits ^ (-(bits >> (8 * sizeof(Key) - 1)) | sign);
}

enum { SORT_FEW = 24, SORT_DIGIT = 256 };

template <class Item> static void sortFew(Item* items, Index n) {
  for (Index i = 1; i < n; i++) {
    const Item item = items[i];
    Index to = i;
    for (; to > 0 && items[to - 1].key > item.key; to--) items[to] = items[to - 1];
    items[to] = item;
  }
}

/** Sorts by one digit of eight bits after the other, the lowest first; a digit that all have in common is left out. Returns where the result is. */
template <class Item> static Item* sortByDigits(Item* items, Item* other, Index n) {
  constexpr int DIGITS = sizeof(items->key);
  unsigned counts[DIGITS][SORT_DIGIT] = {};
  for (Index i = 0; i < n; i++)
    for (int d = 0; d < DIGITS; d++) counts[d][items[i].key >> (8 * d) & 255]++;
  for (int d = 0; d < DIGITS; d++) {
    unsigned* const count = counts[d];
    if (count[items[0].key >> (8 * d) & 255] == unsigned(n)) continue;
    unsigned next = 0;
    for (int digit = 0; digit < SORT_DIGIT; digit++) {
      const unsigned own = count[digit];
      count[digit] = next;
      next += own;
    }
    for (Index i = 0; i < n; i++) other[count[items[i].key >> (8 * d) & 255]++] = items[i];
    Item* const sorted = other;
    other = items;
    items = sorted;
  }
  return items;
}

/** Lines of so many elements at most are shared among threads, each of which has a workspace for one; a single line has one thread. */
enum { SORT_APART = 1 << 20 };

/** Arrays: a, out: places on the line. Numbers: n, inner, 1 if descending. */
template <class T> static Status argsort(Run& run, const Units& u) {
  typedef SortItem<T> Item;
  const Index n = Index(u.numbers[0]), inner = Index(u.numbers[1]);
  const auto flip = u.numbers[2] != 0 ? ~typename SortKey<T>::Bits(0) : 0;
  const Index lines = u.count * inner;
  const bool isApart = lines > 1 && n <= SORT_APART;
  Item* const space = take<Item>(run, (isApart ? run.threads : 1) * 2 * n);
  if (!space) return OUT_OF_MEMORY;
  const auto sortLine = [&](Index line, Item* items) {
    const Index start = line / inner * n * inner + line % inner;
    const T* const a = u.array<const T>(0) + start;
    int* const out = u.array<int>(1) + start;
    for (Index i = 0; i < n; i++) items[i] = {sortKey(a[i * inner]) ^ flip, int(i)};
    if (n <= SORT_FEW) sortFew(items, n);
    else items = sortByDigits(items, items + n, n);
    for (Index i = 0; i < n; i++) out[i * inner] = items[i].place;
  };
  if (!isApart) {
    for (Index line = 0; line < lines; line++) sortLine(line, space);
    return DONE;
  }
  const Index grain = larger(1, MAP_TASK / 8 / n);
  parallel(run, ceilDivide(lines, grain), [&](Index task, int thread) {
    for (Index line = task * grain; line < smaller(lines, (task + 1) * grain); line++) sortLine(line, space + thread * 2 * n);
  });
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
