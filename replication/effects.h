#ifndef REPLICATION_EFFECTS_H_
#define REPLICATION_EFFECTS_H_

#include <string>
#include <vector>

#include "membership/member.h"
#include "replication/command.h"
#include "replication/message.h"

namespace sessionmesh::replication {

struct Send {
  NodeName to;
  Message message;
};

// What happened, for logs, counters, operators, and the simulator's assertions.
struct Event {
  enum class Kind : uint8_t {
    kLaneReady = 1,      // every slot of this lane serves
    kLaneReadyDegraded,  // serves although no ready owner was reached
    kPeerForgot,  // a peer came back as a new process: it pulls what it needs
    kQueueOverflow,    // a peer is too slow: its slots turned dirty
    kRefused,          // we refused a peer's deltas, or it refused ours
    kStalePrevented,   // a call waited for or fetched what its token names
    kStaleAnswered,    // ... and was told STALE because nobody had it in time
    kWriteLost,        // ... and was told that the write died with its writer
    kSessionEnded,     // `reason`
    kSessionRevoked,   // rotations that raced; a KILL follows
    kParkedDropped,    // a delta whose dependency died with all its holders
    kStateMismatch,    // equal contexts, different live dots: a bug or damage
    kExpiryPostponed,  // idle expiry could not ask everybody
    kActorRotated,
    kClockBehind,   // changes are refused: this node's clock was set back
    kSlotDropped,   // handed over; `count` sessions were in it
    kSlotOrphaned,  // ready with what there is: its former owners are gone
  };
  Kind kind = Kind::kLaneReady;
  NodeName node;  // the peer concerned, or empty
  SlotId slot = 0;
  std::string session;  // SessionHash, or empty
  EndReason reason = EndReason::kDeleted;
  uint64_t count = 1;
  std::string detail;  // one sentence, or empty
};

// Short stable name for logs, counters and scripts: "lane_ready",
// "queue_overflow", ...
absl::string_view EventName(Event::Kind kind);

// What the caller of a Replicator must now do. Sends to one peer keep their
// order.
struct Effects {
  std::vector<Send> sends;
  std::vector<Reply> replies;
  std::vector<WatchUpdate> watch_updates;
  std::vector<Event> events;

  bool empty() const {
    return sends.empty() && replies.empty() && watch_updates.empty() &&
           events.empty();
  }
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_EFFECTS_H_
