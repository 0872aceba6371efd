#ifndef TESTS_SIM_CHECKER_H_
#define TESTS_SIM_CHECKER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/effects.h"
#include "replication/effects.h"
#include "tests/sim/ledger.h"
#include "tests/sim/operation.h"
#include "tests/sim/process.h"

namespace sessionmesh::sim {

// What is left of a process that ended.
struct Grave {
  ProcessNumber number = 0;
  NodeName name;
  HostId host = 0;
  absl::Time ended;
  std::vector<replication::Context>
      contexts;  // by slot, as they were at the end
};

// The world as checkers see it: everything, and nothing to change.
class Scene {
 public:
  virtual ~Scene() = default;
  virtual absl::Time now() const = 0;
  virtual const Ledger& ledger() const = 0;
  virtual const History& history() const = 0;
  virtual const Network& network() const = 0;
  virtual const replication::Config& config() const = 0;
  // Those that run, by number.
  virtual std::vector<Process*> processes() const = 0;
  virtual const std::vector<Grave>& graves() const = 0;
  // What the slot had covered before the present step of that process.
  virtual const replication::Context& Before(const Process& process,
                                             SlotId slot) const = 0;
  // The longest trouble (a stall, a block, slowness) that touched a host since
  // then.
  virtual bool WasDisturbed(HostId host, absl::Time since) const = 0;
  // When a process began.
  virtual absl::Time Started(ProcessNumber number) const = 0;
  // The faults have stopped and the time that is promised for healing is over
  // or was not needed.
  virtual bool settled() const = 0;
};

// A Checker watches one invariant. It is told what happens, looks at the scene,
// and reports the first breach.
class Checker {
 public:
  explicit Checker(absl::string_view name) : name_(name) {}
  virtual ~Checker() = default;
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // A node answers; `operation` has the reply. The node's state is that of this
  // moment.
  virtual void OnReply(const Scene&, const Process&, const Operation&) {}
  // A step of a lane is over; `changed` lists its slots whose context is not
  // what it was.
  virtual void OnLaneStep(const Scene&, const Process&, uint32_t /*lane*/,
                          const std::vector<SlotId>& /*changed*/) {}
  virtual void OnLaneMessage(const Scene&, const Process&,
                             const NodeName& /*from*/,
                             const replication::Message&) {}
  virtual void OnView(const Scene&, const Process&) {}
  virtual void OnMembershipEvent(const Scene&, const Process&,
                                 const membership::Event&) {}
  virtual void OnStart(const Scene&, const Process&) {}
  virtual void OnEnd(const Scene&, const Process&) {}
  // The cluster has settled and was audited by readers.
  virtual void AtEnd(const Scene&) {}

  absl::string_view name() const { return name_; }
  // How often there was something to check.
  uint64_t checks() const { return checks_; }
  // The first breach; empty when there was none.
  const std::string& failure() const { return failure_; }

 protected:
  void Checked() { ++checks_; }
  void Fail(const std::string& why) {
    if (failure_.empty()) failure_ = why;
  }

 private:
  const absl::string_view name_;
  uint64_t checks_ = 0;
  std::string failure_;
};

using Checkers = std::vector<std::unique_ptr<Checker>>;

// What the world itself watches, without a Checker. Names in the order of the
// values.
enum class WorldCheck : uint8_t {
  kReplies,        // no call is answered twice
  kCodec,          // no node writes what another cannot read
  kStateMismatch,  // no node finds its own state damaged
  kLiveness,       // the cluster heals in time, and time does not stand still
};
inline constexpr std::array<absl::string_view, 4> kWorldChecks = {
    "replies", "codec", "state_mismatch", "liveness"};
constexpr absl::string_view CheckName(WorldCheck check) {
  return kWorldChecks[static_cast<size_t>(check)];
}
static_assert(CheckName(WorldCheck::kLiveness) == kWorldChecks.back());

// One of each.
Checkers MakeCheckers();

// "update 17 of client 3 on n2 (session 1a2b3c)", for failures.
std::string Describe(const Operation& operation);

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_CHECKER_H_
