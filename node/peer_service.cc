#include "node/peer_service.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "node/grpc_settings.h"
#include "node/node_events.h"
#include "proto/wire_gossip.h"
#include "proto/wire_info.h"

namespace sessionmesh::node {
namespace {

constexpr absl::Duration kGarbageReportInterval = absl::Minutes(1);
constexpr size_t kGarbageReportsMax = 64;
// Names that may have a stream at a time; more than members_max of the cluster
// makes no sense.
constexpr size_t kInboundMax = 16384;

// Ends a unary call that needs no waiting.
grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                    const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

}  // namespace

// One incoming Replicate call. Lives until both gRPC and the alarm of its first
// batch have let go of it.
class PeerService::Stream
    : public grpc::ServerBidiReactor<v1::PeerBatch, v1::ReplicateAccepted> {
 public:
  Stream(PeerService* service, std::string address)
      : service_(service), address_(std::move(address)) {
    const Parts& parts = service_->parts_;
    first_batch_alarm_.Set(
        absl::ToChronoTime(parts.clock->Now().wall + parts.first_batch_max),
        [this](bool due) {
          if (due) {
            FinishOnce(absl::DeadlineExceededError(
                "the stream did not say in time who calls"));
          }
          LetGo();
        });
    // The caller waits for it before it says who it is.
    StartSendInitialMetadata();
    StartRead(&batch_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      FinishOnce(absl::OkStatus());
      return;
    }
    const absl::Status status = peer_.empty() ? Accept() : Take();
    if (!status.ok()) {
      FinishOnce(status);
      return;
    }
    StartRead(&batch_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) FinishOnce(absl::CancelledError("the caller has gone"));
  }

  // The read under way fails as well then, but possibly later.
  void OnCancel() override {}

  void OnDone() override {
    if (!peer_.empty()) {
      {
        MutexLock lock(&inbound_->mutex);
        if (inbound_->latest == this) inbound_->latest = nullptr;
      }
      service_->Leave(peer_);
    }
    first_batch_alarm_.Cancel();
    LetGo();
  }

  // The first batch says who is calling.
  absl::Status Accept() {
    const absl::StatusOr<wire::NodeInfo> info =
        service_->parts_.self->Check(batch_.info(), address_);
    if (!info.ok()) {
      if (absl::IsInvalidArgument(info.status())) {
        service_->ReportGarbage(address_, info.status());
      }
      return info.status();
    }
    std::shared_ptr<Inbound> inbound = service_->Enter(info->name);
    if (inbound == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kInboundMax, " peers have streams here"));
    }
    peer_ = info->name;
    inbound_ = std::move(inbound);
    first_batch_alarm_.Cancel();
    {
      // Waits for a batch of a former stream that is being applied.
      MutexLock lock(&inbound_->mutex);
      inbound_->latest = this;
    }
    *accepted_.mutable_info() =
        wire::EncodeNodeInfo(service_->parts_.self->Now());
    StartWrite(&accepted_);
    return Take();
  }

  absl::Status Take() {
    absl::Status status;
    {
      MutexLock lock(&inbound_->mutex);
      if (inbound_->latest != this) {
        return absl::AbortedError("a newer stream of the same node stands");
      }
      status = service_->Apply(peer_, &batch_);
    }
    if (!status.ok()) {
      service_->ReportGarbage(absl::StrCat(peer_, " at ", address_), status);
    }
    return status;
  }

  void FinishOnce(const absl::Status& status) {
    {
      MutexLock lock(&mutex_);
      if (finished_) return;
      finished_ = true;
    }
    Finish(ToGrpc(status));
  }

  void LetGo() {
    if (holders_.fetch_sub(1) == 1) delete this;
  }

  PeerService* const service_;
  const std::string address_;
  membership::NodeName peer_;
  std::shared_ptr<Inbound> inbound_;
  v1::PeerBatch batch_;
  v1::ReplicateAccepted accepted_;
  std::atomic<int> holders_{2};
  Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Alarm first_batch_alarm_;
};

PeerService::PeerService(const Parts& parts, const wire::WireContext& context)
    : parts_(parts),
      context_(context),
      garbage_(kGarbageReportInterval, kGarbageReportsMax) {}

PeerService::~PeerService() = default;

