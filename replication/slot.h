#ifndef REPLICATION_SLOT_H_
#define REPLICATION_SLOT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "replication/context.h"
#include "replication/delta.h"
#include "replication/delta_log.h"
#include "replication/life.h"
#include "replication/live_hash.h"
#include "replication/parked.h"
#include "replication/snapshot.h"

namespace sessionmesh::replication {

// What one call changed in a slot, for those who wait, watch, count and log.
struct SlotChanges {
  struct Ended {
    Dot birth;
    EndReason reason = EndReason::kDeleted;
    std::vector<std::string> ids;  // those that opened it at the end
  };
  struct Settled {  // a delta that had been parked is now covered
    Dot last;
    membership::NodeName from;  // who had sent it
  };
  // Some dot became covered, some life changed, or a delta was parked.
  bool any = false;
  // Births of lives made or changed and still live; ascending, distinct.
  std::vector<Dot> changed;
  std::vector<Ended> ended;
  std::vector<Settled> settled;
};

// A Slot is one replica of one slot: the delta-state CRDT at the heart of
// replication. Sessions are lives in a map by birth; one causal context is
// shared by all of them and remembers what was deleted.
//
//   store = f(set of applied deltas)
//
// whatever the order, the duplicates and the transfers between.
//
// Rules (DESIGN.md has each with its invariant): a delta is applied only when
// its dependencies are covered, else parked; KILL is applied at once and voids
// its births for ever; covered dependencies and an absent life mean the life is
// dead; siblings go only when an op names them; a join keeps (A and B) or (A
// minus ctxB) or (B minus ctxA), and is atomic.
//
// What it does not do: mint, send, expire by idle time, check limits or owners.
// Not thread-safe.
class Slot {
 public:
  enum class Outcome : uint8_t {
    kApplied,    // covered now; acknowledge
    kDuplicate,  // was covered before; acknowledge
    kParked,     // waits for a dependency; do not acknowledge
    kRefused,  // no room to park it: not acknowledged, the sender still has it
  };
  struct Limits {
    size_t parked_bytes_max = 1 << 20;
    size_t log_bytes_max = 8 << 10;
    // A last access further ahead of `now` comes from a clock beyond the bound
    // and must not keep a life alive.
    absl::Duration clock_offset_max = absl::Milliseconds(500);
  };
  // A life as the slot holds it.
  struct Holding {
    std::shared_ptr<const Life> life;
    int64_t last_access_ms = 0;  // merges by max
    int64_t last_sent_ms = 0;  // the value that the other owners were told last
  };

  explicit Slot(const Limits& limits);

  // --- deltas

  // `from` is told (SlotChanges::settled) when a parked delta settles. A life's
  // last access moves up to the delta's clock. Refused is what would
  // make the parked deltas of this slot take more than `parked_bytes_most`.
  Outcome Receive(
      const DeltaPtr& delta, const membership::NodeName& from,
      SlotChanges* changes,
      size_t parked_bytes_most = std::numeric_limits<size_t>::max());

  // The delta counts as covered and brings no life: every session that its
  // actor can have touched is over. What waits for it goes on.
  void CoverAsOver(const DeltaPtr& delta, SlotChanges* changes);

  // The deltas in the log that `peer` lacks, in the order in which they were
  // applied here, or nothing when the log does not hold all of them: then only
  // a snapshot helps.
  std::optional<std::vector<DeltaPtr>> LogSince(const Context& peer) const;

  // --- state transfer

  // Pins the state; `peer` decides which lives travel whole.
  Snapshot TakeSnapshot(const Context& peer) const;

  // Joins another replica's state in one step. Lives past `now` are not taken
  // over, but covered. A last access that comes with a life counts as sent: its
  // source tells the others. Of what the source has parked, no more is taken
  // than `parked_bytes_most` allows (see Receive).
  void Join(const Snapshot& snapshot, const membership::NodeName& from,
            absl::Time now, SlotChanges* changes,
            size_t parked_bytes_most = std::numeric_limits<size_t>::max());

  // --- look-up

  // The live lives that hold the id now: none, one, or several (a foreign id
  // created twice). Ascending by birth. Valid until the slot changes.
  std::vector<const Holding*> Lookup(absl::string_view id) const;

