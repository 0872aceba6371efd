#include "node/peer_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/support/client_callback.h"
#include "node/grpc_settings.h"
#include "node/random_bytes.h"
#include "proto/limits.h"
#include "proto/wire_replication.h"

namespace sessionmesh::node {
namespace {

// The cores bound what they send (windows of frames, one part of a transfer at
// a time); beyond this something is wrong and the link starts anew.
constexpr size_t kQueueBytesMax = size_t{128} << 20;
constexpr size_t kBatchBytes = size_t{1} << 20;

constexpr absl::Duration kBackoffMin = absl::Milliseconds(50);
constexpr absl::Duration kBackoffMax = absl::Seconds(1);
// After FAILED_PRECONDITION: somebody has to change something first.
constexpr absl::Duration kRefusedBackoff = absl::Seconds(5);
// A link that held so long begins the next wait from the minimum.
constexpr absl::Duration kHeldLong = absl::Seconds(5);

// Between half of it and all of it, so that nodes do not come back in step.
absl::Duration Jittered(absl::Duration wait) {
  const auto part = static_cast<double>(RandomUint64() >> 11) /
                    static_cast<double>(uint64_t{1} << 53);
  return wait * (0.5 + part / 2);
}

}  // namespace

// One Replicate call. Owns itself: it is gone after OnDone. The link never
// calls it after OnEnded, and writes only while `writing_` says so.
class PeerLink::Stream
    : public grpc::ClientBidiReactor<v1::PeerBatch, v1::ReplicateAccepted> {
 public:
  Stream(std::shared_ptr<PeerLink> link,
         std::shared_ptr<grpc::ClientContext> context,
         const membership::Address& address)
      : link_(std::move(link)),
        context_(std::move(context)),
        channel_(MakePeerChannel(address)),
        stub_(v1::PeerService::NewStub(channel_)) {}

  void Start() {
    stub_->async()->Replicate(context_.get(), this);
    // For the writes that begin outside of this object's own callbacks; given
    // back when both reading and writing have ended.
    AddHold();
    StartRead(&accepted_);
    StartCall();
  }

  void Cancel() { context_->TryCancel(); }

  // REQUIRES: the last write is done.
  void Write(const std::vector<PeerQueue::Item>& items) {
    batch_.Clear();
    for (const PeerQueue::Item& item : items) {
      wire::EncodeLaneMessage(item.lane, item.message, batch_.add_messages());
    }
    StartWrite(&batch_);
  }

  // REQUIRES: no write will be begun any more.
  void Release() { RemoveHold(); }

 private:
  // The callee is there. Only now is it said who calls: the time in it is
  // compared with the callee's clock, and connecting may have taken long.
  void OnReadInitialMetadataDone(bool ok) override {
    if (!ok) {
      link_->OnWritten();
      return;
    }
    *batch_.mutable_info() = wire::EncodeNodeInfo(link_->self_->Now());
    StartWrite(&batch_);
  }
  void OnReadDone(bool ok) override {
    if (ok && !accepted_once_) {
      accepted_once_ = true;
      link_->OnAccepted(this, accepted_);
      StartRead(&accepted_);
    } else if (ok) {
      Cancel();  // nothing more is to be said
      StartRead(&accepted_);
    } else {
      link_->OnReadEnded();
    }
  }
  void OnWriteDone(bool ok) override {
    if (!ok) Cancel();
    link_->OnWritten();
  }
  void OnDone(const grpc::Status& status) override {
    link_->OnEnded(FromGrpc(status));
    delete this;
  }

  const std::shared_ptr<PeerLink> link_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::PeerService::Stub> stub_;
  v1::PeerBatch batch_;
  v1::ReplicateAccepted accepted_;
  bool accepted_once_ = false;
};

PeerLink::PeerLink(membership::NodeName peer, SelfInfo* self,
                   const Clock* clock, Listener* listener)
    : peer_(std::move(peer)),
      self_(self),
      clock_(clock),
      listener_(listener),
      queue_(kQueueBytesMax),
      backoff_(kBackoffMin) {}

PeerLink::~PeerLink() { listener_->OnLinkGone(); }

void PeerLink::SetTarget(std::optional<PeerTarget> target) {
  std::shared_ptr<grpc::Alarm> alarm;
  std::shared_ptr<grpc::ClientContext> context;
  {
    MutexLock lock(&mutex_);
    if (shut_down_ || target == target_) return;
    target_ = std::move(target);
    backoff_ = kBackoffMin;
    context = context_;
    alarm = alarm_;
  }
  // A call to the former target, or waiting, has no point any more; the end of
  // either leads to the new target.
  if (context != nullptr) context->TryCancel();
  if (alarm != nullptr) alarm->Cancel();
  Open();
}

void PeerLink::Shutdown() {
  std::shared_ptr<grpc::Alarm> alarm;
  std::shared_ptr<grpc::ClientContext> context;
  {
    MutexLock lock(&mutex_);
    shut_down_ = true;
    target_.reset();
    context = context_;
    alarm = alarm_;
  }
  if (context != nullptr) context->TryCancel();
  if (alarm != nullptr) alarm->Cancel();
}

void PeerLink::Open() {
  Stream* stream = nullptr;
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kIdle || !target_.has_value()) return;
    state_ = State::kOpening;
    was_up_ = false;
    overflowed_ = false;
    read_ended_ = false;
    writing_ = true;  // the first batch, as soon as there is a connection
    context_ = std::make_shared<grpc::ClientContext>();
    stream_ = stream =
        new Stream(shared_from_this(), context_, target_->address);
  }
  stream->Start();
}

