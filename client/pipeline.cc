#include "client/pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/request_id.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::client {
namespace {

// The node ends a command at its timeout and says why; only a node that stays
// silent is overruled.
constexpr absl::Duration kGrace = absl::Milliseconds(100);

template <typename Command>
absl::Status AddRequestId(Command* command) {
  if (command->request_id().empty()) {
    absl::StatusOr<std::string> id = NewRequestId();
    if (!id.ok()) {
      return id.status();
    }
    command->set_request_id(*std::move(id));
  }
  return absl::OkStatus();
}

// Completes the command; says whether it writes.
absl::StatusOr<bool> Prepare(v1::PipelineRequest* request) {
  absl::Status status;
  switch (request->command_case()) {
    case v1::PipelineRequest::kGet:
    case v1::PipelineRequest::kTouch:
      return false;
    case v1::PipelineRequest::kCreate:
      status = AddRequestId(request->mutable_create());
      break;
    case v1::PipelineRequest::kUpdate:
      status = AddRequestId(request->mutable_update());
      break;
    case v1::PipelineRequest::kDelete:
      status = AddRequestId(request->mutable_delete_());
      break;
    case v1::PipelineRequest::kRotate:
      status = AddRequestId(request->mutable_rotate());
      break;
    case v1::PipelineRequest::COMMAND_NOT_SET:
      status = absl::InvalidArgumentError(
          "a pipeline request without a command: set one");
      break;
  }
  if (!status.ok()) {
    return status;
  }
  return true;
}

absl::Duration Timeout(const v1::PipelineRequest& request) {
  return absl::Seconds(request.timeout().seconds()) +
         absl::Nanoseconds(request.timeout().nanos());
}

void SetTimeout(absl::Duration timeout, v1::PipelineRequest* request) {
  request->mutable_timeout()->set_seconds(
      absl::IDivDuration(timeout, absl::Seconds(1), &timeout));
  request->mutable_timeout()->set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(timeout)));
}

}  // namespace

