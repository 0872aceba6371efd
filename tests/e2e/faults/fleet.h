#ifndef TESTS_E2E_FAULTS_FLEET_H_
#define TESTS_E2E_FAULTS_FLEET_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/network.h"

namespace sessionmesh::e2e {

// The nodes of a campaign: one sessiond in each namespace of a Network, with a
// state directory and a wall clock of its own. Writes down each end of a
// process and each moment at which the cluster was whole.
//
// Not thread-safe. The thread that starts a node must outlive it: the kernel
// kills a daemon with the thread that made it.
class Fleet {
 public:
  // Logs and state are kept in `directory`. Of `network`, the nodes named.
  Fleet(std::vector<std::string> names, int replicas, std::string directory,
        Network* network, History* history);
  ~Fleet();

  const std::vector<std::string>& names() const { return names_; }
  // Where clients reach it.
  std::string ClientAddress(const std::string& name) const;

  // Does not wait until it is ready.
  void Start(const std::string& name);
  // kill -9. False: it was not running.
  bool Kill(const std::string& name);
  // SIGTERM, and waits for the end. False: it did not end as it should.
  bool Leave(const std::string& name);
  // SIGSTOP and SIGCONT.
  void Stop(const std::string& name);
  void Continue(const std::string& name);
  bool Running(const std::string& name);

  // Sets the wall clock of the node this far from the machine's. Nothing where
  // clocks cannot be set (clock_shim.cc).
  void SetClock(const std::string& name, absl::Duration offset);
  static bool ClocksCanBeSet();
  // How far it is by what the node itself says.
  absl::Duration ClockOf(const std::string& name);

  // Every node runs, is ready, and sees every other one alive. Written down.
  bool Whole();
  bool AwaitWhole(absl::Duration timeout,
                  const std::function<bool()>& stop_waiting);

 private:
  struct Node {
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<NodeClient> client;
    int64_t* clock = nullptr;  // mapped
    bool end_noted = false;    // of the daemon
  };

  // Writes down an end that nobody asked for, once.
  void NoteEnd(const std::string& name);
  bool SeesAllReady(const std::string& name);

  const std::vector<std::string> names_;
  const int replicas_;
  const std::string directory_;
  Network* const network_;
  History* const history_;
  std::map<std::string, Node> nodes_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_FLEET_H_
