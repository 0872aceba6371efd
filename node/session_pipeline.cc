#include "node/session_pipeline.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "node/forwarder.h"
#include "node/proto_time.h"
#include "node/session_command.h"
#include "node/session_deadline.h"

namespace sessionmesh::node {
// Has a place in the gate of calls, which has been entered for it.
class SessionPipeline::Call : public CallSink {
 public:
  Call(SessionPipeline* pipeline, const v1::PipelineRequest& request,
       const CallTicket& ticket, absl::Time deadline)
      : pipeline_(pipeline),
        request_(request),
        ticket_(ticket),
        deadline_(deadline) {}
  ~Call() override { pipeline_->parts_.calls->Leave(); }

  const CallTicket& ticket() const { return ticket_; }

  void OnReply(replication::Reply reply) override {
    const SessionParts& parts = pipeline_->parts_;
    if (parts.forwarder != nullptr && !reply.failure.forward_to.empty()) {
      parts.forwarder->Forward(std::move(request_), std::move(reply), deadline_,
                               [this](v1::PipelineResponse response) {
                                 OnResult(std::move(response));
                               });
      return;
    }
    OnResult(
        EncodeResult(*parts.codec, request_.command_case(), std::move(reply)));
  }

 private:
  void OnResult(v1::PipelineResponse response) {
    response.set_correlation(correlation_);
    pipeline_->OnCallDone(this, std::move(response));  // deletes this
  }

  SessionPipeline* const pipeline_;
  v1::PipelineRequest request_;
  const uint64_t correlation_ = request_.correlation();
  const CallTicket ticket_;
  const absl::Time deadline_;
};

SessionPipeline::SessionPipeline(const SessionParts& parts, CallGate* gate,
                                 absl::Time deadline)
    : parts_(parts), gate_(gate), deadline_(deadline) {}

SessionPipeline::~SessionPipeline() = default;

void SessionPipeline::Begin() {
  self_ = shared_from_this();
  Advance();
}

void SessionPipeline::Refuse(const grpc::Status& status) {
  self_ = shared_from_this();
  {
    MutexLock lock(&mutex_);
    finished_ = true;
  }
  Finish(status);
}

void SessionPipeline::OnReadDone(bool ok) {
  bool start = false;
  {
    MutexLock lock(&mutex_);
    start = ok && !cancelled_;
  }
  // Still `reading_`: another thread must not read over the request.
  if (start) Start();
  {
    MutexLock lock(&mutex_);
    reading_ = false;
    read_ended_ = read_ended_ || !ok;
  }
  Advance();
}

void SessionPipeline::Start() {
  DecodedCommand decoded = DecodeCommand(*parts_.codec, request_);
  const Instant now = parts_.clock->Now();
  absl::Duration left = deadline_ - now.steady;
  if (request_.has_timeout()) {
    const absl::StatusOr<absl::Duration> timeout =
        FromProto(request_.timeout());
    if (timeout.ok()) left = std::min(left, *timeout);
  }
  if (!decoded.status.ok()) {
    Refuse(decoded.status, decoded.failure);
    return;
  }
  if (!parts_.calls->Enter()) {
    const absl::Status full =
        GateFull("calls", *parts_.calls, parts_.log, &decoded.failure);
    Refuse(full, decoded.failure);
    return;
  }
  decoded.command.deadline =
      LaneDeadline(now, left, parts_.timeout_default, parts_.timeout_max);
  const CallTicket ticket = parts_.lanes->NewTicket(*decoded.command.slot);
  auto call =
      std::make_unique<Call>(this, request_, ticket, decoded.command.deadline);
  Call* const sink = call.get();
  {
    MutexLock lock(&mutex_);
    calls_.emplace(sink, std::move(call));
  }
  parts_.lanes->Execute(ticket, std::move(decoded.command), sink);
  bool cancelled = false;
  {
    // OnCancel may have come before the call was there to be cancelled.
    MutexLock lock(&mutex_);
    cancelled = cancelled_;
  }
  if (cancelled) Cancel(sink, ticket);
}

void SessionPipeline::Refuse(const absl::Status& status,
                             const replication::Failure& failure) {
  v1::PipelineResponse response;
  response.set_correlation(request_.correlation());
  *response.mutable_error() = FailedCommand(status, EncodeFailure(failure));
  MutexLock lock(&mutex_);
  PushReply(std::move(response));
}

void SessionPipeline::PushReply(v1::PipelineResponse response) {
  reply_bytes_ += response.ByteSizeLong();
  replies_.push_back(std::move(response));
}

void SessionPipeline::DropReplies() {
  replies_.clear();
  reply_bytes_ = 0;
}

void SessionPipeline::Cancel(Call* call, const CallTicket& ticket) {
  if (!parts_.lanes->Cancel(ticket)) return;  // its reply is on its way
  MutexLock lock(&mutex_);
  calls_.erase(call);
}

void SessionPipeline::OnCallDone(Call* call, v1::PipelineResponse response) {
  // Without the call, another thread may end the pipeline.
  const std::shared_ptr<SessionPipeline> keep = shared_from_this();
  std::unique_ptr<Call> done;
  {
    MutexLock lock(&mutex_);
    const auto found = calls_.find(call);
    done = std::move(found->second);
    calls_.erase(found);
    if (!cancelled_) PushReply(std::move(response));
  }
  Advance();
}

void SessionPipeline::OnWriteDone(bool ok) {
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) DropReplies();
  }
  Advance();
}

void SessionPipeline::OnCancel() {
  std::vector<std::pair<Call*, CallTicket>> calls;
  {
    MutexLock lock(&mutex_);
    cancelled_ = true;
    DropReplies();
    for (const auto& [call, owned] : calls_) {
      calls.emplace_back(call, call->ticket());
    }
  }
  for (const auto& [call, ticket] : calls) Cancel(call, ticket);
  Advance();
}

void SessionPipeline::OnDone() {
  if (gate_ != nullptr) gate_->Leave();
  const std::shared_ptr<SessionPipeline> last = std::move(self_);
}

void SessionPipeline::Advance() {
  bool write = false;
  bool read = false;
  bool finish = false;
  {
    MutexLock lock(&mutex_);
    if (finished_) return;
    if (!writing_ && !replies_.empty()) {
      response_ = std::move(replies_.front());
      replies_.pop_front();
      reply_bytes_ -= response_.ByteSizeLong();
      writing_ = write = true;
    }
    if (!reading_ && !read_ended_ && !cancelled_ &&
        calls_.size() + replies_.size() < kPipelineInFlightMax &&
        reply_bytes_ < kPipelineReplyBytesMax) {
      reading_ = read = true;
    }
    finish = (read_ended_ || cancelled_) && !reading_ && !writing_ &&
             calls_.empty() && replies_.empty();
    finished_ = finish;
  }
  // Both flags were set under the lock, so nobody ends the call before both
  // have been started and are over.
  if (read) StartRead(&request_);
  if (write) StartWrite(&response_);
  if (finish) {
    Finish(grpc::Status::OK);
  }
}

}  // namespace sessionmesh::node
