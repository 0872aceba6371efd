#ifndef TESTS_SIM_FAULTS_H_
#define TESTS_SIM_FAULTS_H_

#include <functional>

#include "absl/time/time.h"
#include "membership/random.h"
#include "tests/sim/schedule.h"
#include "tests/sim/world.h"

namespace sessionmesh::sim {

// Faults does to a world what a schedule says: each kind of fault at its own
// random times, each for a random while. Faults of different kinds overlap
// freely. Every fault that really happened is counted. Not thread-safe.
class Faults {
 public:
  Faults(const Schedule& schedule, uint64_t seed, World* world);

  void Begin();
  // Undoes everything: links heal, hosts run at full speed, whoever is down
  // starts. Nothing begins any more.
  void End();

 private:
  // Calls `fault` again and again, on average once per `mean`.
  void Repeat(absl::Duration mean, void (Faults::*fault)());
  void After(absl::Duration delay, std::function<void()> action);
  absl::Duration Between(absl::Duration low, absl::Duration high);
  // A random host whose process runs; false when there is none.
  bool PickRunning(HostId* host);
  size_t Running() const;
  void StartLater(HostId host, absl::Duration delay);

  void Crash();
  void Leave();
  void Partition();
  void CutOneWay();
  void ResetStreams();
  void Stall();
  void Block();
  void Slow();
  void JumpClock();
  void ChangeWeather();

  const Schedule schedule_;
  Random random_;
  World* const world_;
  bool active_ = false;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_FAULTS_H_
