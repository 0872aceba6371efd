#ifndef MEMBERSHIP_PROBE_RING_H_
#define MEMBERSHIP_PROBE_RING_H_

#include <cstddef>
#include <vector>

#include "membership/member.h"
#include "membership/random.h"

namespace sessionmesh::membership {

// The other members that are alive or suspect, in the order in which they are
// probed: round-robin over a list that is shuffled after every lap, a newcomer
// inserted at a random place. So a member is probed again after at most 2n - 1
// probes, and the mean time to detection is that of random choice (SWIM paper,
// section 4.3).
class ProbeRing {
 public:
  // REQUIRES: `name` is not in the ring.
  void Add(const NodeName& name, Random* random);
  // Does nothing when it is not there.
  void Remove(const NodeName& name);

  // The next to probe. REQUIRES: not empty.
  const NodeName& Next(Random* random);

  // In probe order. For choices among the living that are independent of it,
  // use Sample.
  const std::vector<NodeName>& names() const { return names_; }
  bool empty() const { return names_.empty(); }
  size_t size() const { return names_.size(); }

 private:
  std::vector<NodeName> names_;
  size_t next_ = 0;  // index of the next to probe; size() at the end of a lap
};

// `count` distinct indices below `population`, uniformly chosen and in random
// order; all of them if there are no more. Never misses an eligible one, unlike
// tries with repetition (memberlist 8c0d992).
std::vector<size_t> Sample(size_t count, size_t population, Random* random);

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_PROBE_RING_H_
