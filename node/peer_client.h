#ifndef NODE_PEER_CLIENT_H_
#define NODE_PEER_CLIENT_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "membership/view.h"
#include "node/mutex.h"
#include "node/reliable_plane.h"
#include "node/self_info.h"
#include "proto/peer.grpc.pb.h"

namespace sessionmesh::node {

// Unary calls to the PeerService of other nodes, over one channel for each
// address. Every call is asynchronous and has a deadline; its callback comes
// exactly once, on a gRPC thread. Thread-safe.
class PeerClient : public ReliablePlane {
 public:
  explicit PeerClient(SelfInfo* self);
  ~PeerClient() override;  // shuts down
  PeerClient(const PeerClient&) = delete;
  PeerClient& operator=(const PeerClient&) = delete;

  void Call(
      const membership::Address& to, const membership::Request& request,
      absl::Duration timeout,
      std::function<void(absl::StatusOr<membership::Reply>)> done) override;

  void NodeStatus(
      const membership::Address& to, absl::Duration timeout,
      std::function<void(absl::StatusOr<v1::NodeStatusResponse>)> done);
  void Holds(const membership::Address& to, const wire::HoldsQuery& query,
             absl::Duration timeout,
             std::function<void(absl::StatusOr<v1::HoldsResponse>)> done);
  // `sent`: when it failed, it may have been carried out all the same.
  void Forward(
      const membership::Address& to, const v1::PipelineRequest& request,
      absl::Duration timeout,
      std::function<void(absl::StatusOr<v1::PipelineResponse>, bool sent)>
          done);

  // Hears a watch of another node until it ends or is cancelled by the context
  // that is returned. Both callbacks come in turn, `on_end` last and exactly
  // once; perhaps, when this node is stopping, before this returns (null).
  std::shared_ptr<grpc::ClientContext> ForwardWatch(
      const membership::Address& to, const v1::WatchRequest& request,
      std::function<void(v1::WatchResponse)> on_message,
      std::function<void(absl::Status)> on_end);

  // Closes channels to addresses that no member has any more.
  void SetView(const membership::ViewPtr& view);

  // Cancels what is under way and waits for its end; later calls fail at once
  // with CANCELLED. As with PeerLinks, a server must outlive it.
  void Shutdown();

 private:
  struct Peer;
  class WatchCall;
  template <typename Request, typename Response>
  struct UnaryCall;
  struct Shared;

  // The channel to an address; null when this node is stopping, and then
  // `context` is not noted as a call under way.
  std::shared_ptr<Peer> Note(
      const membership::Address& to,
      const std::shared_ptr<grpc::ClientContext>& context);
  // Whether a call to the address would have to connect first.
  bool MustConnect(const membership::Address& to);
  // Connects first, by another call, and then does `next` with the time that is
  // left, or `failed`.
  void Connect(const membership::Address& to, absl::Duration timeout,
               std::function<void(absl::Duration left)> next,
               std::function<void(absl::Status)> failed);
  void Exchange(const membership::Address& to,
                const membership::Request& request, absl::Duration timeout,
                std::function<void(absl::StatusOr<membership::Reply>)> done);

  void BeginForward(
      const membership::Address& to, const v1::PipelineRequest& request,
      absl::Duration timeout,
      std::function<void(absl::StatusOr<v1::PipelineResponse>, bool sent)>
          done);

  template <typename Request, typename Response, typename Start>
  void Begin(const membership::Address& to, absl::Duration timeout,
             Request request, Start start,
             std::function<void(absl::StatusOr<Response>)> done);

  SelfInfo* const self_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_CLIENT_H_
