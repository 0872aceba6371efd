#ifndef NODE_NODE_REPORT_H_
#define NODE_NODE_REPORT_H_

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "node/event_log.h"
#include "node/lanes.h"
#include "node/membership_loop.h"
#include "node/mutex.h"
#include "proto/cluster.pb.h"

namespace sessionmesh::node {

// What this node says about itself to operators, gathered from its parts.
// Thread-safe; what Parts names must outlive it.
class NodeReport {
 public:
  struct Constants {
    std::string name;
    std::string cluster_id;
    std::string peer_address;
    membership::Generation generation = 0;
    absl::Time started;
  };
  struct Parts {
    const Lanes* lanes = nullptr;
    const MembershipLoop* membership = nullptr;
    const EventLog* log = nullptr;
    // Set by Node.
    const std::atomic<bool>* leaving = nullptr;
  };

  NodeReport(Constants constants, const Parts& parts);

  v1::NodeStatusResponse Status() const;
  v1::MembersResponse Members() const;
  v1::ReplicationResponse Replication() const;

  // What this node has of a session, beside the version that somebody else
  // has of it. Errors as of SessionIds::SlotOf.
  absl::StatusOr<v1::WhereIsResponse::Owner> Holds(
      const std::string& session_id,
      const std::vector<replication::Dot>& version) const;

  // Known only when the port is open.
  void SetClientAddress(const std::string& address);

 private:
  const Constants constants_;
  const Parts parts_;
  mutable Mutex mutex_;
  std::string client_address_ ABSL_GUARDED_BY(mutex_);
};

v1::Member EncodeMember(const membership::Member& member,
                        const membership::NodeName& self);

}  // namespace sessionmesh::node

#endif  // NODE_NODE_REPORT_H_
