#ifndef MEMBERSHIP_REDIAL_H_
#define MEMBERSHIP_REDIAL_H_

#include <map>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "membership/member.h"
#include "membership/random.h"

namespace sessionmesh::membership {

// `base` times a uniform factor between 3/4 and 5/4, so that nodes that failed
// together do not try again together.
absl::Duration Jitter(absl::Duration base, Random* random);

// Which of the dead to call next. Every address backs off on its own: interval,
// twice, four times, up to the maximum, each with jitter; it is never given up.
// So those that vanished lately are tried often and those gone for good cost
// little.
class Redial {
 public:
  Redial(absl::Duration interval, absl::Duration backoff_max);

  // One of `candidates` (sorted, distinct) whose back-off is over, uniformly
  // chosen; its next back-off starts now. Nobody when all are backing off.
  // Addresses that are no longer candidates are forgotten: they start from the
  // interval when they come back.
  std::optional<Address> Pick(const std::vector<Address>& candidates,
                              absl::Time steady_now, Random* random);

 private:
  struct BackOff {
    absl::Duration wait;
    absl::Time until;
  };

  absl::Duration interval_;
  absl::Duration backoff_max_;
  std::map<Address, BackOff> backoffs_;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_REDIAL_H_
