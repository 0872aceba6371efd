#include "client/watch.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "client/error.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::client {

class Watch::Reader final : public grpc::ClientReadReactor<v1::WatchResponse> {
 public:
  Reader(const std::shared_ptr<grpc::Channel>& channel, absl::string_view id,
         const Tokens& tokens, EventCallback on_event)
      : on_event_(std::move(on_event)),
        stub_(v1::SessionService::NewStub(channel)) {
    request_.set_id(std::string(id));
    request_.mutable_tokens()->Assign(tokens.begin(), tokens.end());
    stub_->async()->Watch(&context_, &request_, this);
    StartRead(&event_);
    StartCall();
  }

  void Cancel() {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    context_.TryCancel();
  }

  absl::Status Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [this] { return status_.has_value(); });
    return *status_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) {
      on_event_(event_);
      StartRead(&event_);
    }
  }

  // The last callback. Notifies under the lock, so that a waiter that then
  // destroys this object does so after the notification.
  void OnDone(const grpc::Status& status) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = FromGrpc(status);
    if (absl::IsCancelled(*status_) && !cancelled_) {
      status_ = absl::UnavailableError("watch: the node ended the stream");
    }
    ended_.notify_all();
  }

  const EventCallback on_event_;
  const std::unique_ptr<v1::SessionService::Stub> stub_;
  grpc::ClientContext context_;
  v1::WatchRequest request_;
  v1::WatchResponse event_;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool cancelled_ = false;              // guarded by mutex_
  std::optional<absl::Status> status_;  // guarded by mutex_
};

Watch::Watch(const std::shared_ptr<grpc::Channel>& channel,
             absl::string_view id, const Tokens& tokens, EventCallback on_event)
    : reader_(
          std::make_unique<Reader>(channel, id, tokens, std::move(on_event))) {}

Watch::~Watch() {
  Cancel();
  (void)Wait();
}

void Watch::Cancel() { reader_->Cancel(); }

absl::Status Watch::Wait() { return reader_->Wait(); }

}  // namespace sessionmesh::client
