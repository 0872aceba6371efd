#include "deploy/demo/health.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/channel.h"
#include "grpcpp/client_context.h"

namespace sessionmesh::demo {
namespace {

constexpr absl::Duration kTimeout = absl::Milliseconds(500);

}  // namespace

NodeHealth::NodeHealth(const std::string& address)
    : channel_(client::MakeChannel(address, nullptr)),
      stub_(v1::ClusterService::NewStub(channel_)) {}

absl::Status NodeHealth::Check() {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kTimeout));
  // A call that fails at once gives gRPC no time to work on the connection, and
  // a node that comes back would be noticed only seconds later.
  context.set_wait_for_ready(true);
  v1::NodeStatusResponse reply;
  const grpc::Status status =
      stub_->NodeStatus(&context, v1::NodeStatusRequest(), &reply);
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the node does not answer: ", status.error_message()));
  }
  if (!reply.ready()) {
    return absl::UnavailableError(absl::StrCat(
        "node ", reply.name(), " is ", reply.state(), ", ", reply.slots_ready(),
        " of ", reply.slots_owned(), " slots ready"));
  }
  return absl::OkStatus();
}

}  // namespace sessionmesh::demo
