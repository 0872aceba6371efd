#ifndef NODE_SESSION_WATCH_H_
#define NODE_SESSION_WATCH_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "node/lanes.h"
#include "node/mutex.h"
#include "node/server_stream.h"
#include "node/session_service.h"

namespace sessionmesh::node {

// One Watch call: the latest state of a session that the client has not been
// told. States that are replaced before they could be sent are skipped; the
// last one, and how the session ended, never are.
class SessionWatch : public ServerStream<v1::WatchResponse>, public WatchSink {
 public:
  // `gate`, unless null, has been entered for this watch.
  SessionWatch(const SessionParts& parts, CallGate* gate);

  // After Begin. Ends at once when `decoded` is not OK.
  void Watch(const DecodedCommand& decoded);

  void Put(replication::WatchUpdate update) override;
  void Wake() override;

 private:
  std::optional<v1::WatchResponse> Next(
      std::optional<grpc::Status>* end) override;
  void OnEnded() override;

  const SessionParts& parts_;
  CallGate* const gate_;
  CallTicket ticket_;

  Mutex mutex_;
  std::optional<replication::WatchUpdate> latest_ ABSL_GUARDED_BY(mutex_);
  bool last_sent_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::Status> refused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_WATCH_H_
