#ifndef DEPLOY_DEMO_HEALTH_H_
#define DEPLOY_DEMO_HEALTH_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "proto/cluster.grpc.pb.h"

namespace sessionmesh::demo {

// Whether the node beside this server can serve: the answer to a load
// balancer's health check. A server whose node is away or still fetching its
// state would only make its users wait, so it asks to be left out.
//
// Thread-safe.
class NodeHealth {
 public:
  // REQUIRES: client::CheckAddress(address).ok()
  explicit NodeHealth(const std::string& address);

  // OK, or UNAVAILABLE with a sentence. Takes at most 500 ms.
  absl::Status Check();

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ClusterService::Stub> stub_;
};

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_HEALTH_H_
