#ifndef REPLICATION_SNAPSHOT_H_
#define REPLICATION_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "replication/context.h"
#include "replication/delta.h"
#include "replication/life.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {

// When a life was last accessed, as replicas tell each other.
struct LastAccess {
  Dot birth;
  int64_t millis = 0;  // wall clock, since 1970

  bool operator==(const LastAccess&) const = default;
};

// One life inside a state transfer.
struct SnapshotLife {
  Dot birth;
  int64_t last_access_ms = 0;
  // Everything that keeps it alive at the source. Being listed is what keeps
  // the life at the receiver; the dots add up to the hash of the whole.
  std::vector<Dot> live_dots;
  // The life whole, when the receiver lacks one of its dots. Otherwise null:
  // who covers the heads of a life has done to it all that the source has.
  std::shared_ptr<const Life> full;
};

// The state of one slot as one atomic triple: context, live dots, entries
// (invariant I6). A part of it with the whole context would delete live data at
// the receiver; so the receiver stages all parts and joins once.
struct Snapshot {
  Context context;
  LiveHash live_hash;
  std::vector<SnapshotLife> lives;  // ascending by birth
  std::vector<DeltaPtr> parked;     // their dependencies may be at the receiver
};

// INVALID_ARGUMENT when the parts do not belong together: a life has a dot that
// the context does not cover, or no head. Joined, such a state would leave
// lives that cannot be read or changed, so whatever a peer sends is checked
// first.
absl::Status CheckSnapshot(const Snapshot& snapshot);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_SNAPSHOT_H_