grpc::ServerUnaryReactor* PeerService::Exchange(
    grpc::CallbackServerContext* context, const v1::ExchangeRequest* request,
    v1::ExchangeResponse* response) {
  const absl::StatusOr<wire::NodeInfo> info =
      parts_.self->Check(request->info(), context->peer());
  if (!info.ok()) {
    if (absl::IsInvalidArgument(info.status())) {
      ReportGarbage(context->peer(), info.status());
    }
    return FinishNow(context, info.status());
  }
  absl::StatusOr<membership::Request> decoded = wire::DecodeRequest(*request);
  if (!decoded.ok()) {
    ReportGarbage(context->peer(), decoded.status());
    return FinishNow(context, decoded.status());
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  parts_.membership->HandleRequest(
      *std::move(decoded), [reactor, response, self = parts_.self](
                               const absl::StatusOr<membership::Reply>& reply) {
        if (reply.ok()) *response = wire::EncodeReply(*reply, self->Now());
        reactor->Finish(ToGrpc(reply.status()));
      });
  return reactor;
}

grpc::ServerBidiReactor<v1::PeerBatch, v1::ReplicateAccepted>*
PeerService::Replicate(grpc::CallbackServerContext* context) {
  return new Stream(this, context->peer());
}

grpc::ServerUnaryReactor* PeerService::NodeStatus(
    grpc::CallbackServerContext* context,
    const v1::NodeStatusRequest* /*request*/,
    v1::NodeStatusResponse* response) {
  *response = parts_.report->Status();
  return FinishNow(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* PeerService::Holds(
    grpc::CallbackServerContext* context, const v1::HoldsRequest* request,
    v1::HoldsResponse* response) {
  const absl::StatusOr<wire::HoldsQuery> query = wire::DecodeHolds(*request);
  if (!query.ok()) return FinishNow(context, query.status());
  absl::StatusOr<v1::WhereIsResponse::Owner> owner =
      parts_.report->Holds(query->session_id, query->version);
  if (!owner.ok()) return FinishNow(context, owner.status());
  *response->mutable_owner() = *std::move(owner);
  return FinishNow(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* PeerService::Forward(
    grpc::CallbackServerContext* context, const v1::PipelineRequest* request,
    v1::PipelineResponse* response) {
  return parts_.sessions->ServeForwarded(context, request, response);
}

grpc::ServerWriteReactor<v1::WatchResponse>* PeerService::ForwardWatch(
    grpc::CallbackServerContext* /*context*/, const v1::WatchRequest* request) {
  return parts_.sessions->WatchForwarded(request);
}

std::shared_ptr<PeerService::Inbound> PeerService::Enter(
    const membership::NodeName& peer) {
  MutexLock lock(&mutex_);
  auto found = inbound_.find(peer);
  if (found == inbound_.end()) {
    if (inbound_.size() >= kInboundMax) return nullptr;
    found = inbound_.emplace(peer, Peer{std::make_shared<Inbound>(), 0}).first;
  }
  ++found->second.streams;
  return found->second.inbound;
}

void PeerService::Leave(const membership::NodeName& peer) {
  MutexLock lock(&mutex_);
  const auto found = inbound_.find(peer);
  if (--found->second.streams == 0) inbound_.erase(found);
}

absl::Status PeerService::Apply(const membership::NodeName& peer,
                                v1::PeerBatch* batch) {
  absl::Status status = wire::CheckPeerBatch(*batch);
  if (!status.ok()) return status;
  for (v1::LaneMessage& proto : *batch->mutable_messages()) {
    const absl::StatusOr<wire::LaneMessage> message =
        wire::DecodeLaneMessage(std::move(proto), context_);
    if (!message.ok()) return message.status();
    parts_.lanes->Step(peer, message->lane, message->message);
  }
  return absl::OkStatus();
}

void PeerService::ReportGarbage(const std::string& peer,
                                const absl::Status& status) {
  parts_.log->Count("node_peer_messages_refused");
  const Instant now = parts_.clock->Now();
  {
    MutexLock lock(&mutex_);
    if (!garbage_.Allow(peer, now.steady)) return;
  }
  parts_.log->Append(MakeNodeEvent(
      now.wall, Severity::kWarning, "peer_garbage",
      absl::StrCat("refused what ", peer, " sent: ", status.message())));
}

}  // namespace sessionmesh::node