void PeerLink::OnAccepted(Stream* stream,
                          const v1::ReplicateAccepted& accepted) {
  const absl::StatusOr<wire::NodeInfo> info = self_->Check(accepted.info());
  if (!info.ok() || info->name != peer_) {
    // The address belongs to somebody else by now; membership will say so.
    stream->Cancel();
    return;
  }
  {
    MutexLock lock(&mutex_);
    if (!target_.has_value()) return;  // cancelled meanwhile
    state_ = State::kOpen;
    was_up_ = true;
    opened_at_ = clock_->Now().steady;
  }
  listener_->OnLinkUp(peer_);
}

void PeerLink::Enqueue(uint32_t lane, replication::Message message) {
  MutexLock lock(&mutex_);
  if (state_ != State::kOpen || overflowed_) return;
  if (queue_.Push(lane, std::move(message))) return;
  overflowed_ = true;  // the flush that follows breaks the link
  queue_.Clear();
}

void PeerLink::Flush() {
  Stream* stream = nullptr;
  std::shared_ptr<grpc::ClientContext> broken;
  std::vector<PeerQueue::Item> items;
  {
    MutexLock lock(&mutex_);
    if (overflowed_) broken = context_;
  }
  if (broken != nullptr) {
    broken->TryCancel();
    return;
  }
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kOpen || writing_ || read_ended_ || queue_.empty()) {
      return;
    }
    writing_ = true;
    stream = stream_;
    items = queue_.TakeBatch(wire::kBatchMessagesMax, kBatchBytes);
  }
  // `writing_` keeps the stream from being released.
  stream->Write(items);
}

void PeerLink::OnWritten() {
  Stream* release = nullptr;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (read_ended_) release = stream_;
  }
  if (release != nullptr) {
    release->Release();
  } else {
    Flush();
  }
}

void PeerLink::OnReadEnded() {
  Stream* release = nullptr;
  {
    MutexLock lock(&mutex_);
    read_ended_ = true;
    if (!writing_) release = stream_;
  }
  if (release != nullptr) release->Release();
}

void PeerLink::OnEnded(const absl::Status& status) {
  bool was_up = false;
  bool overflowed = false;
  std::string address;
  {
    MutexLock lock(&mutex_);
    was_up = was_up_;
    overflowed = overflowed_;
    if (was_up && clock_->Now().steady - opened_at_ > kHeldLong) {
      backoff_ = kBackoffMin;
    }
    stream_ = nullptr;
    context_.reset();
    state_ = State::kWaiting;
    queue_.Clear();
    if (target_.has_value()) address = target_->address;
  }
  const bool refused = absl::IsFailedPrecondition(status);
  if (refused && !address.empty()) {
    self_->ReportRefusedBy(address, status.message());
  }
  if (was_up) {
    listener_->OnLinkDown(
        peer_, overflowed ? absl::StrCat("more than ", kQueueBytesMax,
                                         " bytes waited for it")
                          : status.ToString());
  }
  WaitAndOpen(refused);
}

void PeerLink::WaitAndOpen(bool refused) {
  std::shared_ptr<grpc::Alarm> alarm;
  std::optional<PeerTarget> target;
  absl::Duration wait;
  {
    MutexLock lock(&mutex_);
    if (shut_down_ || !target_.has_value()) {
      state_ = State::kIdle;
      return;
    }
    target = target_;
    wait = Jittered(refused ? kRefusedBackoff : backoff_);
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
    alarm_ = alarm = std::make_shared<grpc::Alarm>();
  }
  // The alarm keeps its callback, and so this link, until it is destroyed:
  // OnAlarm takes it away.
  alarm->Set(absl::ToChronoTime(clock_->Now().wall + wait),
             [link = shared_from_this()](bool /*due*/) { link->OnAlarm(); });
  bool changed = false;
  {
    // Somebody may have wanted to cancel it before it was set.
    MutexLock lock(&mutex_);
    changed = target != target_;
  }
  if (changed) alarm->Cancel();
}

void PeerLink::OnAlarm() {
  std::shared_ptr<grpc::Alarm> alarm;
  {
    MutexLock lock(&mutex_);
    state_ = State::kIdle;
    alarm = std::move(alarm_);
  }
  alarm.reset();
  Open();
}

}  // namespace sessionmesh::node
