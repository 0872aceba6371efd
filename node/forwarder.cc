#include "node/forwarder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/alarm.h"
#include "node/session_codec.h"
#include "node/session_command.h"

namespace sessionmesh::node {
namespace {

using Command = v1::PipelineRequest::CommandCase;

// A read is given to another owner as well after the mean time to an answer
// and four deviations, as TCP waits for an acknowledgement (RFC 6298).
constexpr int kHedgeDeviations = 4;
constexpr absl::Duration kHedgeMin = absl::Milliseconds(2);
constexpr absl::Duration kHedgeMax = absl::Milliseconds(100);

bool IsRead(const v1::PipelineRequest& request) {
  return request.command_case() == Command::kGet ||
         request.command_case() == Command::kTouch;
}

// Nothing was done there, and another owner may do it.
bool ServesNot(const v1::PipelineResponse& response) {
  if (!response.has_error()) return false;
  const v1::ErrorInfo& info = response.error().info();
  return !info.applied() && (info.reason() == v1::REASON_NOT_READY ||
                             info.reason() == v1::REASON_SHUTTING_DOWN);
}

}  // namespace

struct Forwarder::Call {
  v1::PipelineRequest request;
  replication::Reply refusal;
  absl::Time deadline;  // steady
  Done done;

  Mutex mutex;
  size_t next ABSL_GUARDED_BY(mutex) = 0;  // of refusal.failure.forward_to
  int under_way ABSL_GUARDED_BY(mutex) = 0;
  bool answered ABSL_GUARDED_BY(mutex) = false;
  // The last that said why not.
  v1::PipelineResponse last ABSL_GUARDED_BY(mutex);
  std::shared_ptr<grpc::Alarm> hedge ABSL_GUARDED_BY(mutex);
};

Forwarder::Forwarder(PeerClient* client, const Clock* clock, EventLog* log)
    : client_(client), clock_(clock), log_(log) {}

Forwarder::~Forwarder() { Shutdown(); }

void Forwarder::Shutdown() {
  MutexLock lock(&mutex_);
  while (alarms_ > 0) quiet_.Wait(&mutex_);
}

void Forwarder::SetView(const membership::ViewPtr& view) {
  MutexLock lock(&mutex_);
  view_ = view;
}

std::optional<membership::Address> Forwarder::AddressOf(
    const membership::NodeName& node) {
  MutexLock lock(&mutex_);
  const membership::Member* member =
      view_ == nullptr ? nullptr : view_->Find(node);
  if (member == nullptr) return std::nullopt;
  return member->address;
}

void Forwarder::Forward(v1::PipelineRequest request, replication::Reply refusal,
                        absl::Time deadline, Done done) {
  log_->Count("session_calls_forwarded");
  auto call = std::make_shared<Call>();
  const absl::Status why = refusal.status;
  {
    MutexLock lock(&call->mutex);
    *call->last.mutable_error() =
        FailedCommand(why, EncodeFailure(refusal.failure));
  }
  call->request = std::move(request);
  call->request.clear_timeout();
  call->refusal = std::move(refusal);
  call->deadline = deadline;
  call->done = std::move(done);
  Try(call);
}

std::shared_ptr<grpc::ClientContext> Forwarder::Watch(
    const membership::NodeName& owner, const v1::WatchRequest& request,
    std::function<void(v1::WatchResponse)> on_message,
    std::function<void(absl::Status)> on_end) {
  const std::optional<membership::Address> to = AddressOf(owner);
  if (!to.has_value()) {
    on_end(absl::UnavailableError(
        absl::StrCat("node ", owner, " is not known any more")));
    return nullptr;
  }
  log_->Count("session_watches_forwarded");
  return client_->ForwardWatch(*to, request, std::move(on_message),
                               std::move(on_end));
}

void Forwarder::Try(const std::shared_ptr<Call>& call) {
  const std::vector<membership::NodeName>& owners =
      call->refusal.failure.forward_to;
  const Instant now = clock_->Now();
  std::optional<membership::Address> to;
  membership::NodeName owner;
  v1::PipelineResponse last;
  {
    MutexLock lock(&call->mutex);
    if (call->answered) return;
    while (!to.has_value() && call->next < owners.size() &&
           now.steady < call->deadline) {
      owner = owners[call->next++];
      to = AddressOf(owner);
    }
    if (to.has_value()) {
      ++call->under_way;
    } else if (call->under_way > 0) {
      return;  // somebody may still answer
    } else {
      call->answered = true;
      last = std::move(call->last);
    }
  }
  if (!to.has_value()) {
    call->done(std::move(last));
    return;
  }
  if (IsRead(call->request)) SetHedge(call);
  client_->Forward(*to, call->request, call->deadline - now.steady,
                   [this, call, owner, began = now.steady](
                       absl::StatusOr<v1::PipelineResponse> answer, bool sent) {
                     if (answer.ok()) NoteLatency(clock_->Now().steady - began);
                     OnAnswer(call, owner, std::move(answer), sent);
                   });
}

void Forwarder::OnAnswer(const std::shared_ptr<Call>& call,
                         const membership::NodeName& owner,
                         absl::StatusOr<v1::PipelineResponse> answer,
                         bool sent) {
  const bool garbled =
      answer.ok() && !Answers(*answer, call->request.command_case());
  const bool failed = !answer.ok() || garbled;
  // A change that was sent may have been made.
  const bool next =
      failed ? !sent || IsRead(call->request) : ServesNot(*answer);
  v1::PipelineResponse result;
  if (failed) {
    const std::string why = garbled ? "it sent an answer to something else"
                                    : std::string(answer.status().message());
    *result.mutable_error() = FailedCommand(
        absl::UnavailableError(absl::StrCat(
            "node ", owner, ", an owner of the session, did not answer: ", why,
            next ? ""
                 : "; the change may have been made: repeat it with the "
                   "same request_id")),
        EncodeFailure(replication::Failure()));
  } else {
    result = *std::move(answer);
  }
  std::shared_ptr<grpc::Alarm> hedge;
  {
    MutexLock lock(&call->mutex);
    --call->under_way;
    if (call->answered) return;
    if (next) {
      call->last = result;
    } else {
      call->answered = true;
      hedge = std::move(call->hedge);
    }
  }
  if (hedge != nullptr) hedge->Cancel();
  if (next) {
    Try(call);
  } else {
    call->done(std::move(result));
  }
}

void Forwarder::SetHedge(const std::shared_ptr<Call>& call) {
  const auto alarm = std::make_shared<grpc::Alarm>();
  {
    MutexLock lock(&call->mutex);
    if (call->next >= call->refusal.failure.forward_to.size()) return;
    call->hedge = alarm;
  }
  const absl::Duration delay = HedgeDelay();
  {
    MutexLock lock(&mutex_);
    ++alarms_;
  }
  // It is kept by its own callback.
  alarm->Set(absl::ToChronoTime(clock_->Now().wall + delay),
             [this, call, alarm](bool due) { OnAlarm(call, due); });
}

void Forwarder::OnAlarm(const std::shared_ptr<Call>& call, bool due) {
  bool waits = false;
  {
    MutexLock lock(&call->mutex);
    waits = !call->answered;
  }
  if (due && waits) {
    log_->Count("session_calls_hedged");
    Try(call);
  }
  MutexLock lock(&mutex_);
  if (--alarms_ == 0) quiet_.SignalAll();
}

absl::Duration Forwarder::HedgeDelay() {
  MutexLock lock(&mutex_);
  return std::clamp(latency_ + kHedgeDeviations * deviation_, kHedgeMin,
                    kHedgeMax);
}

void Forwarder::NoteLatency(absl::Duration latency) {
  MutexLock lock(&mutex_);
  const absl::Duration stray = absl::AbsDuration(latency - latency_);
  deviation_ += (stray - deviation_) / 4;
  latency_ += (latency - latency_) / 8;
}

}  // namespace sessionmesh::node
