#include "membership/probe_ring.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"

namespace sessionmesh::membership {

void ProbeRing::Add(const NodeName& name, Random* random) {
  const size_t place = random->Below(names_.size() + 1);
  names_.insert(names_.begin() + static_cast<ptrdiff_t>(place), name);
  if (place < next_) ++next_;
}

void ProbeRing::Remove(const NodeName& name) {
  const auto it = std::find(names_.begin(), names_.end(), name);
  if (it == names_.end()) return;
  if (static_cast<size_t>(it - names_.begin()) < next_) --next_;
  names_.erase(it);
}

const NodeName& ProbeRing::Next(Random* random) {
  CHECK(!names_.empty());
  if (next_ >= names_.size()) {
    random->Shuffle(&names_);
    next_ = 0;
  }
  return names_[next_++];
}

std::vector<size_t> Sample(size_t count, size_t population, Random* random) {
  std::vector<size_t> indices(population);
  for (size_t i = 0; i < population; ++i) indices[i] = i;
  const size_t wanted = std::min(count, population);
  // The first steps of a Fisher-Yates shuffle.
  for (size_t i = 0; i < wanted; ++i) {
    std::swap(indices[i], indices[i + random->Below(population - i)]);
  }
  indices.resize(wanted);
  return indices;
}

}  // namespace sessionmesh::membership
