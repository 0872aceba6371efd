#ifndef CLIENT_PIPELINE_H_
#define CLIENT_PIPELINE_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "proto/session.pb.h"

namespace sessionmesh::client {

struct PipelineOptions {
  // Commands sent or waiting to be sent and not yet answered. Call() blocks at
  // this number: that is the back-pressure of a slow node.
  int in_flight_max = 256;
  // For commands without a timeout of their own.
  absl::Duration timeout = absl::Seconds(2);
};

// Many commands at once over one stream to one node, for throughput: no call
// waits for another's reply.
//
//   v1::PipelineRequest command;
//   command.mutable_get()->set_id(id);
//   pipeline->Call(std::move(command), [](auto reply) { ... });
//   pipeline->Flush();
//
// Replies come in any order; two commands of one end user that depend on each
// other must not be in flight together, since the token of the first belongs
// into the second.
//
// Every accepted command gets its callback exactly once: with the reply, with
// the error of the node (FromError), with DEADLINE_EXCEEDED when its timeout
// has passed without an answer, or with UNAVAILABLE when the stream broke.
// Nothing is retried. Of a write that ends in the last two ways, MayBeApplied()
// is true; writes get a request id, so it may be repeated as long as the same
// process answers, and as retry.h says after that.
//
// Thread-safe. Callbacks run on gRPC's or the pipeline's threads, never under a
// lock; they may call TryCall() but neither block nor destroy the Pipeline.
// What they refer to must outlive the Pipeline: its destructor still calls
// them.
class Pipeline {
 public:
  using ReplyCallback =
      std::function<void(absl::StatusOr<v1::PipelineResponse> reply)>;

  Pipeline(const std::shared_ptr<grpc::Channel>& channel,
           const PipelineOptions& options);
  // Fails what is still in flight (CANCELLED) and waits until the last callback
  // has returned.
  ~Pipeline();

  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Sends `command` (its oneof set; the correlation id is the pipeline's own).
  // Blocks while in_flight_max commands are in flight. Not OK: the command was
  // not accepted and `on_reply` will not be called; UNAVAILABLE when the stream
  // has broken, INVALID_ARGUMENT without a command.
  absl::Status Call(v1::PipelineRequest command, ReplyCallback on_reply);
  // The same, but RESOURCE_EXHAUSTED instead of blocking.
  absl::Status TryCall(v1::PipelineRequest command, ReplyCallback on_reply);

  // Blocks until nothing is in flight. At most the largest timeout of the
  // commands in flight.
  void Flush();
  // Sends no more, waits for the replies, ends the stream. Returns how it
  // ended.
  absl::Status Close();

 private:
  class Stream;
  const std::unique_ptr<Stream> stream_;
};

}  // namespace sessionmesh::client

#endif  // CLIENT_PIPELINE_H_
