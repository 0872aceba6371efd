#ifndef TESTS_REPLICATION_LANE_LANE_NETWORK_H_
#define TESTS_REPLICATION_LANE_LANE_NETWORK_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "membership/instant.h"
#include "membership/view.h"
#include "replication/replicator.h"
#include "tests/support/fake_keyed_hash.h"

namespace sessionmesh::replication {

// A few Replicators of one lane, joined by links that the test controls: every
// message waits in its link until the test delivers it, and time stands still
// until the test moves it. Faults of every other kind are the simulator's.
class LaneNetwork {
 public:
  // Small tables, short horizons, one lane.
  static Config SmallConfig();

  explicit LaneNetwork(Config config = SmallConfig());

  // Adds a running node; a name that ran before comes back as a new process.
  // Members have the address NAME:7401.
  void Start(const NodeName& name, bool bootstrap = false,
             std::vector<membership::Address> former_peers = {});
  // Kill -9: the node is gone, its links break, the others keep their view.
  void Kill(const NodeName& name);
  // The node begins to leave; what it says is under way.
  void Leave(const NodeName& name);

  // Tells every running node that exactly these members exist, in this state.
  void SetViews(std::map<NodeName, membership::State> members);
  // `isolated`: its membership hears none of them.
  void SetView(const NodeName& node,
               std::map<NodeName, membership::State> members,
               bool isolated = false);
  // The node's zone in all views that are set from now on.
  void SetZone(const NodeName& node, const std::string& zone) {
    zones_[node] = zone;
  }

  // Links between all running nodes, both ways.
  void LinkAll();
  void LinkUp(const NodeName& from, const NodeName& to);
  void LinkDown(const NodeName& from, const NodeName& to);
  // Starts a, b, c..., all alive to each other, linked and ready.
  void StartReady(const std::vector<NodeName>& names);

  // Delivers everything that is under way, and what that causes, oldest
  // first. A message for which `lose` says true is lost instead.
  void DeliverAll();
  void LoseIf(std::function<bool(const NodeName& from, const NodeName& to,
                                 const Message& message)>
                  lose) {
    lose_ = std::move(lose);
  }
  // Stops delivery on one link without breaking it.
  void Hold(const NodeName& from, const NodeName& to) {
    held_[{from, to}] = true;
  }
  void Release(const NodeName& from, const NodeName& to) {
    held_.erase({from, to});
  }

  // Moves the clocks, ticking every node whenever it has something to do, and
  // delivers.
  void Advance(absl::Duration by);
  // A wall clock that is off by this much at one node.
  void Skew(const NodeName& node, absl::Duration by) { skew_[node] = by; }

  // Runs a command to its reply, delivering what is under way. No reply within
  // the command's deadline is a failure of the test.
  Reply Run(const NodeName& node, Command command);
  // Starts a command; TakeReply finds its reply once there is one.
  CallHandle Begin(const NodeName& node, Command command);
  std::optional<Reply> TakeReply(CallHandle handle);

  // Shorthands: ids are foreign, so every node finds the same slot.
  Reply Create(const NodeName& node, const std::string& id,
               std::map<std::string, std::string> set = {},
               Durability durability = Durability::kAll);
  Reply Set(const NodeName& node, const std::string& id,
            const std::string& name, const std::string& value,
            std::vector<std::string> tokens = {},
            Durability durability = Durability::kAll);
  Reply Get(const NodeName& node, const std::string& id,
            std::vector<std::string> tokens = {},
            Consistency consistency = Consistency::kSession);
  Reply Delete(const NodeName& node, const std::string& id,
               Durability durability = Durability::kAll);
  Reply Rotate(const NodeName& node, const std::string& id,
               const std::string& new_id,
               const std::string& request_id = std::string(16, 'r'));

  // Lets a node hear something that nobody said.
  void Forge(const NodeName& from, const NodeName& to, const Message& message);

  Replicator& node(const NodeName& name) { return *nodes_.at(name); }
  Instant now(const NodeName& name) const;
  const std::vector<Event>& events(const NodeName& name) {
    return events_[name];
  }
  size_t CountEvents(const NodeName& name, Event::Kind kind) const;
  std::vector<WatchUpdate> TakeWatchUpdates(const NodeName& name);
  const SessionIds& ids() const { return ids_; }
  SlotId SlotOf(const std::string& id) const { return *ids_.SlotOf(id); }
  // The running nodes to which the slot is this; ascending.
  std::vector<NodeName> NodesWhere(SlotId slot, Phase phase) const;
  // All running nodes hold the same in every slot.
  bool Converged() const;

 private:
  using Link = std::pair<NodeName, NodeName>;

  void Perform(const NodeName& from, Effects effects);

  Config config_;
  testing::FakeKeyedHash key_;
  SessionIds ids_;
  absl::Time steady_ = absl::UnixEpoch() + absl::Hours(1);
  absl::Time wall_ = absl::FromUnixSeconds(1790000000);
  std::map<NodeName, std::unique_ptr<Replicator>> nodes_;
  std::map<NodeName, absl::Duration> skew_;
  std::map<NodeName, std::string> zones_;
  std::map<Link, bool> up_;
  std::map<Link, bool> held_;
  std::deque<std::pair<Link, Message>> under_way_;
  std::function<bool(const NodeName&, const NodeName&, const Message&)> lose_;
  std::map<NodeName, std::vector<Event>> events_;
  std::map<NodeName, std::vector<WatchUpdate>> watch_updates_;
  std::map<CallHandle, Reply> replies_;
  CallHandle next_handle_ = 1;
  uint64_t next_process_ = 1;
  uint64_t view_version_ = 0;
};

// A foreign id, long enough to be one.
std::string Id(const std::string& name);

}  // namespace sessionmesh::replication

#endif  // TESTS_REPLICATION_LANE_LANE_NETWORK_H_
