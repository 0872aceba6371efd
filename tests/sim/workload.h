#ifndef TESTS_SIM_WORKLOAD_H_
#define TESTS_SIM_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "membership/random.h"
#include "tests/sim/bits.h"
#include "tests/sim/schedule.h"
#include "tests/sim/world.h"

namespace sessionmesh::sim {

// What a browser keeps of one session: its id and the tokens that no other
// covers yet. An answer takes away exactly the tokens that its request
// presented, as its own token covers them; those that came in meanwhile stay.
struct Jar {
  size_t number = 0;
  size_t client = 0;
  std::string id;
  SlotId slot = 0;
  std::vector<std::string> tokens;
  // What this client knows from acknowledged writes and from reads: indices of
  // the ledger.
  Bits written;
  Bits read;
  bool over = false;  // logged out, expired or lost

  void Learn(const Operation& operation, const World& world);
};

// Workload is everybody who uses the cluster: browsers that log in, read,
// write, log out, come back, walk from node to node, do two things at once,
// copy a session from each other, and call again when no answer came.
//
// Not thread-safe.
class Workload {
 public:
  Workload(const Schedule& schedule, uint64_t seed, World* world);

  void Begin();
  // No new calls; those under way end.
  void End() { active_ = false; }
  bool idle() const { return calls_ == 0; }

  // Looks at every session there ever was, on every node, with its tokens and
  // without.
  void Audit();

 private:
  struct Browser {
    size_t number = 0;
    Jar* jar = nullptr;  // null: not logged in
    HostId home = 0;
    bool sticky = false;
    size_t in_flight = 0;
    size_t in_flight_max = 1;
  };

  void Think(Browser* browser);
  void Act(Browser* browser);
  void Begin(Browser* browser);
  HostId PickHost(Browser* browser);
  Jar* NewJar(size_t client, const std::string& id);

  Operation Prepare(Browser* browser, Jar* jar, Command::Kind kind);
  void FillGet(Operation* operation);
  void FillUpdate(Operation* operation, const Jar& jar);
  std::string UniqueValue(const Operation& operation);
  replication::Durability PickDurability();
  void Send(Browser* browser, Jar* jar, HostId host, Operation operation,
            int tries_left);
  void OnDone(Browser* browser, Jar* jar, HostId host,
              const Operation& operation, int tries_left);
  void OnOk(Browser* browser, Jar* jar, const Operation& operation);
  void OnFailed(Browser* browser, Jar* jar, const Operation& operation);
  void AuditOn(HostId host, size_t index);

  const Schedule schedule_;
  Random random_;
  World* const world_;
  std::vector<std::unique_ptr<Browser>> browsers_;
  std::deque<Jar> jars_;  // references stay
  std::vector<std::string> foreign_ids_;
  bool active_ = false;
  size_t calls_ = 0;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_WORKLOAD_H_
