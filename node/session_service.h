#ifndef NODE_SESSION_SERVICE_H_
#define NODE_SESSION_SERVICE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "node/call_gate.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/lanes.h"
#include "node/session_codec.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::node {

// Calls of all clients together that may be under way at a time, commands of
// pipelines among them; beyond them RESOURCE_EXHAUSTED. A client that does not
// read holds up to two states of its session in a watch and
// kPipelineReplyBytesMax in a pipeline: with sessions of 256 KiB, half a
// gigabyte and a quarter of one when every place is taken.
inline constexpr int64_t kClientCallsMax = 4096;
inline constexpr int64_t kWatchesMax = 1024;
inline constexpr int64_t kPipelinesMax = 256;
// Calls of clients of other nodes, given to this one.
inline constexpr int64_t kForwardedCallsMax = 4096;

class Forwarder;

// What calls have in common: who serves them and how long they may take.
struct SessionParts {
  const SessionCodec* codec = nullptr;
  Lanes* lanes = nullptr;
  const Clock* clock = nullptr;
  EventLog* log = nullptr;
  CallGate* calls = nullptr;
  // Null: calls that are not served here fail.
  Forwarder* forwarder = nullptr;
  // Of calls without a deadline, and of any call at most.
  absl::Duration timeout_default = absl::Seconds(5);
  absl::Duration timeout_max = absl::Seconds(30);
};

// What a call gets for which `gate` has no place; counted.
absl::Status GateFull(absl::string_view what, const CallGate& gate,
                      EventLog* log, replication::Failure* failure);

// SessionService of proto/session.proto on gRPC's callback API: a call locks
// its lane once on the thread it came in on, and is answered from wherever the
// reply comes up. A cancelled call is taken out of its lane at once.
//
// Thread-safe. What the parts name must outlive the service.
class SessionService : public v1::SessionService::CallbackService {
 public:
  // `parts.calls` is set by the service.
  explicit SessionService(const SessionParts& parts);

  grpc::ServerUnaryReactor* Create(grpc::CallbackServerContext* context,
                                   const v1::CreateRequest* request,
                                   v1::CreateResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context,
                                const v1::GetRequest* request,
                                v1::GetResponse* response) override;
  grpc::ServerUnaryReactor* Update(grpc::CallbackServerContext* context,
                                   const v1::UpdateRequest* request,
                                   v1::UpdateResponse* response) override;
  grpc::ServerUnaryReactor* Touch(grpc::CallbackServerContext* context,
                                  const v1::TouchRequest* request,
                                  v1::TouchResponse* response) override;
  grpc::ServerUnaryReactor* Delete(grpc::CallbackServerContext* context,
                                   const v1::DeleteRequest* request,
                                   v1::DeleteResponse* response) override;
  grpc::ServerUnaryReactor* Rotate(grpc::CallbackServerContext* context,
                                   const v1::RotateRequest* request,
                                   v1::RotateResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context,
      const v1::WatchRequest* request) override;
  grpc::ServerBidiReactor<v1::PipelineRequest, v1::PipelineResponse>* Pipeline(
      grpc::CallbackServerContext* context) override;

  // A call of a client of another node, which gave it to this one.
  grpc::ServerUnaryReactor* ServeForwarded(grpc::CallbackServerContext* context,
                                           const v1::PipelineRequest* request,
                                           v1::PipelineResponse* response);
  grpc::ServerWriteReactor<v1::WatchResponse>* WatchForwarded(
      const v1::WatchRequest* request);

  const CallGate& calls() const { return calls_; }

 private:
  grpc::ServerWriteReactor<v1::WatchResponse>* StartWatch(
      const v1::WatchRequest& request, bool forwarded);

  CallGate calls_;
  CallGate watches_;
  CallGate pipelines_;
  CallGate forwarded_;
  SessionParts parts_;
};

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_SERVICE_H_
