#ifndef TESTS_MEMBERSHIP_SWIM_NETWORK_H_
#define TESTS_MEMBERSHIP_SWIM_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "membership/config.h"
#include "membership/effects.h"
#include "membership/random.h"
#include "membership/swim.h"
#include "tests/membership/invariants.h"

namespace sessionmesh::membership {

// Several Swims on a virtual network in virtual time, every call checked for
// the invariants. Nodes are "n0", "n1", ...; a seed determines the run.
// Datagrams are delayed, lost and doubled; calls on the reliable plane are
// delayed, refused at once by a stopped process, and time out over a cut link.
class SwimNetwork {
 public:
  struct Options {
    Config config = Config::Lan();
    absl::Duration latency_min = absl::Microseconds(100);
    absl::Duration latency_max = absl::Milliseconds(2);
    int loss_percent = 0;
    int duplicate_percent = 0;
  };

  SwimNetwork(const Options& options, uint64_t seed);

  // Starts one more node, alone. Returns its number.
  size_t Start();
  // Starts `count` nodes; all but the first join through the first, and all
  // know each other.
  void StartCluster(size_t count);
  // From now on `seeds` resolve to where those nodes are or were last, like
  // names in DNS.
  void Join(size_t node, const std::vector<size_t>& seeds);
  void Leave(size_t node);
  // The process ends without a word.
  void Crash(size_t node);
  // A new process of the same name, one generation higher, perhaps elsewhere.
  // Joins `seeds`.
  void Restart(size_t node, const std::vector<size_t>& seeds,
               const Address& address = "");

  // One direction, on either plane.
  void CutDatagrams(size_t from, size_t to) {
    cut_datagrams_.insert({from, to});
  }
  void CutReliable(size_t from, size_t to) { cut_reliable_.insert({from, to}); }
  // Both directions and planes between the groups.
  void Partition(const std::vector<size_t>& one,
                 const std::vector<size_t>& other);
  void BlockAllDatagrams() { options_.loss_percent = 100; }
  void set_loss_percent(int percent) { options_.loss_percent = percent; }
  void HealAll();

  void RunFor(absl::Duration duration);
  // True as soon as the condition holds; false if it does not within `limit`.
  bool RunUntil(const std::function<bool()>& condition, absl::Duration limit);

  size_t size() const { return nodes_.size(); }
  bool running(size_t node) const { return nodes_[node].swim != nullptr; }
  Swim& swim(size_t node) { return *nodes_[node].swim; }
  NodeName NameOf(size_t node) const { return nodes_[node].name; }
  Address AddressOf(size_t node) const { return nodes_[node].address; }
  absl::Time now() const { return now_.steady; }

  // How `observer` sees `subject`; null when not known.
  const Member* See(size_t observer, size_t subject);
  bool Sees(size_t observer, size_t subject, State state);
  // Whether every running node sees everybody so: alive if running, `stopped`
  // if not.
  bool AllAgree(State stopped = State::kDead);
  // Events of one kind on one node about another, so far.
  int CountEvents(size_t observer, EventKind kind, size_t subject) const;
  int CountEvents(EventKind kind) const;
  int64_t datagrams_sent() const { return datagrams_sent_; }

  const Invariants& invariants() const { return invariants_; }
  // Grows with every event of every node; equal for equal runs.
  uint64_t trace_hash() const { return trace_hash_; }

 private:
  struct Node {
    NodeName name;
    Address address;
    Generation generation = 0;
    std::unique_ptr<Swim> swim;  // null when stopped
    absl::Time deadline = absl::InfiniteFuture();
    std::vector<size_t> seeds;
    std::set<OpId> waiting;
    std::vector<Event> events;
    ViewPtr view;
  };
  struct PendingCall {
    size_t caller = 0;
    Generation caller_generation = 0;
    OpId op = 0;
  };

  // Another one with each process, so that it must be told anew.
  Zone ZoneOf(size_t node) const;
  void StartProcess(size_t node);
  void Deliver(size_t node, const Message& message);
  void Perform(size_t node, Effects* effects);
  std::vector<Address> Resolve(const std::vector<size_t>& seeds) const;
  void SendDatagram(size_t from, const Send& send);
  void StartCall(size_t from, const Exchange& exchange);
  void FinishCall(const PendingCall& call, const Message& message);
  void At(absl::Time when, std::function<void()> action);
  absl::Duration Latency();
  // The running node at an address, or size().
  size_t Lookup(const Address& address) const;
  void UpdateDeadline(size_t node);

  Options options_;
  Random random_;
  Instant now_;
  std::vector<Node> nodes_;
  std::map<Address, size_t> addresses_;
  std::set<std::pair<absl::Time, size_t>> deadlines_;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> agenda_;
  uint64_t last_serial_ = 0;
  std::map<CallId, PendingCall> calls_;
  CallId last_call_ = 0;
  std::set<std::pair<size_t, size_t>> cut_datagrams_;
  std::set<std::pair<size_t, size_t>> cut_reliable_;
  Invariants invariants_;
  uint64_t trace_hash_ = 0;
  int64_t datagrams_sent_ = 0;
};

}  // namespace sessionmesh::membership

#endif  // TESTS_MEMBERSHIP_SWIM_NETWORK_H_
