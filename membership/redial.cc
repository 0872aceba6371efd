#include "membership/redial.h"

#include <algorithm>

namespace sessionmesh::membership {

absl::Duration Jitter(absl::Duration base, Random* random) {
  return base * random->Between(750, 1250) / 1000;
}

Redial::Redial(absl::Duration interval, absl::Duration backoff_max)
    : interval_(interval), backoff_max_(backoff_max) {}

std::optional<Address> Redial::Pick(const std::vector<Address>& candidates,
                                    absl::Time steady_now, Random* random) {
  for (auto it = backoffs_.begin(); it != backoffs_.end();) {
    const bool wanted =
        std::binary_search(candidates.begin(), candidates.end(), it->first);
    it = wanted ? std::next(it) : backoffs_.erase(it);
  }
  std::vector<Address> due;
  for (const Address& candidate : candidates) {
    const auto it = backoffs_.find(candidate);
    if (it == backoffs_.end() || it->second.until <= steady_now) {
      due.push_back(candidate);
    }
  }
  if (due.empty()) return std::nullopt;
  const Address& chosen = due[random->Below(due.size())];
  const auto [it, first_time] =
      backoffs_.emplace(chosen, BackOff{interval_, steady_now});
  BackOff& backoff = it->second;
  if (!first_time) backoff.wait = std::min(backoff_max_, backoff.wait * 2);
  backoff.until = steady_now + Jitter(backoff.wait, random);
  return chosen;
}

}  // namespace sessionmesh::membership
