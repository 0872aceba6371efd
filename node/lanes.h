#ifndef NODE_LANES_H_
#define NODE_LANES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "membership/view.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/lane_timer.h"
#include "node/mutex.h"
#include "node/peer_sender.h"
#include "replication/replicator.h"

namespace sessionmesh::node {

// Who waits for the reply of a command.
class CallSink {
 public:
  virtual ~CallSink() = default;
  // Exactly once, without any lock of Lanes, on whatever thread the reply came
  // up; possibly before Lanes::Execute returns. Not if Lanes::Cancel was true.
  virtual void OnReply(replication::Reply reply) = 0;
};

// Who watches a session.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // In the order of the changes. Called with a lane's lock held: only keep it.
  virtual void Put(replication::WatchUpdate update) = 0;
  // There is something to send. Called without a lock.
  virtual void Wake() = 0;
};

// Names a call or a watch under way.
struct CallTicket {
  uint32_t lane = 0;
  replication::CallHandle handle = 0;
};

// Lanes holds this node's Replicators, each under a mutex of its own, and
// performs their effects.
//
//   any thread: lock lane, call the Replicator, queue its sends and watch
//               updates (their order matters), unlock;
//               then flush links, answer calls, log events
//
// So a local read costs one lock and one look-up on the thread that the call
// came in on. Lock order: lane, then peer queue or watch.
//
// Thread-safe. What Parts names must outlive it, and so must the sinks of calls
// until they got their reply or were cancelled.
class Lanes {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // Some lane may have become ready or have handed over. Must not block; is
    // called without a lock, from any thread.
    virtual void OnLaneProgress() = 0;
  };

  struct Parts {
    const Clock* clock = nullptr;
    const replication::SessionIds* ids = nullptr;
    const replication::KeyedHash* key = nullptr;
    PeerSender* sender = nullptr;
    EventLog* log = nullptr;
    Listener* listener = nullptr;
  };

  // REQUIRES: config.Validate().ok(); `config.lane` is ignored.
  Lanes(const replication::Config& config,
        const replication::Replicator::Identity& self, const Parts& parts);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Begins to tick. SetView must have been called once.
  void Start();
  // Ends the ticking; calls that wait are left to their sinks' Cancel.
  void Stop();

  // A slot for a new session: what `number` stands for among all slots, if this
  // node serves that, else among those that it serves (so that who creates a
  // session has it at hand), else among all.
  replication::SlotId ChooseSlot(uint64_t number) const;

  // A ticket for a call or a watch in the lane of `slot`.
  CallTicket NewTicket(replication::SlotId slot);

  void Execute(const CallTicket& ticket, replication::Command command,
               CallSink* sink);
  // True: the call was under way and is forgotten, no reply will come. False:
  // the reply has been or is being delivered.
  bool Cancel(const CallTicket& ticket);

  // The sink is kept until the watch ends or Unwatch, and a moment longer. For
  // `forwarded` see replication::Command.
  void Watch(const CallTicket& ticket, const std::string& session_id,
             const std::vector<std::string>& tokens, bool forwarded,
             std::shared_ptr<WatchSink> sink);
  void Unwatch(const CallTicket& ticket);

  // A peer said something to lane `lane`. REQUIRES: lane < lane_count().
  void Step(const membership::NodeName& from, uint32_t lane,
            const replication::Message& message);

  void SetView(const membership::ViewPtr& view);
  void LinkUp(const membership::NodeName& peer);
  void LinkDown(const membership::NodeName& peer);

  // New calls fail from now on; those that wait are still answered.
  void Leave();
  // Every lane has: each delta minted here is on another live owner.
  bool handed_over() const;

  uint32_t lane_count() const { return static_cast<uint32_t>(lanes_.size()); }
  const replication::SessionIds& ids() const { return *parts_.ids; }

  // Sums over the lanes; `ready` when all are, `degraded` when one is.
  replication::LaneStatus status() const;
  bool ready() const;
  // Summed by peer, sorted by name.
  std::vector<replication::PeerStatus> peers() const;
  // REQUIRES: ids().SlotOf(session_id) is `slot`.
  replication::Holder Holds(replication::SlotId slot,
                            absl::string_view session_id) const;
  // Whether this node has seen all of these changes in the slot.
  bool Covers(replication::SlotId slot,
              const std::vector<replication::Dot>& dots) const;

 private:
  struct Lane;
  struct Outcome;

  // Locks the lane, calls `turn(Replicator*, Instant, Effects*)`, and performs
  // the effects.
  template <typename Turn>
  void Run(Lane* lane, Turn turn);
  void Collect(Lane* lane, replication::Effects* effects, Outcome* outcome);
  void Deliver(Outcome* outcome);

  const Parts parts_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  LaneTimer timer_;
};

}  // namespace sessionmesh::node

#endif  // NODE_LANES_H_
