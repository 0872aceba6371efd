#ifndef CLIENT_WATCH_H_
#define CLIENT_WATCH_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/tokens.h"
#include "grpcpp/channel.h"
#include "proto/session.pb.h"

namespace sessionmesh::client {

// A stream of one session's states: the present one first, then one after each
// change that the node applies, and `ended` as the last. A slow callback holds
// the stream back; the node then skips intermediate states, never the last one.
//
// Not reconnected: when the stream breaks, Wait() has the reason and the caller
// opens a new one with the token of the last event.
//
// Thread-safe. The callback runs on a gRPC thread, one event at a time; it must
// not block for long and must not destroy the Watch. It may call Cancel().
class Watch {
 public:
  using EventCallback = std::function<void(const v1::WatchResponse& event)>;

  // Starts at once on `channel`.
  Watch(const std::shared_ptr<grpc::Channel>& channel, absl::string_view id,
        const Tokens& tokens, EventCallback on_event);
  // Cancels, and waits until the last callback has returned.
  ~Watch();

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Ends the stream; Wait() then returns CANCELLED.
  void Cancel();
  // Blocks until the stream has ended. OK: the session has ended and `ended`
  // was delivered. UNAVAILABLE: the node has stopped or cannot be reached.
  absl::Status Wait();

 private:
  class Reader;
  const std::unique_ptr<Reader> reader_;
};

}  // namespace sessionmesh::client

#endif  // CLIENT_WATCH_H_
