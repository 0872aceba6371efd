#ifndef TESTS_SIM_PROCESS_H_
#define TESTS_SIM_PROCESS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "membership/config.h"
#include "membership/effects.h"
#include "membership/instant.h"
#include "membership/random.h"
#include "membership/swim.h"
#include "proto/wire.h"
#include "replication/replicator.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/inbox.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"

namespace sessionmesh::sim {

using membership::Generation;
using replication::Command;
using replication::Replicator;

// The wall clock of one host: the true time, a little wrong. It survives the
// processes on it.
struct HostClock {
  absl::Duration offset = absl::ZeroDuration();
  int64_t drift_ppm = 0;
  absl::Time started;

  absl::Time Wall(absl::Time truth) const {
    return truth + offset + (truth - started) * drift_ppm / 1000000;
  }
};

class Process;

// What bytes between nodes travel on.
enum class Wire : uint8_t { kDatagram, kStream };

// Who watches a process and may bend what passes its edges. The hooks run
// inside the step they tell of.
class ProcessObserver {
 public:
  virtual ~ProcessObserver() = default;

  // --- what happened
  virtual void OnLaneStep(Process& process, uint32_t lane) = 0;
  virtual void OnReply(Process& process, const replication::Reply& reply) = 0;
  virtual void OnView(Process& process) = 0;
  virtual void OnMembershipEvent(Process& process,
                                 const membership::Event& event) = 0;
  virtual void OnReplicationEvent(Process& process,
                                  const replication::Event& event) = 0;
  // A message has been decoded and is about to be heard.
  virtual void OnLaneMessage(Process& process, const NodeName& from,
                             const replication::Message& message) = 0;
  virtual void OnDamage(Process& process, const absl::Status& why) = 0;
  // Its goodbye is spread, or a successor exists: to be ended, but not inside
  // this call.
  virtual void OnFinished(Process& process) = 0;

  // --- for mutants: what passes may be changed
  virtual void BendLaneMessage(Process& to, replication::Message* message) = 0;
  virtual void BendDatagram(Process& to, membership::Datagram* datagram) = 0;
  // Before they are decoded.
  virtual void BendBytes(Process& to, Wire wire, std::string* bytes) = 0;
  // The answer that was just given is to be given again.
  virtual bool RepeatsReply(Process& process) = 0;
};

struct ProcessOptions {
  ProcessNumber number = 0;
  HostId host = 0;
  NodeName name;
  Address address;
  Generation generation = 1;
  replication::ProcessId process_id = 0;
  uint64_t seed = 0;
  std::vector<Address> seeds;
  membership::Config membership;
  replication::Config replication;
};

// Process is a whole node of the simulation: both cores, the codec, and the
// twin of the shell's glue, which is what remains when threads, sockets and
// clocks are taken away: views in, sends out, streams follow membership.
//
// Everything a process says goes through proto/wire and back. Not thread-safe.
class Process : public Endpoint {
 public:
  Process(const ProcessOptions& options, const replication::SessionIds* ids,
          const replication::KeyedHash* key, const HostClock* clock,
          EventQueue* queue, Network* network, ProcessObserver* observer);
  // As by kill -9, with what was sent still on its way or not.
  void Kill(bool flush);
  ~Process() override;

  // --- clients
  // `timeout` becomes the deadline of the command; the reply comes to the
  // observer.
  void Execute(const Command& command, absl::Duration timeout);
  void Cancel(SlotId slot, replication::CallHandle handle);
  // The id that this node would give to a new session.
  std::string NewSessionId();

  // Hands over, says goodbye, then OnFinished.
  void Leave();

  // --- Endpoint
  void OnDatagram(std::string bytes) override;
  void OnCall(CallId call, std::string request) override;
  void OnCallDone(uint64_t tag, std::optional<std::string> reply) override;
  void OnStreamOpen(StreamId stream) override;
  void OnStreamBroken(StreamId stream) override;
  void OnStreamMessage(const NodeName& from, std::string bytes) override;

  // --- what it is and holds
  const ProcessOptions& options() const { return options_; }
  ProcessNumber number() const { return options_.number; }
  const NodeName& name() const { return options_.name; }
  HostId host() const { return options_.host; }
  Instant Now() const;
  bool leaving() const { return leaving_; }
  Inbox& inbox() { return inbox_; }
  const membership::ViewPtr& view() const { return view_; }
  Replicator& lane(size_t index) const { return *lanes_[index]; }
  size_t lane_count() const { return lanes_.size(); }
  const replication::Slot& slot(SlotId id) const;
  replication::Phase phase(SlotId id) const;
  bool Ready() const;  // all lanes
  // The stream to this peer stands.
  bool ConnectedTo(const NodeName& peer) const;
  uint64_t steps() const { return steps_; }

 private:
  struct Link {
    Address address;
    Generation generation = 0;
    StreamId stream = 0;  // 0: waits for its next try
    bool up = false;
    bool greeted = false;  // the first batch has been sent
    absl::Duration backoff;
  };

  // Queues work behind what waits already.
  void Do(Inbox::Kind kind, Inbox::Work work);
  void PerformSwim(membership::Effects* effects);
  void PerformLane(uint32_t lane, replication::Effects* effects);
  void PublishView();
  void FollowView();
  void OpenLink(const NodeName& peer);
  void RetryLink(const NodeName& peer);
  void TellLanes(const NodeName& peer, bool up);
  void OnTimer();
  void ScheduleTimer();
  void LeaveSwimWhenHandedOver();
  wire::NodeInfo Info() const;
  template <typename F>
  void SwimStep(F step);
  template <typename F>
  void LaneStep(uint32_t lane, F step);

  const ProcessOptions options_;
  const replication::SessionIds* const ids_;
  const HostClock* const clock_;
  EventQueue* const queue_;
  Network* const network_;
  ProcessObserver* const observer_;
  const uint64_t cluster_hash_;
  const absl::Duration
      steady_shift_;  // epochs of steady clocks differ between processes
  Random random_;
  std::shared_ptr<bool> alive_;
  EndpointId endpoint_ = 0;
  Inbox inbox_;
  std::optional<membership::Swim> swim_;
  std::vector<std::unique_ptr<Replicator>> lanes_;
  membership::ViewPtr view_;
  std::map<NodeName, Link> links_;
  std::map<StreamId, NodeName> streams_;
  absl::Time timer_ = absl::InfiniteFuture();
  bool leaving_ = false;
  bool left_swim_ = false;
  bool finished_ = false;
  absl::Time leave_deadline_ = absl::InfiniteFuture();
  uint64_t steps_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_PROCESS_H_
