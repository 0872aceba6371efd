#ifndef NODE_SELF_INFO_H_
#define NODE_SELF_INFO_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/mutex.h"
#include "node/rate_limit.h"
#include "proto/wire_info.h"

namespace sessionmesh::node {

// Who this node is in every conversation with a peer, and the check whether a
// peer belongs to the same cluster. What does not fit is an event on this side;
// the peer is told by the status and makes it one there. Thread-safe.
class SelfInfo {
 public:
  // `info.wall` is ignored. The clock and the log must outlive this.
  SelfInfo(wire::NodeInfo info, absl::Duration clock_offset_max,
           const Clock* clock, EventLog* log);

  // With the present time.
  wire::NodeInfo Now() const;
  const wire::NodeInfo& constants() const { return info_; }

  // Decodes what a peer says of itself, just now, and compares.
  // `caller` is where it calls from, as gRPC names it; empty when we have
  // called. FAILED_PRECONDITION (reported) or INVALID_ARGUMENT.
  absl::StatusOr<wire::NodeInfo> Check(const v1::NodeInfo& theirs,
                                       absl::string_view caller = "");

  // A peer at `address` has refused us for `why`: an event, once a minute.
  void ReportRefusedBy(absl::string_view address, absl::string_view why);

 private:
  void ReportRefused(const v1::NodeInfo& theirs, const absl::Status& why);
  void Report(absl::string_view kind, const std::string& peer,
              const std::string& sentence);

  const wire::NodeInfo info_;
  const absl::Duration clock_offset_max_;
  const Clock* const clock_;
  EventLog* const log_;
  Mutex mutex_;
  RateLimit reported_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_SELF_INFO_H_
