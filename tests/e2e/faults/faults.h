#ifndef TESTS_E2E_FAULTS_FAULTS_H_
#define TESTS_E2E_FAULTS_FAULTS_H_

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/faults/fleet.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/network.h"
#include "tests/e2e/faults/shaper.h"

namespace sessionmesh::e2e {

// Hurts a fleet at random, one main fault after the other, some of them under
// loss or delay beside it. Every kind comes once before one comes twice.
// What struck goes into the history; what did not (no packet was dropped, the
// process had ended) does not.
//
//   kill            kill -9; the process is back at once or after up to 15 s,
//                   long enough for the others to take over (10 s)
//   stop            SIGSTOP for 0.1 to 6 s
//   partition       two halves that do not hear each other
//   partition_kill  the same, and one node is killed meanwhile
//   bridge          two halves, one node of which hears both
//   one_way         one node is not heard by another one, or by all
//   loss            1 to 20 % of what arrives at some nodes
//   delay           5 to 100 ms for what arrives at some nodes, with jitter
//   clock           wall clocks jump, at most 400 ms apart
//   leave           SIGTERM, and back later
//   rolling         the same for all nodes, one after the other
//   double_kill     two nodes at once, if asked for
//
// After a process has ended nothing else is done before the cluster was whole
// again for two seconds, so that no two crashes fall together but those of
// double_kill. The seed decides what is done, to whom and for how long; not
// when exactly, as a cluster takes its time to become whole.
//
// Not thread-safe; runs in the thread that made the fleet.
class Faults {
 public:
  Faults(Fleet* fleet, Network* network, History* history, uint32_t seed,
         bool double_crashes, std::function<bool()> stopped);

  // False: the cluster did not become whole after a fault; what is wrong then
  // is left as it is, but for the network.
  bool Run(absl::Time until);

 private:
  using Names = std::vector<std::string>;

  struct Kind {
    std::string name;
    bool (Faults::*run)();
  };

  // Each returns whether the cluster is as before, or gave up on it.
  bool Kill();
  bool DoubleKill();
  bool Stop();
  bool Partition();
  bool PartitionKill();
  bool Bridge();
  bool OneWay();
  bool Loss();
  bool Delay();
  bool Clock();
  bool Leave();
  bool Rolling();

  // The network as wanted, for this time; written down if packets were lost.
  void Hold(const std::string& kind, const Names& nodes,
            const std::string& detail, absl::Duration time);
  bool KillAndRestart(const std::string& kind, const Names& nodes);
  bool LeaveAndRejoin(const std::string& node, absl::Duration away);
  bool AwaitWhole();
  // Perhaps loss or delay, until Calm().
  void Unsettle();
  void Calm();
  void AddLoss(const Names& nodes, double fraction);
  void AddDelay(const Names& nodes, absl::Duration delay);
  int64_t Delayed() const;
  void CutHalves(const Names& left, const Names& right);
  // Ends now.
  void Write(const std::string& kind, const Names& nodes, absl::Time begin,
             const std::string& detail);

  Names Shuffled();
  Names Some(size_t least, size_t most);
  absl::Duration Between(absl::Duration low, absl::Duration high);
  int Roll(int low, int high);
  void Sleep(absl::Duration time);

  Fleet* const fleet_;
  Network* const network_;
  History* const history_;
  const std::function<bool()> stopped_;
  std::mt19937 random_;
  std::vector<Kind> kinds_;
  std::vector<std::unique_ptr<Shaper>> shapers_;
  std::optional<Trouble> beside_;  // what Unsettle() did
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_FAULTS_H_
