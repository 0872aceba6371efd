#ifndef CLIENT_CLIENT_H_
#define CLIENT_CLIENT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/channel.h"
#include "client/options.h"
#include "client/pipeline.h"
#include "client/watch.h"
#include "proto/session.grpc.pb.h"
#include "proto/session.pb.h"

namespace sessionmesh::client {

// A connection to one node of a Sessionmesh cluster, others to fall back on.
//
//   auto client = Client::Open({.addresses = {"localhost:7400", "app2:7400"}});
//   auto created = (*client)->Create({.attributes = {{"cart", "1 pear"}}});
//   Tokens tokens = {created->info().token()};
//   auto got = (*client)->Get(created->session().id(), tokens);
//
// Tokens: every reply carries `info().token()`. Present it with the next call
// of the same end user and no node answers from an older state than that user
// has seen; cookies.h keeps them in a browser. Within one request of yours,
// present the token of the last reply, not those of the browser again.
//
// Time: each call blocks for at most its timeout (default 2 s), retries
// included. Which failures are retried, and where, stands in retry.h. Addresses
// are tried in order; each call begins with the first whose connection is not
// known to be broken, so the client returns to the nearest node by itself.
//
// Errors: the status of the node (error.h has the machine-readable part), or
// UNAVAILABLE or DEADLINE_EXCEEDED with the address when none answered. When a
// node has explained itself and the last try could not even connect, the
// explanation is returned.
//
// Thread-safe: one Client serves a whole process. It must outlive no one:
// pipelines and watches opened from it keep what they need.
class Client {
 public:
  // Connects in the background; an unreachable node is reported by the calls.
  // INVALID_ARGUMENT for an empty list or an address that is neither host:port
  // nor unix:/path.
  static absl::StatusOr<std::unique_ptr<Client>> Open(
      ClientOptions options = {});

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // ALREADY_EXISTS when a live session has the id that the caller brought.
  absl::StatusOr<v1::CreateResponse> Create(const CreateOptions& options = {});
  // NOT_FOUND is certain: the node has seen everything that the tokens name.
  // Not with CONSISTENCY_LOCAL, which answers from what the node has, behind
  // the tokens or not.
  absl::StatusOr<v1::GetResponse> Get(absl::string_view id,
                                      const Tokens& tokens,
                                      const GetOptions& options = {});
  // ABORTED when if_version or if_absent does not hold; ErrorDetail() has the
  // session as it is.
  // MayBeApplied(status) (error.h) when the connection broke in the middle: an
  // Update is not repeated by itself then (retry.h).
  absl::StatusOr<v1::UpdateResponse> Update(absl::string_view id,
                                            const Tokens& tokens,
                                            const UpdateOptions& options);
  absl::StatusOr<v1::TouchResponse> Touch(absl::string_view id,
                                          const Tokens& tokens,
                                          const TouchOptions& options = {});
  absl::StatusOr<v1::DeleteResponse> Delete(absl::string_view id,
                                            const Tokens& tokens,
                                            const DeleteOptions& options = {});
  // The reply's session has the new id; the old one opens nothing from now on.
  // When it fails with ErrorDetail()->applied(), as with DURABILITY_UNMET, the
  // session has moved all the same: the new id and the token are in the
  // ErrorInfo and must reach the user. The same holds for Create.
  absl::StatusOr<v1::RotateResponse> Rotate(absl::string_view id,
                                            const Tokens& tokens,
                                            const RotateOptions& options = {});

  // Opens a stream for many commands at once, on the first node that can be
  // reached (pipeline.h).
  absl::StatusOr<std::unique_ptr<Pipeline>> OpenPipeline(
      const PipelineOptions& options = {});

  // Calls `on_event` for the session as it is now and after every change
  // (watch.h).
  absl::StatusOr<std::unique_ptr<Watch>> OpenWatch(
      absl::string_view id, const Tokens& tokens,
      Watch::EventCallback on_event);

  const std::vector<std::string>& addresses() const {
    return options_.addresses;
  }

 private:
  struct Node {
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<v1::SessionService::Stub> stub;
  };
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::SessionService::Stub::*)(
      grpc::ClientContext*, const Request&, Response*);

  explicit Client(ClientOptions options);

  // The first whose connection is not known to be broken.
  std::size_t FirstNode() const;
  // One try on one node; `status` is OK when it succeeded.
  template <typename Request, typename Response>
  static FailedTry TryOnce(const Node& node, Method<Request, Response> method,
                           const Request& request, absl::Time connect_deadline,
                           absl::Time call_deadline, Response* response);
  // Runs `method` with retries until it succeeds, is refused for good, or time
  // is up.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(CallKind kind, Method<Request, Response> method,
                                const Request& request,
                                std::optional<absl::Duration> timeout);
  // The first node that is or becomes connected before the deadline.
  absl::StatusOr<const Node*> AnyNode(absl::Time deadline) const;

  const ClientOptions options_;
  std::vector<Node> nodes_;
};

}  // namespace sessionmesh::client

#endif  // CLIENT_CLIENT_H_
