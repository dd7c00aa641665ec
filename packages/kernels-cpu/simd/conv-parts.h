// Sums over the units of a batch (images, or bands of their rows) that are made apart, each by one thread from copies that no other reads,
// and added up in the end. Into how many parts depends on the sizes alone, and so do the bits.

namespace ADJOINT_NAMESPACE {

/** Parts of all groups together, about, and what their sums may take, in bytes. */
enum { SUM_PARTS = 16, SUM_BYTES = 2 << 20 };

/** A weight gradient of `groups`, over `units` each: pieces that a unit's copy is made of, tiles of sums, and tasks that finish a group. */
struct UnitSums {
  Index groups, units, unitSize, sumsSize, pieces, tiles, finishers;
  /** How many sums one group has: of few units or large sums one, whose tiles the threads share. */
  template <class T> Index parts() const {
    const Index room = SUM_BYTES / Index(sizeof(T)) / larger(1, sumsSize);
    return units < 4 || room < 4 ? 1 : smaller(units, smaller(room, ceilDivide(Index(SUM_PARTS), larger(1, groups))));
  }
};

/**
 * `copyPiece(copy, group, unit, piece)` makes a piece of a unit's copy, `addTiles(copy, sums, unit, first, last)` adds to tiles of sums,
 * and `finish(sums, group, task)` adds up the parts, `sumsSize` apart, and writes a share of the result.
 */
template <class T, class CopyPiece, class AddTiles, class Finish>
static Status sumUnits(Run& run, const UnitSums& u, const CopyPiece& copyPiece, const AddTiles& addTiles, const Finish& finish) {
  const Index parts = u.parts<T>(), room = SUM_BYTES / Index(sizeof(T)) / larger(1, parts * u.sumsSize);
  const Index wanted = run.threads == 1 ? 1 : ceilDivide(4 * run.threads, parts), groupsAtOnce = smaller(u.groups, larger(room, wanted));
  if (parts > 1 || run.threads == 1 || (groupsAtOnce >= run.threads && wanted <= room)) {
    T* const copies = take<T>(run, run.threads * u.unitSize);
    T* const sums = take<T>(run, groupsAtOnce * parts * u.sumsSize);
    if (!copies || !sums) return OUT_OF_MEMORY;
    for (Index first = 0; first < u.groups; first += groupsAtOnce) {
      const Index count = smaller(groupsAtOnce, u.groups - first);
      parallel(run, count * parts, [&](Index task, int thread) {
        T* const copy = copies + thread * u.unitSize;
        T* const to = sums + task * u.sumsSize;
        zero(to, u.sumsSize);
        const Index part = task % parts, last = shareOf(u.units, part + 1, parts);
        for (Index unit = shareOf(u.units, part, parts); unit < last; unit++) {
          for (Index piece = 0; piece < u.pieces; piece++) copyPiece(copy, first + task / parts, unit, piece);
          addTiles(copy, to, unit, 0, u.tiles);
        }
      });
      parallel(run, count * u.finishers,
               [&](Index t, int) { finish(sums + t / u.finishers * parts * u.sumsSize, first + t / u.finishers, t % u.finishers); });
    }
    return DONE;
  }
  const Index wave = waveOf(run, u.units, u.unitSize * Index(sizeof(T)));
  T* copies = take<T>(run, wave * u.unitSize);
  T* sums = take<T>(run, u.sumsSize);
  if (!copies || !sums) return OUT_OF_MEMORY;
  for (Index group = 0; group < u.groups; group++) {
    zero(sums, u.sumsSize);
    for (Index w0 = 0; w0 < u.units; w0 += wave) {
      const Index count = smaller(wave, u.units - w0);
      parallelShares(run, count * u.pieces, [&](Index t, int) { copyPiece(copies + t / u.pieces * u.unitSize, group, w0 + t / u.pieces, t % u.pieces); });
      const Index tasks = smaller(u.tiles, run.threads == 1 ? 1 : 4 * run.threads);
      parallel(run, tasks, [&](Index task, int) {
        for (Index unit = 0; unit < count; unit++)
          addTiles(copies + unit * u.unitSize, sums, w0 + unit, u.tiles * task / tasks, u.tiles * (task + 1) / tasks);
      });
    }
    parallel(run, u.finishers, [&](Index t, int) { finish(sums, group, t); });
  }
  return DONE;
}

}  // namespace ADJOINT_NAMESPACE
