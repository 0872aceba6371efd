#ifndef NODE_SESSION_PIPELINE_H_
#define NODE_SESSION_PIPELINE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"
#include "node/lanes.h"
#include "node/mutex.h"
#include "node/session_service.h"

namespace sessionmesh::node {

// Commands of one Pipeline that wait for their reply, or whose reply waits to
// be written. At this number no further command is read: TCP then holds the
// client back.
inline constexpr size_t kPipelineInFlightMax = 256;
// Of replies that wait to be written; the same happens at this size. One
// command that has been read before may go beyond.
inline constexpr size_t kPipelineReplyBytesMax = 1 << 20;

// One Pipeline call. Every command is a call of its own in its lane; replies
// are written as they come. Ends when the client has sent its last command and
// got the last reply.
//
// Lives in a shared_ptr and keeps itself alive from Begin or Refuse until
// OnDone: a thread that brings a reply may outlast the call.
//
// gRPC is never called under the lock, since it may run callbacks inside.
class SessionPipeline
    : public grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>,
      public std::enable_shared_from_this<SessionPipeline> {
 public:
  // `gate`, unless null, has been entered for this call. `deadline`, steady, is
  // that of the stream.
  SessionPipeline(const SessionParts& parts, CallGate* gate,
                  absl::Time deadline);
  ~SessionPipeline() override;

  // Once, one of the two.
  void Begin();
  void Refuse(const grpc::Status& status);

 private:
  // One command that waits in its lane.
  class Call;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Starts the command that has just been read.
  void Start();
  // Answers it at once.
  void Refuse(const absl::Status& status, const replication::Failure& failure);
  void PushReply(v1::PipelineResponse response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropReplies() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Forgets a call of this pipeline; the pointer may be to one that is gone.
  void Cancel(Call* call, const CallTicket& ticket);
  void OnCallDone(Call* call, v1::PipelineResponse response);
  // Starts whatever may be started: a write, a read, the end.
  void Advance();

  const SessionParts& parts_;
  CallGate* const gate_;
  const absl::Time deadline_;
  std::shared_ptr<SessionPipeline> self_;

  v1::PipelineRequest request_;    // of the read under way
  v1::PipelineResponse response_;  // of the write under way

  Mutex mutex_;
  std::map<Call*, std::unique_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::PipelineResponse> replies_ ABSL_GUARDED_BY(mutex_);
  size_t reply_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_PIPELINE_H_
