#include "membership/relays.h"

#include <utility>

#include "membership/limits.h"

namespace sessionmesh::membership {

void Relays::Add(Relay relay) {
  if (relays_.size() >= kRelaysMax) relays_.pop_front();
  relays_.push_back(std::move(relay));
}

std::optional<Relay> Relays::Match(uint64_t sequence, const NodeName& subject,
                                   Generation subject_generation,
                                   absl::Time steady_now) {
  while (!relays_.empty() && relays_.front().expires <= steady_now) {
    relays_.pop_front();
  }
  for (auto it = relays_.begin(); it != relays_.end(); ++it) {
    if (it->sequence != sequence) continue;
    if (it->target != subject || it->target_generation != subject_generation) {
      return std::nullopt;
    }
    Relay relay = std::move(*it);
    relays_.erase(it);

    return relay;
  }
  return std::nullopt;
}

}  // namespace sessionmesh::membership
