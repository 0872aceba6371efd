#include "replication/placement.h"

#include <algorithm>
#include <map>
#include <utility>

#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {

Placement::Placement(std::vector<Node> nodes, uint32_t replicas)
    : nodes_(std::move(nodes)),
      replicas_(std::min<size_t>(replicas, nodes_.size())) {
  CHECK_GE(replicas, 1u);
  std::map<std::string, size_t> numbers;
  for (const Node& node : nodes_) {
    CHECK(hashes_.empty() || nodes_[hashes_.size() - 1].name < node.name);
    hashes_.push_back(StableHash(node.name));
    zones_.push_back(
        numbers.try_emplace(node.zone, numbers.size()).first->second);
  }
  zone_count_ = numbers.size();
}

std::vector<size_t> Placement::OwnersOf(SlotId slot) const {
  // Names whose hashes are equal weigh the same everywhere: then the order of
  // names decides.
  std::vector<std::pair<uint64_t, size_t>> weights;
  weights.reserve(nodes_.size());
  const uint64_t of_slot = Mix64(slot + 1u);
  for (size_t node = 0; node < nodes_.size(); ++node) {
    weights.push_back({~Mix64(hashes_[node] ^ of_slot), node});
  }
  // Heaviest first. With one zone, or one owner, the tail is never looked at.
  const bool by_weight = zone_count_ <= 1 || replicas_ <= 1;
  const auto sorted = by_weight
                          ? weights.begin() + static_cast<ptrdiff_t>(replicas_)
                          : weights.end();
  std::partial_sort(weights.begin(), sorted, weights.end());

  std::vector<size_t> owners;
  owners.reserve(replicas_);
  if (by_weight) {
    for (auto it = weights.begin(); it != sorted; ++it) {
      owners.push_back(it->second);
    }
    return owners;
  }
  std::vector<size_t> in_zone(zone_count_);
  std::vector<bool> taken(nodes_.size());
  for (size_t most = 1; owners.size() < replicas_; ++most) {
    for (const auto& [weight, node] : weights) {
      if (owners.size() == replicas_) break;
      if (taken[node] || in_zone[zones_[node]] == most) continue;
      taken[node] = true;
      ++in_zone[zones_[node]];
      owners.push_back(node);
    }
  }
  return owners;
}

}  // namespace sessionmesh::replication
