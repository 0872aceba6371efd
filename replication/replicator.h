#ifndef REPLICATION_REPLICATOR_H_
#define REPLICATION_REPLICATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/instant.h"
#include "membership/view.h"
#include "replication/command.h"
#include "replication/config.h"
#include "replication/effects.h"
#include "replication/keyed_hash.h"
#include "replication/message.h"
#include "replication/session_id.h"

namespace sessionmesh::replication {

class Lane;

// Counters and gauges of one lane, for operators.
struct LaneStatus {
  bool ready = false;
  bool degraded = false;  // ready without having reached a ready owner
  bool leaving = false;
  bool alone = false;  // no other owner is in reach: nobody to hand over to
  uint32_t slots_owned = 0;
  uint32_t slots_ready = 0;
  uint32_t slots_leaving = 0;  // not owned any more, and not handed over yet
  uint64_t sessions = 0;
  uint64_t session_bytes = 0;
  uint64_t parked = 0;
  uint64_t waiting_calls = 0;
};

struct PeerStatus {
  NodeName name;
  bool connected = false;
  uint64_t sent = 0;  // deltas since this process began
  uint64_t acknowledged = 0;
  uint64_t lag_operations = 0;
  absl::Duration lag;  // age of the oldest delta not acknowledged
  uint64_t backlog_bytes = 0;
  uint32_t slots_dirty = 0;
  uint32_t slots_pulling = 0;
};

// What one node can say about a session: for WhereIs.
struct Holder {
  SlotPhase phase;  // what the node is to its slot
  // The other owners of the slot, and members that are known to hold something
  // of it still; ascending.
  std::vector<NodeName> others;
  bool holds = false;
  SlotId slot = 0;
  std::vector<Dot> version;  // union of the heads
  std::vector<std::string>
      writers;  // node of each dot's actor, "" when unknown
};

// A Replicator is one lane of this node's replication: the slots s with s %
// lane_count == lane, the streams of deltas to and from the same lane of every
// peer, and the calls of clients that wait in it.
//
// It is a pure state machine: messages, commands, clocks and randomness come
// in, Effects go out; no call blocks, and each is short (state transfers,
// expiry and digests go in slices). Same inputs, same outputs.
//
// Every slot has Config::replicas owners (Owners says who). What this node is
// to a slot is the slot's phase:
//
//   none --owned--> syncing --level with the others--> ready
//     ^                 |  owned no more                 |
//     +--all owners----- leaving <----------------------+
//        consent
//
// Calls are served where the slot is ready. Elsewhere they fail at once, and
// the failure names the owners that may be given them.
//
//   client call     -- Execute --> answered, or waits for token, replicas,
//   quorum peer message    -- Step -----> slots, streams of deltas, state
//   transfers stream opened   -- LinkUp ---> Hello, then deltas resume where
//   the peer says membership      -- SetView --> owners; death sync; durability
//   counted again clock           -- Tick -----> whatever is due at
//   NextDeadline()
//
// Single-threaded by contract: the shell keeps each lane under one mutex. The
// key and ids must outlive it.
class Replicator {
 public:
  struct Identity {
    NodeName name;
    ProcessId process = 0;  // random, not zero, new at each start
  };

  // REQUIRES: config.Validate().ok().
  Replicator(const Config& config, Identity self, const SessionIds* ids,
             const KeyedHash* key, uint64_t seed, Instant now);
  ~Replicator();
  Replicator(const Replicator&) = delete;
  Replicator& operator=(const Replicator&) = delete;

  // A peer said something. Messages of unknown peers are heard too: their Hello
  // may be faster than gossip.
  void Step(const NodeName& from, const Message& message, Instant now,
            Effects* effects);

  // A client calls. The reply comes now or with a later call of this class,
  // exactly once, unless cancelled.
  void Execute(Command command, Instant now, Effects* effects);

  // The client is gone: frees what the call holds, no reply follows. A write
  // stays in effect.
  void Cancel(CallHandle handle);

  // Streams the session now and after each change until it ends. The last
  // update of a watch has an end or a status; Unwatch ends it silently. For
  // `forwarded` see Command.
  void Watch(CallHandle handle, const std::string& session_id,
             const std::vector<std::string>& tokens, bool forwarded,
             Instant now, Effects* effects);
  void Unwatch(CallHandle handle);

  // Membership's view changed. Also to be called once before the first Execute.
  void SetView(const membership::ViewPtr& view, Instant now, Effects* effects);

  // The outgoing stream to `peer` stands, or is broken. Sends to a peer whose
  // link is down are not made.
  void LinkUp(const NodeName& peer, Instant now, Effects* effects);
  void LinkDown(const NodeName& peer, Instant now, Effects* effects);

  // Stops serving (calls get kShuttingDown, those that wait are still answered)
  // and hands over.
  void Leave(Instant now, Effects* effects);
  // After Leave: all owners have what was here, or there is no other.
  bool handed_over() const;

  void Tick(Instant now, Effects* effects);
  // Steady time at which Tick has something to do.
  absl::Time NextDeadline() const;

  // `wanted` if it is of this lane and served, else one of the slots of this
  // lane that are, by `number`; nothing when none is.
  std::optional<SlotId> ChooseSlot(SlotId wanted, uint64_t number) const;

  LaneStatus status() const;
  std::vector<PeerStatus> peers(Instant now) const;
  Holder Holds(absl::string_view session_id) const;

  // For checkers: the state of one slot of this lane, and what this node is to
  // it.
  const class Slot& slot(SlotId id) const;
  SlotPhase phase(SlotId id) const;

 private:
  std::unique_ptr<Lane> lane_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_REPLICATOR_H_
