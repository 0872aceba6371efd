#ifndef NODE_SESSION_WATCH_H_
#define NODE_SESSION_WATCH_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/client_context.h"
#include "node/lanes.h"
#include "node/mutex.h"
#include "node/server_stream.h"
#include "node/session_service.h"

namespace sessionmesh::node {

// One Watch call: the latest state of a session that the client has not been
// told. States that are replaced before they could be sent are skipped; the
// last one, and how the session ended, never are.
//
// Where this node does not serve the session, an owner is watched instead, and
// when that one does not any more, another: with the last token told to the
// client, so that nothing older follows.
class SessionWatch : public ServerStream<v1::WatchResponse>, public WatchSink {
 public:
  // `gate`, unless null, has been entered for this watch.
  SessionWatch(const SessionParts& parts, CallGate* gate);

  // After Begin. Ends at once when `decoded`, which is the request decoded, is
  // not OK.
  void Watch(const DecodedCommand& decoded, const v1::WatchRequest& request);

  void Put(replication::WatchUpdate update) override;
  void Wake() override;

 private:
  std::optional<v1::WatchResponse> Next(
      std::optional<grpc::Status>* end) override;
  void OnEnded() override;

  // Watches in this node's lane, from the token on that was told last.
  void WatchHere();
  // Watches at the next of the owners; ends the call when there is none left.
  void WatchElsewhere();
  void Take(v1::WatchResponse response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRemote(v1::WatchResponse response);
  void OnRemoteEnd(const absl::Status& status);
  std::shared_ptr<SessionWatch> Self() {
    return std::static_pointer_cast<SessionWatch>(shared_from_this());
  }

  const SessionParts& parts_;
  CallGate* const gate_;
  replication::SlotId slot_ = 0;
  bool forwarded_ = false;

  Mutex mutex_;
  // What is asked of whoever is watched next.
  v1::WatchRequest request_ ABSL_GUARDED_BY(mutex_);
  CallTicket ticket_ ABSL_GUARDED_BY(mutex_);
  // Owners that are left to be watched instead, and that one is to be.
  std::vector<membership::NodeName> owners_ ABSL_GUARDED_BY(mutex_);
  bool go_elsewhere_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<grpc::ClientContext> remote_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // In a row without a state between them.
  int moves_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<v1::WatchResponse> latest_ ABSL_GUARDED_BY(mutex_);
  bool last_sent_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> refused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_WATCH_H_