// The reactor. gRPC wants one write at a time, so commands wait in `queue_`,
// which holds only commands that are also in `pending_` and so is bounded with
// it. A hold keeps the stream from ending while writes may still be started
// from outside a reaction; it is given back once, when the stream breaks or
// Close() has sent everything.
class Pipeline::Stream final
    : public grpc::ClientBidiReactor<v1::PipelineRequest,
                                     v1::PipelineResponse> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel,
         const PipelineOptions& options)
      : options_(options), stub_(v1::SessionService::NewStub(channel)) {
    stub_->async()->Pipeline(&context_, this);
    AddHold();
    StartRead(&response_);
    StartCall();
    sweeper_ = std::thread([this] { Sweep(); });
  }

  ~Stream() override {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      cancelled_ = true;
      context_.TryCancel();
      changed_.wait(lock,
                    [this] { return ended_.has_value() && calling_ == 0; });
      stopping_ = true;
      changed_.notify_all();
    }
    sweeper_.join();
  }

  absl::Status Call(v1::PipelineRequest request, ReplyCallback on_reply,
                    bool block) {
    const absl::StatusOr<bool> writes = Prepare(&request);
    if (!writes.ok()) {
      return writes.status();
    }
    if (Timeout(request) <= absl::ZeroDuration()) {
      SetTimeout(options_.timeout, &request);
    }
    std::unique_lock<std::mutex> lock(mutex_);
    const auto room = [this] {
      return broken_ || closing_ ||
             pending_.size() <
                 static_cast<std::size_t>(std::max(1, options_.in_flight_max));
    };
    if (!block && !room()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("pipeline: ", pending_.size(),
                       " commands in flight, the most allowed; "
                       "wait for replies or raise in_flight_max"));
    }
    changed_.wait(lock, room);
    if (broken_ || closing_) {
      return absl::UnavailableError(
          "pipeline: the stream has ended; open another");
    }
    const std::uint64_t correlation = next_correlation_++;
    request.set_correlation(correlation);
    pending_.emplace(correlation,
                     Pending{absl::Now() + Timeout(request) + kGrace,
                             std::move(on_reply), *writes});
    queue_.push_back(std::move(request));
    MaybeWrite();
    changed_.notify_all();  // the sweeper has a new deadline
    return absl::OkStatus();
  }

  void Flush() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return pending_.empty() && calling_ == 0; });
  }

  absl::Status Close() {
    std::unique_lock<std::mutex> lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] {
      return pending_.empty() && calling_ == 0 && !writing_;
    });
    if (!broken_ && !half_closed_) {
      half_closed_ = true;
      StartWritesDone();
      GiveBackHold();
    }
    changed_.wait(lock, [this] { return ended_.has_value(); });
    return *ended_;
  }

 private:
  struct Pending {
    absl::Time deadline;
    ReplyCallback on_reply;
    bool writes;
  };
  struct Failure {
    ReplyCallback on_reply;
    absl::Status status;
  };

  void OnWriteDone(bool ok) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    writing_ = false;
    if (!ok) {
      Break();
    }
    MaybeWrite();
    changed_.notify_all();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const std::lock_guard<std::mutex> lock(mutex_);
      Break();
      return;
    }
    ReplyCallback on_reply;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto found = pending_.find(response_.correlation());
      if (found != pending_.end()) {  // otherwise it was given up, or the node
                                      // made the number up
        on_reply = std::move(found->second.on_reply);
        pending_.erase(found);
        ++calling_;
      }
    }
    if (on_reply) {
      if (response_.has_error()) {
        on_reply(FromError(response_.error()));
      } else {
        on_reply(std::move(response_));
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      --calling_;
      changed_.notify_all();
    }
    StartRead(&response_);
  }

  // The last reaction. Everything it touches after the notification is local.
  void OnDone(const grpc::Status& status) override {
    std::unique_lock<std::mutex> lock(mutex_);
    Break();
    const absl::Status reason = Reason(FromGrpc(status));
    std::vector<Failure> failures;
    while (!pending_.empty()) {
      failures.push_back(Fail(pending_.begin()->first, reason));
    }
    ++calling_;
    lock.unlock();
    for (const Failure& failure : failures) {
      failure.on_reply(failure.status);
    }
    lock.lock();
    --calling_;
    ended_ = status.ok() ? absl::OkStatus() : reason;
    changed_.notify_all();
  }

  // Gives up commands whose timeout has passed, until the stream is destroyed.
  void Sweep() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      const absl::Time next = FirstDeadline();
      if (next == absl::InfiniteFuture()) {
        changed_.wait(lock);
        continue;
      }
      if (absl::Now() < next) {
        changed_.wait_until(lock, absl::ToChronoTime(next));
        continue;
      }
      std::vector<Failure> failures;
      for (const std::uint64_t correlation : Overdue(absl::Now())) {
        failures.push_back(
            Fail(correlation, absl::DeadlineExceededError(
                                  "pipeline: no answer within the timeout")));
      }
      ++calling_;
      lock.unlock();
      for (const Failure& failure : failures) {
        failure.on_reply(failure.status);
      }
      lock.lock();
      --calling_;
      changed_.notify_all();
    }
  }

  // All below: REQUIRES mutex_.

  // A node that stops ends its streams with OK or CANCELLED, as it happens;
  // who still waits for a reply hears the same of both.
  absl::Status Reason(const absl::Status& status) const {
    const bool stopped =
        status.ok() || (absl::IsCancelled(status) && !cancelled_);
    return stopped
               ? absl::UnavailableError("pipeline: the node ended the stream")
               : status;
  }

  void MaybeWrite() {
    if (writing_ || broken_ || queue_.empty()) {
      return;
    }
    writing_ = true;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    StartWrite(&outgoing_);
  }

  void Break() {
    broken_ = true;
    GiveBackHold();
    changed_.notify_all();
  }

  void GiveBackHold() {
    if (held_) {
      held_ = false;
      RemoveHold();
    }
  }

  // Takes a command out of the books. One that still waits in the queue was
  // certainly not applied.
  Failure Fail(std::uint64_t correlation, absl::Status status) {
    const auto queued =
        std::find_if(queue_.begin(), queue_.end(),
                     [correlation](const v1::PipelineRequest& request) {
                       return request.correlation() == correlation;
                     });
    const bool sent = queued == queue_.end();
    if (!sent) {
      queue_.erase(queued);
    }
    const auto found = pending_.find(correlation);
    Failure failure{std::move(found->second.on_reply), std::move(status)};
    if (sent && found->second.writes) {
      failure.status = WithMayBeApplied(std::move(failure.status));
    }
    pending_.erase(found);
    return failure;
  }

  absl::Time FirstDeadline() const {
    absl::Time first = absl::InfiniteFuture();
    for (const auto& [correlation, pending] : pending_) {
      first = std::min(first, pending.deadline);
    }
    return first;
  }

  std::vector<std::uint64_t> Overdue(absl::Time now) const {
    std::vector<std::uint64_t> overdue;
    for (const auto& [correlation, pending] : pending_) {
      if (pending.deadline <= now) {
        overdue.push_back(correlation);
      }
    }
    return overdue;
  }

  const PipelineOptions options_;
  const std::unique_ptr<v1::SessionService::Stub> stub_;
  grpc::ClientContext context_;
  v1::PipelineRequest outgoing_;   // belongs to gRPC while writing_
  v1::PipelineResponse response_;  // belongs to OnReadDone between reads
  std::thread sweeper_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Pending> pending_;
  std::deque<v1::PipelineRequest> queue_;
  std::uint64_t next_correlation_ = 1;
  int calling_ = 0;  // groups of callbacks that run now
  bool writing_ = false;
  bool held_ = true;
  bool broken_ = false;
  bool closing_ = false;
  bool half_closed_ = false;
  bool cancelled_ = false;  // by the destructor
  bool stopping_ = false;
  std::optional<absl::Status> ended_;
};

Pipeline::Pipeline(const std::shared_ptr<grpc::Channel>& channel,
                   const PipelineOptions& options)
    : stream_(std::make_unique<Stream>(channel, options)) {}

Pipeline::~Pipeline() = default;

absl::Status Pipeline::Call(v1::PipelineRequest command,
                            ReplyCallback on_reply) {
  return stream_->Call(std::move(command), std::move(on_reply), /*block=*/true);
}

absl::Status Pipeline::TryCall(v1::PipelineRequest command,
                               ReplyCallback on_reply) {
  return stream_->Call(std::move(command), std::move(on_reply),
                       /*block=*/false);
}

void Pipeline::Flush() { stream_->Flush(); }

absl::Status Pipeline::Close() { return stream_->Close(); }

}  // namespace sessionmesh::client
