#include "membership/suspicion.h"

#include "membership/scaling.h"

namespace sessionmesh::membership {

Suspicion::Suspicion(NodeName accuser, int expected, absl::Duration min,
                     absl::Duration max, absl::Time start)
    : accuser_(std::move(accuser)),
      expected_(expected),
      min_(min),
      max_(max),
      start_(start) {}

bool Suspicion::Confirm(const NodeName& member) {
  if (member == accuser_ || confirmations() >= expected_) return false;
  return confirmers_.insert(member).second;
}

absl::Time Suspicion::deadline() const {
  return start_ + SuspicionTimeout(confirmations(), expected_, min_, max_);
}

void SuspicionTimers::Start(const NodeName& suspect, Suspicion suspicion) {
  Stop(suspect);
  deadlines_.emplace(suspicion.deadline(), suspect);
  suspicions_.emplace(suspect, std::move(suspicion));
}

void SuspicionTimers::Stop(const NodeName& suspect) {
  const auto it = suspicions_.find(suspect);
  if (it == suspicions_.end()) return;
  deadlines_.erase({it->second.deadline(), suspect});
  suspicions_.erase(it);
}

bool SuspicionTimers::Confirm(const NodeName& suspect, const NodeName& member) {
  const auto it = suspicions_.find(suspect);
  if (it == suspicions_.end()) return false;
  const absl::Time before = it->second.deadline();
  if (!it->second.Confirm(member)) return false;
  deadlines_.erase({before, suspect});
  deadlines_.emplace(it->second.deadline(), suspect);
  return true;
}

const Suspicion* SuspicionTimers::Find(const NodeName& suspect) const {
  const auto it = suspicions_.find(suspect);
  return it == suspicions_.end() ? nullptr : &it->second;
}

absl::Time SuspicionTimers::NextDeadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture()
                            : deadlines_.begin()->first;
}

std::optional<NodeName> SuspicionTimers::PopExpired(absl::Time steady_now) {
  if (NextDeadline() > steady_now) return std::nullopt;
  NodeName suspect = deadlines_.begin()->second;
  Stop(suspect);
  return suspect;
}

}  // namespace sessionmesh::membership
