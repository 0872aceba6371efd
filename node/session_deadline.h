#ifndef NODE_SESSION_DEADLINE_H_
#define NODE_SESSION_DEADLINE_H_

#include <algorithm>

#include "absl/time/time.h"
#include "membership/instant.h"

namespace sessionmesh::node {

// The steady time until which a call may wait in its lane. `left` is what the
// caller grants: InfiniteDuration when it said nothing, which means the
// default. A little is kept back, so that the answer (which says what was
// missing) is there before the caller gives up.
inline absl::Time LaneDeadline(const Instant& now, absl::Duration left,
                               absl::Duration timeout_default,
                               absl::Duration timeout_max) {
  if (left == absl::InfiniteDuration()) left = timeout_default;
  left = std::min(left, timeout_max);
  return now.steady + left - std::min(left / 10, absl::Milliseconds(10));
}

}  // namespace sessionmesh::node

#endif  // NODE_SESSION_DEADLINE_H_
