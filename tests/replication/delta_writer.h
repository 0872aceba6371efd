#ifndef TESTS_REPLICATION_DELTA_WRITER_H_
#define TESTS_REPLICATION_DELTA_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/delta.h"
#include "replication/hlc_clock.h"
#include "replication/slot.h"

namespace sessionmesh::replication {

// When tests take place: 2026-01-01T00:00:00Z.
inline absl::Time TestStart() { return absl::FromUnixSeconds(1767225600); }

// The actor number `n` of a test; ascending in n.
ActorId TestActor(uint64_t n);

// Attributes to put, or to delete when there is no value.
using AttributeChanges =
    std::vector<std::pair<std::string, std::optional<std::string>>>;

// DeltaWriter mints deltas of one slot for one actor as an owner does that sees
// the given replica: it names the births, heads and entries that it sees there.
// It applies nothing.
//
//   DeltaWriter writer(TestActor(1));
//   slot.Receive(writer.Create("s", {{"cart", "1"}}), "a", &changes);
//   slot.Receive(writer.Update(slot, "s", {{"cart", "2"}}), "a", &changes);
class DeltaWriter {
 public:
  explicit DeltaWriter(ActorId actor, SlotId slot = 0)
      : actor_(actor), slot_(slot) {}

  // All deltas from here on: the writer's wall clock; what a CREATE gives its
  // life.
  void set_wall(absl::Time wall) { wall_ = wall; }
  void set_deadline(absl::Time deadline) { deadline_ = deadline; }
  void set_idle(absl::Duration idle) { idle_ = idle; }

  DeltaPtr Create(absl::string_view id, const AttributeChanges& changes = {});
  // REQUIRES: `id` opens a life in `seen`.
  DeltaPtr Update(const Slot& seen, absl::string_view id,
                  const AttributeChanges& changes);
  DeltaPtr Rotate(const Slot& seen, absl::string_view id,
                  absl::string_view new_id,
                  const AttributeChanges& changes = {});
  // REQUIRES: LookupForDelete finds `id`.
  DeltaPtr Kill(const Slot& seen, absl::string_view id,
                EndReason reason = EndReason::kDeleted);

  ActorId actor() const { return actor_; }
  // The counter of the next dot.
  uint64_t next() const { return next_; }
  void set_next(uint64_t next) { next_ = next; }

 private:
  using Lives = std::vector<const Slot::Holding*>;

  Delta Begin(Delta::Kind kind, const Lives& lives);
  void AddChanges(const Lives& lives, const AttributeChanges& changes,
                  Delta* delta);
  void AddOp(const Lives& lives, absl::string_view name,
             const std::optional<std::string>& value, Delta* delta);
  DeltaPtr Finish(Delta delta);

  ActorId actor_;
  SlotId slot_;
  uint64_t next_ = 1;
  HlcClock clock_;
  absl::Time wall_ = TestStart();
  absl::Time deadline_ = TestStart() + absl::Hours(24);
  absl::Duration idle_ = absl::Minutes(30);
};

}  // namespace sessionmesh::replication

#endif  // TESTS_REPLICATION_DELTA_WRITER_H_
