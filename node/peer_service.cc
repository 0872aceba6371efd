#include "node/peer_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
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

// One incoming Replicate call. Owns itself until OnDone.
class PeerService::Stream
    : public grpc::ServerBidiReactor<v1::PeerBatch, v1::ReplicateAccepted> {
 public:
  Stream(PeerService* service, std::string address)
      : service_(service), address_(std::move(address)) {
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
    if (!peer_.empty()) service_->Forget(peer_, this);
    delete this;
  }

  // The first batch says who is calling.
  absl::Status Accept() {
    const absl::StatusOr<wire::NodeInfo> info =
        service_->parts_.self->Check(batch_.info());
    if (!info.ok()) {
      if (absl::IsInvalidArgument(info.status())) {
        service_->ReportGarbage(address_, info.status());
      }
      return info.status();
    }
    std::shared_ptr<Inbound> inbound = service_->InboundOf(info->name);
    if (inbound == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kInboundMax, " peers have streams here"));
    }
    peer_ = info->name;
    inbound_ = std::move(inbound);
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
    MutexLock lock(&inbound_->mutex);
    if (inbound_->latest != this) {
      return absl::AbortedError("a newer stream of the same node stands");
    }
    const absl::Status status = service_->Apply(peer_, &batch_);
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

  PeerService* const service_;
  const std::string address_;
  membership::NodeName peer_;
  std::shared_ptr<Inbound> inbound_;
  v1::PeerBatch batch_;
  v1::ReplicateAccepted accepted_;
  Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
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
      parts_.self->Check(request->info());
  if (!info.ok()) return FinishNow(context, info.status());
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

std::shared_ptr<PeerService::Inbound> PeerService::InboundOf(
    const membership::NodeName& peer) {
  MutexLock lock(&mutex_);
  const auto found = inbound_.find(peer);
  if (found != inbound_.end()) return found->second;
  if (inbound_.size() >= kInboundMax) return nullptr;
  return inbound_[peer] = std::make_shared<Inbound>();
}

void PeerService::Forget(const membership::NodeName& peer,
                         const Stream* stream) {
  MutexLock lock(&mutex_);
  const auto found = inbound_.find(peer);
  if (found == inbound_.end()) return;
  MutexLock inbound_lock(&found->second->mutex);
  if (found->second->latest != stream) return;
  found->second->latest = nullptr;
}

absl::Status PeerService::Apply(const membership::NodeName& peer,
                                v1::PeerBatch* batch) {
  const absl::Status status = wire::CheckPeerBatch(*batch);
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
