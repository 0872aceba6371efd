#ifndef REPLICATION_TRANSFERS_H_
#define REPLICATION_TRANSFERS_H_

#include <cstdint>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "replication/config.h"
#include "replication/message.h"
#include "replication/slot.h"

namespace sessionmesh::replication {

// Transfers is the answering half of slot synchronisation. It picks the
// cheapest answer to a Pull (nothing, the missing deltas from the log, or a
// snapshot) and keeps pinned snapshots while a puller fetches their parts.
// Pinning shares the lives, so it costs a pointer each; the number of pinned
// snapshots is bounded.
//
// Not thread-safe.
class Transfers {
 public:
  explicit Transfers(const Config& config) : config_(config) {}

  // Fills in kind, deltas, state and last accesses; the caller adds what it
  // knows of owners.
  PullReply Answer(const NodeName& to, const Pull& pull, const Slot& slot,
                   absl::Time now);

  PullReply AnswerMore(const NodeName& to, const PullMore& more,
                       absl::Time now);

  // Lets go of transfers that their puller has abandoned.
  void Expire(absl::Time now);
  void Forget(const NodeName& to);
  absl::Time next_timeout() const;

 private:
  struct Transfer {
    SlotId slot = 0;
    Snapshot snapshot;
    size_t next_life = 0;
    uint32_t next_part = 0;
    absl::Time progress;
  };
  using Key = std::pair<NodeName, uint64_t>;

  // Moves lives into `reply` up to the bound of a part.
  void FillPart(Transfer* transfer, PullReply* reply) const;

  const Config& config_;
  std::map<Key, Transfer> transfers_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_TRANSFERS_H_