  // As Lookup; when no life holds the id now, those that held it once (rule
  // A4).
  std::vector<const Holding*> LookupForDelete(absl::string_view id) const;

  const Holding* Find(const Dot& birth) const;

  // --- accesses and ends

  // Moves the last access up to `millis`; returns whether it moved. False for
  // an unknown life.
  bool Touch(const Dot& birth, int64_t millis);
  // The others have been told `millis`.
  void MarkSent(const Dot& birth, int64_t millis);
  std::vector<LastAccess> LastAccesses() const;  // ascending by birth
  uint64_t LastAccessHash() const { return last_access_hash_; }

  // Drops a life whose absolute deadline is behind `now`; deterministic, so
  // nobody is told. False when it is not there or not due.
  bool DropPastDeadline(const Dot& birth, absl::Time now, SlotChanges* changes);

  // Forgets actors under the floor in the context, and parked deltas that can
  // never settle or matter: those of actors under the floor or that wait for
  // one, and those older than `parked_before` (by the clock in them). Returns
  // how many parked were dropped.
  size_t Prune(absl::Time floor, absl::Time parked_before);

  // --- what it holds

  const Context& context() const { return context_; }
  const LiveHash& live_hash() const { return live_hash_; }
  // In any order!
  const absl::flat_hash_map<Dot, Holding>& lives() const { return lives_; }
  size_t parked_count() const { return parked_.size(); }
  size_t parked_bytes() const { return parked_.bytes(); }
  // The oldest parked delta's sender and clock; nothing parked: null.
  const DeltaPtr* OldestParked(membership::NodeName* from) const;
  size_t payload_bytes() const { return payload_bytes_; }
  size_t log_bytes() const { return log_.bytes(); }

 private:
  // Births of the lives with an id of this hash, ascending. Derived from
  // lives_.
  using IdIndex = absl::flat_hash_map<IdHash, absl::InlinedVector<Dot, 1>>;

  // slot.cc: what happens to a delta.
  Outcome Accept(const DeltaPtr& delta, const membership::NodeName& from,
                 SlotChanges* changes, size_t parked_bytes_most);
  const Dot* FirstMissing(const Delta& delta) const;
  void ApplyAndWake(const DeltaPtr& delta, SlotChanges* changes);
  void WakeAfter(const Delta& delta, std::vector<DeltaPtr>* ready,
                 SlotChanges* changes);
  void Wake(std::vector<ParkedDeltas::Entry> entries,
            std::vector<DeltaPtr>* ready, SlotChanges* changes);
  void Apply(const DeltaPtr& delta, SlotChanges* changes);
  void Create(const Delta& delta, SlotChanges* changes);
  void Update(const Dot& birth, const Delta& delta, SlotChanges* changes);
  void Finish(SlotChanges* changes) const;

  // slot_lives.cc: every change of lives_ and of what is derived from it.
  void InsertLife(Life life, SlotChanges* changes);
  void ReplaceLife(Holding* holding, Life life, bool ids_changed,
                   SlotChanges* changes);
  void EndLife(const Dot& birth, EndReason reason, SlotChanges* changes);
  void RaiseAccess(Holding* holding, int64_t millis);
  void IndexIds(const Life& life);
  void UnindexIds(const Life& life);
  std::vector<const Holding*> HoldingsOf(const IdIndex& index,
                                         IdHash hash) const;

  // slot_transfer.cc
  void EndUnlisted(const Snapshot& snapshot, absl::Time now,
                   SlotChanges* changes);
  void JoinLife(const SnapshotLife& theirs, const Context& their_context,
                absl::Time now, SlotChanges* changes);

  absl::Duration clock_offset_max_;
  Context context_;
  LiveHash live_hash_;
  absl::flat_hash_map<Dot, Holding> lives_;
  IdIndex by_id_;        // ids that open a life now
  IdIndex by_ended_id_;  // ids that did once
  ParkedDeltas parked_;
  DeltaLog log_;
  size_t payload_bytes_ = 0;
  uint64_t last_access_hash_ = 0;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_SLOT_H_
