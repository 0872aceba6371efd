#ifndef REPLICATION_PULLER_H_
#define REPLICATION_PULLER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "replication/config.h"
#include "replication/message.h"

namespace sessionmesh::replication {

// Puller is the asking half of slot synchronisation: which slots are wanted
// from which peers, which pulls are under way, and the parts of a state that
// have arrived. It bounds both how many pulls run at once and how much is
// staged: parts are asked for one at a time, and a state that is larger than a
// lane may be is dropped.
//
// Pull numbers grow, so a question asked now is answered by every pull numbered
// `next_pull()` or higher: one pull answers all who wait for the same slot and
// peer.
//
// Not thread-safe.
class Puller {
 public:
  // A pull that ended well: everything in it belongs to one moment at the
  // source.
  struct Done {
    NodeName from;
    uint64_t pull = 0;
    SlotId slot = 0;
    PullReply
        reply;  // kEqual, kDeltas, or kState with all parts joined in `state`
  };

  // Pull numbers begin at `first_pull`, random: an answer to a former process
  // of this name must not be taken for one to this.
  Puller(const Config& config, uint64_t first_pull)
      : config_(config), next_pull_(first_pull) {}

  // Wants a slot from a peer; a want that is there already stays one. `urgent`
  // wants (somebody waits) go first.
  void Want(const NodeName& from, SlotId slot, bool urgent);

  // The next want that may start now, with its pull number; the caller sends
  // the Pull.
  struct Start {
    NodeName from;
    SlotId slot = 0;
    uint64_t pull = 0;
  };
  std::optional<Start> Next(absl::Time now);

  // A reply arrived. Returns the finished pull, if it is; sets `more` when the
  // next part is to be asked for. Replies of unknown or foreign pulls are
  // ignored. A busy or gone source puts the want back.
  std::optional<Done> OnReply(const NodeName& from, const PullReply& reply,
                              absl::Time now, std::optional<PullMore>* more);

  // Forgets what is wanted from or under way to a peer whose link broke.
  void Forget(const NodeName& from);

  // Forgets what is wanted of a slot or under way: the slot was dropped, and
  // what comes was filtered by a context that is no more (invariant I13).
  void Forget(SlotId slot);

  // Begins pulls without progress anew; returns how many.
  size_t Expire(absl::Time now);

  uint64_t next_pull() const { return next_pull_; }
  // A pull numbered `since` or higher of this slot from this peer is wanted or
  // under way.
  bool Pending(const NodeName& from, SlotId slot, uint64_t since) const;
  uint32_t CountFrom(const NodeName& from) const;
  bool idle() const { return wanted_.empty() && running_.empty(); }
  size_t RunningFrom(const NodeName& from) const;
  absl::Time next_timeout() const;
  // When a want that could not start may start without another call;
  // InfiniteFuture when none waits for time alone.
  absl::Time retry_at() const;

 private:
  struct Running {
    NodeName from;
    SlotId slot = 0;
    absl::Time progress;
    uint32_t parts = 0;
    size_t staged_bytes = 0;
    PullReply staged;
  };
  using Key = std::pair<NodeName, SlotId>;

  void ForgetIf(const std::function<bool(const Key&)>& picked);

  const Config& config_;
  uint64_t next_pull_;
  std::set<Key> wanted_;
  std::deque<Key> urgent_;
  std::deque<Key> normal_;
  std::map<uint64_t, Running> running_;
  std::map<Key, uint64_t>
      running_by_key_;  // at most one pull of a slot from a peer at a time
  absl::Time paused_until_ = absl::InfiniteFuture();  // infinite: not paused
  absl::Time looked_at_ = absl::InfinitePast();  // by Next, for what may start
  // Nothing could start then, and nothing but time has passed since.
  bool blocked_ = false;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_PULLER_H_
