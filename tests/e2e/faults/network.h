#ifndef TESTS_E2E_FAULTS_NETWORK_H_
#define TESTS_E2E_FAULTS_NETWORK_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace sessionmesh::e2e {

// Network namespaces on this machine, joined by a bridge in one of their own,
// the switch:
//
//   switch: bridge 10.77.255.254 --+-- a 10.77.0.1
//           (the clients)          +-- b 10.77.0.2 ...
//
// Nothing of the machine's own network is touched. The names carry the process
// id (smf-PID-NAME), so runs do not meet, and whoever comes later can tell what
// a run that was killed has left.
//
// What is cut or lossy is written into the nodes' packet filters, INPUT chain:
// so each direction of each link is apart, and the clients' packets are never
// cut, only lost. Not thread-safe.
class Network {
 public:
  Network() = default;
  ~Network();  // removes everything
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Removes what runs that are gone have left, makes the namespaces, and moves
  // the calling thread into the switch; threads that it starts from then on are
  // there too. PERMISSION_DENIED or another error when that cannot be.
  absl::Status Open(const std::vector<std::string>& nodes);

  // The calling thread goes into the namespace of the node, or back into the
  // switch (empty name). Processes and sockets made there belong there.
  void Enter(const std::string& node);

  std::string AddressOf(const std::string& node) const;

  // The wanted state; Apply() makes it so.
  void Cut(const std::string& from, const std::string& to);
  void SetLoss(const std::string& node, double fraction);
  // Packets for the node go to queue 0 of its namespace, if somebody reads it.
  void SetQueue(const std::string& node, bool on);
  void Heal();
  void Apply();

  // Packets that the filters of all nodes dropped since the last Apply().
  int64_t Dropped();

 private:
  struct Node {
    std::string address;
    std::string space;
    int file = -1;  // of the namespace
    double loss = 0;
    bool queue = false;
    std::set<std::string> cut_from;
    std::string applied;  // rules, as text for iptables-restore
  };

  std::string RulesOf(const Node& node) const;
  absl::Status Make(const std::vector<std::string>& nodes);

  std::map<std::string, Node> nodes_;
  std::string prefix_;
  std::vector<std::string> spaces_;
  int switch_ = -1;
  int host_ = -1;
};

// Runs a program with this text on its standard input and waits. What it
// printed, or INTERNAL with that.
absl::Status RunProgram(const std::vector<std::string>& arguments,
                        const std::string& input = "",
                        std::string* output = nullptr);

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_FAULTS_NETWORK_H_
