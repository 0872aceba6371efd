#ifndef NODE_CLUSTER_SERVICE_H_
#define NODE_CLUSTER_SERVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "node/call_gate.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/lanes.h"
#include "node/membership_loop.h"
#include "node/mutex.h"
#include "node/node_report.h"
#include "node/peer_client.h"
#include "proto/cluster.grpc.pb.h"

namespace sessionmesh::node {

// ClusterService of proto/cluster.proto: what operators ask. Questions about
// the whole cluster go to every live member at once, each with a deadline; who
// does not answer is listed as such. Thread-safe. What Parts names must outlive
// it.
class ClusterService : public v1::ClusterService::CallbackService {
 public:
  // How leaving went; `message` is for people.
  using LeaveDone = std::function<void(bool handed_over, std::string message)>;

  struct Parts {
    const NodeReport* report = nullptr;
    MembershipLoop* membership = nullptr;
    PeerClient* peers = nullptr;
    const Lanes* lanes = nullptr;
    EventLog* log = nullptr;
    const Clock* clock = nullptr;
    // Begins to leave; `done` is called once, before the process ends.
    std::function<void(LeaveDone done)> leave;
  };

  explicit ClusterService(Parts parts);
  ~ClusterService() override;

  grpc::ServerUnaryReactor* Members(grpc::CallbackServerContext* context,
                                    const v1::MembersRequest* request,
                                    v1::MembersResponse* response) override;
  grpc::ServerUnaryReactor* NodeStatus(
      grpc::CallbackServerContext* context,
      const v1::NodeStatusRequest* request,
      v1::NodeStatusResponse* response) override;
  grpc::ServerUnaryReactor* ClusterStatus(
      grpc::CallbackServerContext* context,
      const v1::ClusterStatusRequest* request,
      v1::ClusterStatusResponse* response) override;
  grpc::ServerUnaryReactor* Replication(
      grpc::CallbackServerContext* context,
      const v1::ReplicationRequest* request,
      v1::ReplicationResponse* response) override;
  grpc::ServerUnaryReactor* WhereIs(grpc::CallbackServerContext* context,
                                    const v1::WhereIsRequest* request,
                                    v1::WhereIsResponse* response) override;
  grpc::ServerWriteReactor<v1::Event>* WatchEvents(
      grpc::CallbackServerContext* context,
      const v1::WatchEventsRequest* request) override;
  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 const v1::JoinRequest* request,
                                 v1::JoinResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context,
                                  const v1::LeaveRequest* request,
                                  v1::LeaveResponse* response) override;

  // For calls of Join that wait.
  void OnMemberEvent(const membership::Event& event);
  void OnSeedsResolved();

  // Ends calls of Join that wait and refuses further ones, so that the server
  // need not wait for them.
  void Shutdown();

 private:
  class JoinCall;
  // The time of a Join is over, or it has been answered.
  void EndJoin(JoinCall* key);
  std::vector<std::shared_ptr<JoinCall>> Joins();
  // Whether a seed of the call has answered: one that `answered` just now, or
  // who is a member at its address anyway.
  bool HasJoined(const JoinCall& call, const membership::Address& answered);
  void Answer(JoinCall* call);
  // What is known of the seeds of a call that none of them has answered.
  std::string WhyNotJoined(const JoinCall& call) const;

  const Parts parts_;
  CallGate event_streams_;
  Mutex mutex_;
  CondVar no_joins_;
  std::map<JoinCall*, std::shared_ptr<JoinCall>> joins_ ABSL_GUARDED_BY(mutex_);
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sessionmesh::node

#endif  // NODE_CLUSTER_SERVICE_H_
