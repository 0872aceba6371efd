#ifndef TESTS_E2E_STRANGER_H_
#define TESTS_E2E_STRANGER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/peer.grpc.pb.h"

namespace sessionmesh::e2e {

// What a node named "stranger" says of itself that fits a cluster of the
// default id, slots, lifetimes and key, now.
v1::NodeInfo StrangerInfo(const std::string& peer_address = "127.0.0.1:1",
                          uint64_t generation = 1);

// Anti-entropy with the node at `peer`, as the one that `info` tells of, who
// knows nobody.
grpc::Status Introduce(const std::string& peer, const v1::NodeInfo& info);

// A UDP socket on a free port of loopback.
class Datagrams {
 public:
  Datagrams();
  ~Datagrams();
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  std::string address() const;  // "127.0.0.1:port"

  struct Received {
    std::string from;
    std::string bytes;
  };
  // What has come since the last call; does not wait.
  std::vector<Received> Take();
  void Send(const std::string& to, const std::string& bytes);

 private:
  int file_ = -1;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_STRANGER_H_
