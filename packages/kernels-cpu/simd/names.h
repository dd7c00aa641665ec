// The tables of kernels by name. JavaScript calls a kernel by its number; a hash of all names, in order, which both sides work out
// for themselves, tells whether the numbers mean the same here and there (src/tiers/boundary.ts).

namespace ADJOINT_NAMESPACE {

/** Raised whenever the meaning of an argument changes. Of the tables themselves the names tell. */
enum { BOUNDARY_VERSION = 7 };

/** FNV-1a of 32 bits. */
constexpr unsigned NO_HASH = 2166136261u;
constexpr unsigned hashOn(unsigned hash, unsigned value) { return (hash ^ value) * 16777619u; }

/** Capitals count as small letters: names of types begin with one. */
constexpr unsigned hashOf(const char* name) {
  unsigned hash = NO_HASH;
  for (; *name; name++) hash = hashOn(hash, unsigned(*name) | 32u);
  return hash;
}

/** An entry of a table. */
template <class Function> struct Named {
  unsigned name;
  Function run;
};
#define NAMED(name, ...) {hashOf(#name), __VA_ARGS__}

/** The hash of what came before, continued by a table. */
template <class Entry, unsigned long N> constexpr unsigned hashOn(unsigned hash, const Entry (&table)[N]) {
  for (const Entry& entry : table) hash = hashOn(hash, entry.name);
  return hash;
}

}  // namespace ADJOINT_NAMESPACE
