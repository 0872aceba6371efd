#ifndef TESTS_SIM_WORLD_H_
#define TESTS_SIM_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "membership/random.h"
#include "replication/session_id.h"
#include "tests/sim/checker.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/mutant.h"
#include "tests/sim/network.h"
#include "tests/sim/operation.h"
#include "tests/sim/process.h"
#include "tests/sim/schedule.h"
#include "tests/sim/trace.h"
#include "tests/support/fake_keyed_hash.h"

namespace sessionmesh::sim {

// How often what happened, by name.
using Counts = std::map<std::string, uint64_t>;

// A World is one cluster with its hosts, clocks and network, the calls of its
// clients, and the checkers that watch it. It does what it is told: workload.h
// makes the calls, faults.h the faults, run.h the order of events.
//
// Not thread-safe.
class World : public Scene, public ProcessObserver {
 public:
  struct Host {
    NodeName name;
    HostClock clock;
    std::unique_ptr<Process> process;  // null: down
    Generation generation = 0;
    Address address;
    std::vector<Address> former_peers;  // what its state file remembers
    uint64_t starts = 0;
    absl::Time disturbed_until = absl::InfinitePast();
    bool finished = false;  // asked to be ended
  };

  // `mutant` may be null; both must outlive the world. When `only` is not
  // empty, no other checker is heard.
  World(const Plan& plan, Mutant* mutant, Trace* trace,
        absl::string_view only = "");
  ~World() override;

  // --- hosts
  size_t host_count() const { return hosts_.size(); }
  const Host& host(HostId id) const { return hosts_[id]; }
  // A process on a host that is down, with a fresh memory and a higher
  // generation.
  void Start(HostId id);
  // kill -9. When `flush`, what it sent last still arrives.
  void Kill(HostId id, bool flush);
  void SetClock(HostId id, absl::Duration offset);
  // Something slows this host until then.
  void Disturb(HostId id, absl::Time until);

  // --- clients
  // One call to the process on a host: `operation` has client, jar, command and
  // premises; the rest is filled in. `done` is told the end, once: by the
  // answer, by the end of the process, or by the timeout.
  using Done = std::function<void(const Operation&)>;
  void Call(HostId id, Operation operation, absl::Duration timeout, Done done);
  uint64_t NextOperation() { return ++last_operation_; }
  size_t pending_calls() const { return pending_.size(); }

  // --- the run
  EventQueue& queue() { return queue_; }
  Network& net() { return *network_; }
  Trace& trace() { return *trace_; }
  Mutant* mutant() { return mutant_; }
  const replication::SessionIds& ids() const { return ids_; }
  std::vector<Dot> Decode(SlotId slot, const std::string& token) const;
  void RunUntil(absl::Time until);
  // Why the cluster is not one yet; empty when it is.
  std::string Unsettled() const;
  void set_settled() { settled_ = true; }
  void Finish();  // the last checks
  void Fail(WorldCheck check, const std::string& why) {
    Fail(CheckName(check), why);
  }
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }
  const std::string& failed_checker() const { return failed_checker_; }
  void Count(const std::string& what, uint64_t by = 1) { counts_[what] += by; }
  // Everything counted so far, checkers and network included.
  Counts Summary() const;

  // --- Scene
  absl::Time now() const override { return queue_.now(); }
  const Ledger& ledger() const override { return ledger_; }
  const History& history() const override { return history_; }
  const Network& network() const override { return *network_; }
  const replication::Config& config() const override { return config_; }
  std::vector<Process*> processes() const override;
  const std::vector<Grave>& graves() const override { return graves_; }
  const replication::Context& Before(const Process& process,
                                     SlotId slot) const override;
  bool WasDisturbed(HostId host, absl::Time since) const override;
  absl::Time Started(ProcessNumber number) const override;
  bool settled() const override { return settled_; }

 private:
  // The contexts of one process's slots, before and after its present step.
  struct Seen {
    std::vector<replication::Context> now;
    std::vector<replication::Context> before;
    // What it handed over when it left: it goes with its copy, as by a crash.
    std::vector<replication::Context> handed_over;
  };
  struct Pending {
    Operation* operation = nullptr;
    HostId host = 0;  // that the client called
    ProcessNumber process = 0;
    Done done;
    absl::Time deadline;
    std::vector<NodeName> forward_to;  // who is left to be tried
    bool forwarded = false;
  };

  // --- ProcessObserver
  void OnLaneStep(Process& process, uint32_t lane) override;
  void OnReply(Process& process, const replication::Reply& reply) override;
  void OnView(Process& process) override;
  void OnMembershipEvent(Process& process,
                         const membership::Event& event) override;
  void OnReplicationEvent(Process& process,
                          const replication::Event& event) override;
  void OnLaneMessage(Process& process, const NodeName& from,
                     const replication::Message& message) override;
  void OnDamage(Process& process, const absl::Status& why) override;
  void OnFinished(Process& process) override;
  void BendLaneMessage(Process& to, replication::Message* message) override;
  void BendDatagram(Process& to, membership::Datagram* datagram) override;
  void BendBytes(Process& to, Wire wire, std::string* bytes) override;
  bool RepeatsReply(Process& process) override;

  void Fail(absl::string_view check, const std::string& why);
  // As the shell does: gives the call to the next owner that is to be tried.
  // False when there is none.
  bool Forward(uint64_t call);
  bool CanTalk(HostId a, HostId b) const;
  void Complete(uint64_t id, Operation::Outcome outcome);
  void NoteHolders(const Process& process, Operation* operation);
  // Why this slot is not the same on as many owners as it should have.
  std::string Unsettled(SlotId slot) const;
  void Bury(HostId id);
  void Tell(const std::function<void(Checker&)>& tell);

  const Plan plan_;
  Mutant* const mutant_;
  Trace* const trace_;
  const std::string only_;
  const replication::Config config_;
  EventQueue queue_;
  Random random_;
  testing::FakeKeyedHash key_;
  replication::SessionIds ids_;
  Ledger ledger_;
  History history_;
  Checkers checkers_;
  std::unique_ptr<Network> network_;
  std::vector<Host> hosts_;
  std::vector<Grave> graves_;
  std::map<ProcessNumber, absl::Time> started_;
  std::map<ProcessNumber, Seen> seen_;
  std::map<uint64_t, Pending> pending_;
  std::map<uint64_t, Operation*> operations_;
  uint64_t last_operation_ = 0;
  ProcessNumber last_process_ = 0;
  bool settled_ = false;
  std::string failure_;
  std::string failed_checker_;
  Counts counts_;
  absl::Time instant_;  // of the livelock guard
  uint64_t events_at_instant_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_WORLD_H_
