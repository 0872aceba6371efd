#ifndef NODE_SERVER_STREAM_H_
#define NODE_SERVER_STREAM_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "grpcpp/support/server_callback.h"
#include "node/mutex.h"

namespace sessionmesh::node {

// A reply stream whose messages are made when they can be written: one message
// is under way, whatever happens meanwhile is the subclass's to keep or to
// merge. So a slow reader costs nothing but its own state.
//
// Lives in a shared_ptr and keeps itself alive from Begin until the call has
// ended; others may hold it longer, and Pump does nothing then. gRPC is never
// called under a lock, since it may run callbacks inside.
template <typename Response>
class ServerStream
    : public grpc::ServerWriteReactor<Response>,
      public std::enable_shared_from_this<ServerStream<Response>> {
 public:
  // Once, before the reactor is given to gRPC.
  void Begin() { self_ = this->shared_from_this(); }

  // Writes the next message if none is under way and there is one. Thread-safe.
  void Pump() {
    std::optional<grpc::Status> end;
    {
      MutexLock lock(&stream_mutex_);
      if (writing_ || finished_) return;
      if (cancelled_) {
        end = grpc::Status(grpc::StatusCode::CANCELLED, "cancelled");
      } else if (std::optional<Response> next = Next(&end)) {
        message_ = *std::move(next);
        writing_ = true;
      } else if (!end.has_value()) {
        return;
      }
      finished_ = end.has_value();
    }
    if (end.has_value()) {
      this->Finish(*end);
    } else {
      this->StartWrite(&message_);
    }
  }

 protected:
  // The next message; or nothing, and `end` set if none will follow. Called
  // under the stream's lock.
  virtual std::optional<Response> Next(std::optional<grpc::Status>* end) = 0;
  // The call has ended: release what feeds this.
  virtual void OnEnded() = 0;

 private:
  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(&stream_mutex_);
      writing_ = false;
      if (!ok) cancelled_ = true;
    }
    Pump();
  }
  void OnCancel() override {
    {
      MutexLock lock(&stream_mutex_);
      cancelled_ = true;
    }
    Pump();
  }
  void OnDone() override {
    OnEnded();
    const std::shared_ptr<ServerStream> last = std::move(self_);
  }

  Mutex stream_mutex_;
  bool writing_ ABSL_GUARDED_BY(stream_mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(stream_mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(stream_mutex_) = false;
  Response message_;  // under way
  std::shared_ptr<ServerStream> self_;
};

}  // namespace sessionmesh::node

#endif  // NODE_SERVER_STREAM_H_
