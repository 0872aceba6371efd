#ifndef NODE_GRPC_SETTINGS_H_
#define NODE_GRPC_SETTINGS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/status.h"

namespace sessionmesh::node {

// Every setting of gRPC in one place.

// A channel to another node's peer port: it notices a dead host within seconds,
// reconnects quickly, and ignores HTTP proxies of the environment.
std::shared_ptr<grpc::Channel> MakePeerChannel(const std::string& address);

// Limits, keepalive and threads of this node's servers.
void ConfigurePeerServer(grpc::ServerBuilder* builder);
void ConfigureClientServer(grpc::ServerBuilder* builder);

// Between the two kinds of status; codes and messages are the same.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace sessionmesh::node

#endif  // NODE_GRPC_SETTINGS_H_
