#ifndef NODE_FORWARDER_H_
#define NODE_FORWARDER_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "membership/view.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/mutex.h"
#include "node/peer_client.h"
#include "proto/session.pb.h"
#include "replication/command.h"

namespace sessionmesh::node {

// Forwarder gives calls of clients that this node does not serve to an owner of
// their slot, so that any node answers for any session.
//
// Owners are tried one after the other. The next is tried when one says that it
// does not serve the slot either, or cannot be reached; a read also when one is
// slow to answer (hedging: Dean and Barroso, "The tail at scale", 2013): the
// first answer counts. A change is not given to a second owner when the first
// may have made it: its client is told, and repeats it by its request id.
//
// An owner gives nothing on, so no call goes round in circles.
//
// Thread-safe. What it is given must outlive it. Calls end with PeerClient's
// Shutdown, to be followed by that of this class.
class Forwarder {
 public:
  using Done = std::function<void(v1::PipelineResponse)>;

  Forwarder(PeerClient* client, const Clock* clock, EventLog* log);
  ~Forwarder();  // shuts down
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Where members are.
  void SetView(const membership::ViewPtr& view);

  // `refusal` is why this node does not serve it, with forward_to. `done` comes
  // exactly once, on whatever thread, perhaps before this returns.
  void Forward(v1::PipelineRequest request, replication::Reply refusal,
               absl::Time deadline, Done done);

  // Hears the watch of an owner; see PeerClient::ForwardWatch. An owner of no
  // known address ends it at once.
  std::shared_ptr<grpc::ClientContext> Watch(
      const membership::NodeName& owner, const v1::WatchRequest& request,
      std::function<void(v1::WatchResponse)> on_message,
      std::function<void(absl::Status)> on_end);

  // Waits for its alarms, a tenth of a second at most.
  void Shutdown();

 private:
  struct Call;

  void Try(const std::shared_ptr<Call>& call);
  void OnAnswer(const std::shared_ptr<Call>& call,
                const membership::NodeName& owner,
                absl::StatusOr<v1::PipelineResponse> answer, bool sent);
  void OnAlarm(const std::shared_ptr<Call>& call, bool due);
  void SetHedge(const std::shared_ptr<Call>& call);
  absl::Duration HedgeDelay();
  void NoteLatency(absl::Duration latency);
  std::optional<membership::Address> AddressOf(
      const membership::NodeName& node);

  PeerClient* const client_;
  const Clock* const clock_;
  EventLog* const log_;

  Mutex mutex_;
  CondVar quiet_;
  int alarms_ ABSL_GUARDED_BY(mutex_) = 0;
  membership::ViewPtr view_ ABSL_GUARDED_BY(mutex_);
  // Moving means of the time to an answer and of how far it strays.
  absl::Duration latency_ ABSL_GUARDED_BY(mutex_) = absl::Milliseconds(5);
  absl::Duration deviation_ ABSL_GUARDED_BY(mutex_) = absl::Milliseconds(5);
};

}  // namespace sessionmesh::node

#endif  // NODE_FORWARDER_H_
