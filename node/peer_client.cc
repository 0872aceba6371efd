#include "node/peer_client.h"

#include <set>
#include <utility>

#include "grpcpp/client_context.h"
#include "node/grpc_settings.h"
#include "proto/wire_gossip.h"

namespace sessionmesh::node {
namespace {

// Channels kept for addresses beside those of members: seeds and strangers.
constexpr size_t kIdleChannelsMax = 256;

}  // namespace

struct PeerClient::Peer {
  explicit Peer(const membership::Address& address)
      : channel(MakePeerChannel(address)),
        stub(v1::PeerService::NewStub(channel)) {}

  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::PeerService::Stub> stub;
};

struct PeerClient::Shared {
  Mutex mutex;
  CondVar idle;
  bool shut_down ABSL_GUARDED_BY(mutex) = false;
  std::map<membership::Address, std::shared_ptr<Peer>> peers
      ABSL_GUARDED_BY(mutex);
  // Of the calls under way, so that Shutdown can cancel them.
  std::set<std::shared_ptr<grpc::ClientContext>> calls ABSL_GUARDED_BY(mutex);
};

// Everything that a call needs until its callback.
template <typename Request, typename Response>
struct PeerClient::UnaryCall {
  const std::shared_ptr<grpc::ClientContext> context =
      std::make_shared<grpc::ClientContext>();
  Request request;
  Response response;
  std::shared_ptr<Peer> peer;
  std::function<void(absl::StatusOr<Response>)> done;
};

PeerClient::PeerClient(SelfInfo* self)
    : self_(self), shared_(std::make_shared<Shared>()) {}

PeerClient::~PeerClient() { Shutdown(); }

template <typename Request, typename Response, typename Start>
void PeerClient::Begin(const membership::Address& to, absl::Duration timeout,
                       Request request, Start start,
                       std::function<void(absl::StatusOr<Response>)> done) {
  auto call = std::make_shared<UnaryCall<Request, Response>>();
  {
    MutexLock lock(&shared_->mutex);
    if (!shared_->shut_down) {
      std::shared_ptr<Peer>& peer = shared_->peers[to];
      if (peer == nullptr) peer = std::make_shared<Peer>(to);
      call->peer = peer;
      shared_->calls.insert(call->context);
    }
  }
  if (call->peer == nullptr) {
    done(absl::CancelledError("this node is stopping"));
    return;
  }
  call->request = std::move(request);
  call->done = std::move(done);
  call->context->set_deadline(absl::ToChronoTime(self_->Now().wall + timeout));
  start(call->peer->stub.get(), call->context.get(), &call->request,
        &call->response, [call, shared = shared_](const grpc::Status& status) {
          if (status.ok()) {
            call->done(std::move(call->response));
          } else {
            call->done(FromGrpc(status));
          }
          // Before the end is reported: this may be the last to hold the
          // channel.
          call->peer.reset();
          MutexLock lock(&shared->mutex);
          shared->calls.erase(call->context);
          shared->idle.SignalAll();
        });
}

void PeerClient::Call(
    const membership::Address& to, const membership::Request& request,
    absl::Duration timeout,
    std::function<void(absl::StatusOr<membership::Reply>)> done) {
  if (!MustConnect(to)) {
    Exchange(to, request, timeout, std::move(done));
    return;
  }
  // An Exchange says what time it is, and that is compared with the callee's
  // clock on arrival: it must not have waited for the connection. So another
  // call opens that.
  const absl::Time until = self_->Now().wall + timeout;
  NodeStatus(to, timeout,
             [this, to, request, until, done = std::move(done)](
                 const absl::StatusOr<v1::NodeStatusResponse>& status) {
               const absl::Duration left = until - self_->Now().wall;
               if (!status.ok()) {
                 done(status.status());
               } else {
                 Exchange(to, request, left, done);
               }
             });
}

bool PeerClient::MustConnect(const membership::Address& to) {
  std::shared_ptr<Peer> peer;
  {
    MutexLock lock(&shared_->mutex);
    const auto found = shared_->peers.find(to);
    if (found == shared_->peers.end()) return true;
    peer = found->second;
  }
  return peer->channel->GetState(/*try_to_connect=*/false) !=
         GRPC_CHANNEL_READY;
}

void PeerClient::Exchange(
    const membership::Address& to, const membership::Request& request,
    absl::Duration timeout,
    std::function<void(absl::StatusOr<membership::Reply>)> done) {
  Begin<v1::ExchangeRequest, v1::ExchangeResponse>(
      to, timeout, wire::EncodeRequest(request, self_->Now()),
      [](v1::PeerService::Stub* stub, grpc::ClientContext* context,
         const v1::ExchangeRequest* call, v1::ExchangeResponse* response,
         std::function<void(grpc::Status)> finished) {
        stub->async()->Exchange(context, call, response, std::move(finished));
      },
      [self = self_, to,
       done = std::move(done)](absl::StatusOr<v1::ExchangeResponse> response) {
        if (!response.ok()) {
          if (absl::IsFailedPrecondition(response.status())) {
            self->ReportRefusedBy(to, response.status().message());
          }
          done(response.status());
          return;
        }
        const auto theirs = self->Check(response->info());
        if (!theirs.ok()) {
          done(theirs.status());
        } else {
          done(wire::DecodeReply(*response));
        }
      });
}

void PeerClient::NodeStatus(
    const membership::Address& to, absl::Duration timeout,
    std::function<void(absl::StatusOr<v1::NodeStatusResponse>)> done) {
  Begin<v1::NodeStatusRequest, v1::NodeStatusResponse>(
      to, timeout, v1::NodeStatusRequest(),
      [](v1::PeerService::Stub* stub, grpc::ClientContext* context,
         const v1::NodeStatusRequest* call, v1::NodeStatusResponse* response,
         std::function<void(grpc::Status)> finished) {
        stub->async()->NodeStatus(context, call, response, std::move(finished));
      },
      std::move(done));
}

void PeerClient::Holds(
    const membership::Address& to, const wire::HoldsQuery& query,
    absl::Duration timeout,
    std::function<void(absl::StatusOr<v1::HoldsResponse>)> done) {
  Begin<v1::HoldsRequest, v1::HoldsResponse>(
      to, timeout, wire::EncodeHolds(query),
      [](v1::PeerService::Stub* stub, grpc::ClientContext* context,
         const v1::HoldsRequest* call, v1::HoldsResponse* response,
         std::function<void(grpc::Status)> finished) {
        stub->async()->Holds(context, call, response, std::move(finished));
      },
      std::move(done));
}

void PeerClient::SetView(const membership::ViewPtr& view) {
  std::set<membership::Address> wanted;
  for (const membership::Member& member : view->members()) {
    wanted.insert(member.address);
  }
  MutexLock lock(&shared_->mutex);
  if (shared_->peers.size() <= wanted.size() + kIdleChannelsMax) return;
  for (auto it = shared_->peers.begin(); it != shared_->peers.end();) {
    it = wanted.count(it->first) > 0 ? std::next(it) : shared_->peers.erase(it);
  }
}

void PeerClient::Shutdown() {
  std::set<std::shared_ptr<grpc::ClientContext>> calls;
  std::map<membership::Address, std::shared_ptr<Peer>> peers;
  {
    MutexLock lock(&shared_->mutex);
    shared_->shut_down = true;
    peers.swap(shared_->peers);
    calls = shared_->calls;
  }
  // Without the lock: cancelling may run a call's callback right here.
  for (const std::shared_ptr<grpc::ClientContext>& context : calls) {
    context->TryCancel();
  }
  peers.clear();
  MutexLock lock(&shared_->mutex);
  while (!shared_->calls.empty()) shared_->idle.Wait(&shared_->mutex);
}

}  // namespace sessionmesh::node
