#ifndef REPLICATION_DELTA_H_
#define REPLICATION_DELTA_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// One change of one attribute inside a delta. Op number i of a delta owns the
// dot (actor, first + i).
struct Op {
  enum class Kind : uint8_t {
    kPut = 1,     // adds an entry with this op's dot
    kDelete = 2,  // only removes what it superseded
    kVoid = 3,    // a PUT whose value a later op of the same coalesced group
                  // replaced: no entry
  };
  Kind kind = Kind::kPut;
  std::string name;
  std::string value;  // kPut only
  // The entries of this attribute that the writer saw.
  std::vector<Dot> superseded;
  // Orders concurrent entries of one attribute when they are read. Kept per op
  // because a coalesced group holds ops of several writes, and every replica
  // must see the same clock for the same dot.
  Hlc hlc = 0;

  bool operator==(const Op&) const = default;
};

// A Delta is one atomic change of one session (or of all lives that hold one
// foreign id), the unit that replicas send each other. It never changes once
// minted; replicas that have applied the same set of deltas have the same
// state, whatever the order.
//
//   kCreate  op 0 is PUT "\0id", its dot is the birth of the life
//   kUpdate  waits for its `deps`, then changes each named life that is live
//   kRotate  an update whose op 0 replaces the ids seen; never coalesced
//   kKill    erases exactly the named lives, at once; no ops, one dot
//
// A life is named by its birth dot, never by its id (replication rules A1, B4).
struct Delta {
  enum class Kind : uint8_t {
    kCreate = 1,
    kUpdate = 2,
    kRotate = 3,
    kKill = 4,
  };

  SlotId slot = 0;
  Kind kind = Kind::kUpdate;
  ActorId actor = 0;
  uint64_t first = 0;  // counter of the first dot
  // Ascending; one, or several for a foreign id that was created twice.
  std::vector<Dot> births;
  // Heads of those lives at the writer, ascending; empty for CREATE and KILL.
  std::vector<Dot> deps;
  // Coalesced groups: the last dots of the members but the last; they were
  // heads in between.
  std::vector<Dot> inner_heads;
  Hlc hlc = 0;
  std::vector<Op> ops;  // at least one, but for kKill
  // kCreate: immutable properties of the life.
  absl::Time deadline;  // wall clock
  absl::Duration idle;
  // kKill.
  EndReason reason = EndReason::kDeleted;

  uint64_t dot_count() const { return kind == Kind::kKill ? 1 : ops.size(); }
  Dot dot(size_t op) const { return {actor, first + op}; }
  // The head that this delta becomes.
  Dot last() const { return {actor, first + dot_count() - 1}; }
  // Approximate memory, for queues and logs.
  size_t ByteSize() const;

  bool operator==(const Delta&) const = default;
};

using DeltaPtr = std::shared_ptr<const Delta>;

// Whether `next` may join `group` in a sender's queue: same actor and slot,
// equal births, `next` depends on exactly the group's last dot and on nothing
// else, and neither is a ROTATE or a KILL (invariants I14, I17, rule A5).
// Anything looser can dead-lock the group on a third delta. Their dots must
// also follow each other, because a delta is one run of dots: what the actor
// wrote to another session of the slot in between keeps them apart.
bool MayCoalesce(const Delta& group, const Delta& next);

// The group of both: dots of both, deps of the first, values that `next`
// replaced voided. Applying it equals applying the two in turn. REQUIRES:
// MayCoalesce(group, next).
Delta Coalesce(const Delta& group, const Delta& next);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_DELTA_H_
