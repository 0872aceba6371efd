#ifndef TESTS_DEPLOY_FAKE_CLUSTER_H_
#define TESTS_DEPLOY_FAKE_CLUSTER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/server.h"
#include "proto/session.pb.h"

namespace sessionmesh::testing {

// A stand-in for a cluster, in one process: nodes on ports of their own that
// speak the client API over one map. Each node keeps copies that age: it looks
// at the map only when it does not have the session, when it writes, or when a
// token is ahead of its copy. So it shows stale reads to a client that loses
// its tokens, and `caught_up` to one that does not.
//
// Thread-safe.
class FakeCluster {
 public:
  // What may be broken on purpose.
  enum class Fault {
    kNone,
    kIgnoresTokens,    // copies are served however old
    kLosesConcurrent,  // a write replaces the session by the writer's copy of
                       // it
    kForgetsLogout,    // a deleted session stays in the copies
    kLosesSessions,    // every 50th write ends the session
    kForgetsWrites,    // every 50th write is acknowledged and dropped
  };

  explicit FakeCluster(int nodes, Fault fault = Fault::kNone);
  ~FakeCluster();

  const std::string& address(int node) const {
    return addresses_[static_cast<std::size_t>(node)];
  }
  // NodeStatus of this node says ready, as it does from the start.
  void SetReady(int node, bool ready);
  // The node answers UNAVAILABLE / STALE to all calls on sessions from now on.
  void SetStale(int node, bool stale);
  // The node carries out Create and Rotate from now on, but answers
  // DEADLINE_EXCEEDED / DURABILITY_UNMET with what it has done.
  void SetAlone(int node, bool alone);
  // Durability that the last Delete asked for.
  v1::Durability last_delete_durability() const;

 private:
  class Node;
  struct Entry {
    v1::Session session;
    std::uint64_t version = 0;
  };

  const Fault fault_;
  mutable std::mutex mutex_;  // guards all below but the servers
  std::map<std::string, Entry> sessions_;
  std::uint64_t next_version_ = 1;
  std::uint64_t next_id_ = 1;
  std::uint64_t writes_ = 0;
  v1::Durability last_delete_durability_ = v1::DURABILITY_DEFAULT;

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
  std::vector<std::string> addresses_;
};

}  // namespace sessionmesh::testing

#endif  // TESTS_DEPLOY_FAKE_CLUSTER_H_
