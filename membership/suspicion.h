#ifndef MEMBERSHIP_SUSPICION_H_
#define MEMBERSHIP_SUSPICION_H_

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "membership/member.h"

namespace sessionmesh::membership {

// The time that one suspect has left to refute. It starts long and shrinks with
// every distinct member that confirms the suspicion: one accuser may itself be
// the one that is cut off, several are hardly ever (Lifeguard, "dogpile").
class Suspicion {
 public:
  // `accuser` raised the suspicion and never counts as a confirmation.
  // `expected` confirmations bring the timeout down from max to min
  // (scaling.h).
  Suspicion(NodeName accuser, int expected, absl::Duration min,
            absl::Duration max, absl::Time start);

  // True if this confirmation is news and so worth passing on. False for the
  // accuser, for whoever has confirmed before, and once enough have.
  bool Confirm(const NodeName& member);

  // Steady time of death. May lie in the past after a confirmation.
  absl::Time deadline() const;
  const NodeName& accuser() const { return accuser_; }
  int confirmations() const { return static_cast<int>(confirmers_.size()); }

 private:
  NodeName accuser_;
  int expected_;
  absl::Duration min_;
  absl::Duration max_;
  absl::Time start_;
  std::set<NodeName> confirmers_;  // at most expected_
};

// All suspicions of a node, by suspect and by deadline.
class SuspicionTimers {
 public:
  // Replaces a suspicion of the same suspect.
  void Start(const NodeName& suspect, Suspicion suspicion);
  void Stop(const NodeName& suspect);

  // See Suspicion::Confirm. False if nobody of that name is suspected.
  bool Confirm(const NodeName& suspect, const NodeName& member);

  // Null when not suspected.
  const Suspicion* Find(const NodeName& suspect) const;

  // InfiniteFuture when nobody is suspected.
  absl::Time NextDeadline() const;
  // Removes and returns the suspect whose deadline came first, if it is due.
  std::optional<NodeName> PopExpired(absl::Time steady_now);

 private:
  std::map<NodeName, Suspicion> suspicions_;
  std::set<std::pair<absl::Time, NodeName>> deadlines_;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_SUSPICION_H_
