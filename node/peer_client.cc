#include "node/peer_client.h"

#include <set>
#include <utility>

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

  void Forget(const std::shared_ptr<grpc::ClientContext>& context) {
    MutexLock lock(&mutex);
    calls.erase(context);
    idle.SignalAll();
  }
};

// Owns itself until OnDone.
class PeerClient::WatchCall
    : public grpc::ClientReadReactor<v1::WatchResponse> {
 public:
  WatchCall(std::shared_ptr<Shared> shared, std::shared_ptr<Peer> peer,
            std::shared_ptr<grpc::ClientContext> context,
            const v1::WatchRequest& request,
            std::function<void(v1::WatchResponse)> on_message,
            std::function<void(absl::Status)> on_end)
      : shared_(std::move(shared)),
        peer_(std::move(peer)),
        context_(std::move(context)),
        request_(request),
        on_message_(std::move(on_message)),
        on_end_(std::move(on_end)) {}

  void Begin() {
    peer_->stub->async()->ForwardWatch(context_.get(), &request_, this);
    StartRead(&response_);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    on_message_(std::move(response_));
    response_ = v1::WatchResponse();
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    on_end_(FromGrpc(status));
    peer_.reset();
    shared_->Forget(context_);
    delete this;
  }

  const std::shared_ptr<Shared> shared_;
  std::shared_ptr<Peer> peer_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const v1::WatchRequest request_;
  v1::WatchResponse response_;
  const std::function<void(v1::WatchResponse)> on_message_;
  const std::function<void(absl::Status)> on_end_;
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
  call->peer = Note(to, call->context);
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
          shared->Forget(call->context);
        });
}

std::shared_ptr<PeerClient::Peer> PeerClient::Note(
    const membership::Address& to,
    const std::shared_ptr<grpc::ClientContext>& context) {
  MutexLock lock(&shared_->mutex);
  if (shared_->shut_down) return nullptr;
  std::shared_ptr<Peer>& peer = shared_->peers[to];
  if (peer == nullptr) peer = std::make_shared<Peer>(to);
  shared_->calls.insert(context);
  return peer;
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
  // clock on arrival: it must not have waited for the connection.
  Connect(
      to, timeout,
      [this, to, request, done](absl::Duration left) {
        Exchange(to, request, left, done);
      },
      done);
}

void PeerClient::Connect(const membership::Address& to, absl::Duration timeout,
                         std::function<void(absl::Duration left)> next,
                         std::function<void(absl::Status)> failed) {
  const absl::Time until = self_->Now().wall + timeout;
  NodeStatus(to, timeout,
             [this, until, next = std::move(next), failed = std::move(failed)](
                 const absl::StatusOr<v1::NodeStatusResponse>& status) {
               if (status.ok()) {
                 next(until - self_->Now().wall);
               } else {
                 failed(status.status());
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

void PeerClient::Forward(
    const membership::Address& to, const v1::PipelineRequest& request,
    absl::Duration timeout,
    std::function<void(absl::StatusOr<v1::PipelineResponse>, bool sent)> done) {
  if (MustConnect(to)) {
    Connect(
        to, timeout,
        [this, to, request, done](absl::Duration left) {
          BeginForward(to, request, left, done);
        },
        [done](const absl::Status& why) { done(why, /*sent=*/false); });
    return;
  }
  BeginForward(to, request, timeout, std::move(done));
}

void PeerClient::BeginForward(
    const membership::Address& to, const v1::PipelineRequest& request,
    absl::Duration timeout,
    std::function<void(absl::StatusOr<v1::PipelineResponse>, bool sent)> done) {
  Begin<v1::PipelineRequest, v1::PipelineResponse>(
      to, timeout, request,
      [](v1::PeerService::Stub* stub, grpc::ClientContext* context,
         const v1::PipelineRequest* call, v1::PipelineResponse* response,
         std::function<void(grpc::Status)> finished) {
        stub->async()->Forward(context, call, response, std::move(finished));
      },
      [done = std::move(done)](absl::StatusOr<v1::PipelineResponse> response) {
        done(std::move(response), /*sent=*/true);
      });
}

std::shared_ptr<grpc::ClientContext> PeerClient::ForwardWatch(
    const membership::Address& to, const v1::WatchRequest& request,
    std::function<void(v1::WatchResponse)> on_message,
    std::function<void(absl::Status)> on_end) {
  auto context = std::make_shared<grpc::ClientContext>();
  std::shared_ptr<Peer> peer = Note(to, context);
  if (peer == nullptr) {
    on_end(absl::CancelledError("this node is stopping"));
    return nullptr;
  }
  auto* call = new WatchCall(shared_, std::move(peer), context, request,
                             std::move(on_message), std::move(on_end));
  call->Begin();
  return context;
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
