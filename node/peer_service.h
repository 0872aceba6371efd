#ifndef NODE_PEER_SERVICE_H_
#define NODE_PEER_SERVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "node/event_log.h"
#include "node/lanes.h"
#include "node/membership_loop.h"
#include "node/mutex.h"
#include "node/node_report.h"
#include "node/rate_limit.h"
#include "node/self_info.h"
#include "node/session_service.h"
#include "proto/peer.grpc.pb.h"
#include "proto/wire_replication.h"

namespace sessionmesh::node {

// What other nodes call: membership's reliable plane, the streams of
// replication, and questions of operators that were asked elsewhere.
//
// Nothing that a peer sends is trusted: it is decoded and checked here, a
// stream that carries garbage ends with INVALID_ARGUMENT and an event. The next
// batch of a stream is read only when the last one has been applied, so a slow
// node holds its senders back by TCP. A stream that does not say soon who it is
// ends, and nothing is kept of a name that has no stream.
//
// Locks: an Inbound's first, then the service's; never the other way round.
//
// Thread-safe. What Parts names must outlive the service.
class PeerService : public v1::PeerService::CallbackService {
 public:
  struct Parts {
    SelfInfo* self = nullptr;
    MembershipLoop* membership = nullptr;
    Lanes* lanes = nullptr;
    const NodeReport* report = nullptr;
    SessionService* sessions = nullptr;
    const Clock* clock = nullptr;
    EventLog* log = nullptr;
    // For the first batch of a stream.
    absl::Duration first_batch_max = absl::Seconds(5);
  };

  PeerService(const Parts& parts, const wire::WireContext& context);
  ~PeerService() override;

  grpc::ServerUnaryReactor* Exchange(grpc::CallbackServerContext* context,
                                     const v1::ExchangeRequest* request,
                                     v1::ExchangeResponse* response) override;
  grpc::ServerBidiReactor<v1::PeerBatch, v1::ReplicateAccepted>* Replicate(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* NodeStatus(
      grpc::CallbackServerContext* context,
      const v1::NodeStatusRequest* request,
      v1::NodeStatusResponse* response) override;
  grpc::ServerUnaryReactor* Holds(grpc::CallbackServerContext* context,
                                  const v1::HoldsRequest* request,
                                  v1::HoldsResponse* response) override;
  grpc::ServerUnaryReactor* Forward(grpc::CallbackServerContext* context,
                                    const v1::PipelineRequest* request,
                                    v1::PipelineResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* ForwardWatch(
      grpc::CallbackServerContext* context,
      const v1::WatchRequest* request) override;

 private:
  class Stream;
  // The streams of one peer name. Only the latest may apply anything: what the
  // network still holds of a former one comes too late.
  struct Inbound {
    Mutex mutex;
    const Stream* latest ABSL_GUARDED_BY(mutex) = nullptr;
  };

  // An Inbound, and how many streams hold it.
  struct Peer {
    std::shared_ptr<Inbound> inbound;
    int streams = 0;
  };

  // Null when there are too many; otherwise Leave must follow.
  std::shared_ptr<Inbound> Enter(const membership::NodeName& peer);
  void Leave(const membership::NodeName& peer);
  // Decodes and applies the messages of a batch.
  absl::Status Apply(const membership::NodeName& peer, v1::PeerBatch* batch);
  void ReportGarbage(const std::string& peer, const absl::Status& status);

  const Parts parts_;
  const wire::WireContext context_;
  Mutex mutex_;
  std::map<membership::NodeName, Peer> inbound_ ABSL_GUARDED_BY(mutex_);
  RateLimit garbage_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_SERVICE_H_
