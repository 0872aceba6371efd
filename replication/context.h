#ifndef REPLICATION_CONTEXT_H_
#define REPLICATION_CONTEXT_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// Dots first..last (both included) of one actor. REQUIRES: 1 <= first <= last.
struct DotRange {
  ActorId actor = 0;
  uint64_t first = 0;
  uint64_t last = 0;

  bool operator==(const DotRange&) const = default;
};

// A Context is the set of dots that a replica of one slot has seen: a version
// vector with exceptions.
//
//   actor A  |#######base|   |##|    |####|
//   actor B  |##base|
//
// `base` is the end of the run that begins at 1; the other ranges lie above it
// and never touch.
//
// It is the whole memory of what was deleted: a birth dot that is covered while
// its life is absent means the life is dead. Dots of actors born before the
// floor count as covered although they are no longer stored: whatever they
// touched is past its absolute deadline (invariant I10).
//
// A value type; not thread-safe. Join is associative, commutative and
// idempotent.
class Context {
 public:
  struct Entry {
    ActorId actor = 0;
    std::vector<DotRange> ranges;  // ascending, disjoint, not adjacent

    bool operator==(const Entry&) const = default;
  };

  bool Contains(const Dot& dot) const;

  void Add(const Dot& dot) { AddRange({dot.actor, dot.counter, dot.counter}); }
  // Ranges of actors under the floor are ignored.
  void AddRange(const DotRange& range);

  // Afterwards this covers what it covered and what `other` covers (above this
  // floor).
  void Join(const Context& other);

  // Whether everything in `other` is covered here.
  bool Dominates(const Context& other) const;

  // What is covered here and not in `other`, ascending by actor and counter.
  std::vector<DotRange> Minus(const Context& other) const;

  // Forgets actors born before `floor`; they count as covered from now on. The
  // floor never sinks.
  void Prune(absl::Time floor);
  absl::Time floor() const { return floor_; }

  // Equal contexts have equal hashes, in every process. The floor does not
  // enter.
  uint64_t Hash() const;

  bool empty() const { return entries_.empty(); }
  // Ascending by actor; what the wire carries.
  const std::vector<Entry>& entries() const { return entries_; }

  // Compares the stored dots; floors do not enter.
  bool operator==(const Context& other) const {
    return entries_ == other.entries_;
  }

 private:
  // The first entry of `actor` or a greater one.
  std::vector<Entry>::const_iterator LowerBound(ActorId actor) const;
  const Entry* Find(ActorId actor) const;

  std::vector<Entry> entries_;
  absl::Time floor_ = absl::InfinitePast();
  ActorId floor_actor_ = 0;  // the same floor as a number that ids compare with
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_CONTEXT_H_
