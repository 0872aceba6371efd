#ifndef REPLICATION_DURABILITY_H_
#define REPLICATION_DURABILITY_H_

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "replication/command.h"
#include "replication/delta.h"
#include "replication/message.h"

namespace sessionmesh::replication {

// A write that is applied here and waits until enough owners hold it.
struct DurabilityWait {
  Reply reply;  // as it will be sent, but for `replicas`
  DeltaPtr delta;
  Durability durability = Durability::kOne;
  bool strict = false;
  absl::Time deadline;
  std::set<NodeName> held_by;  // peers
  std::string request_id;
  size_t bytes = 0;  // of the delta and of the session in the reply, about
};

// DurabilityWaits finds the waiting writes of an acknowledged dot. It counts;
// the lane decides how many are enough, because that depends on who is an owner
// now.
//
// Not thread-safe.
class DurabilityWaits {
 public:
  void Add(DurabilityWait wait);

  // `peer` holds the delta that ends with this dot. Returns the calls that wait
  // for it.
  std::vector<CallHandle> Held(const NodeName& peer, const SlotDot& dot);

  // `peer` has forgotten everything that it held.
  void Forget(const NodeName& peer);

  DurabilityWait* Find(CallHandle handle);
  void Remove(CallHandle handle);
  // In order of their handles.
  std::vector<CallHandle> All() const;
  size_t size() const { return waits_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  std::map<CallHandle, DurabilityWait> waits_;
  size_t bytes_ = 0;
  std::multimap<std::pair<SlotId, Dot>, CallHandle> by_dot_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_DURABILITY_H_
