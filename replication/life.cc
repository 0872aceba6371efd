#include "replication/life.h"

#include <algorithm>
#include <iterator>

#include "replication/live_hash.h"

namespace sessionmesh::replication {

IdHash HashId(absl::string_view id) { return StableHash(id); }

std::vector<std::string> Life::Ids() const {
  std::vector<std::string> ids;
  for (const EntryView& entry : attributes.Find(kIdAttribute)) {
    ids.emplace_back(entry.value);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

bool Life::HoldsId(absl::string_view id) const {
  for (const EntryView& entry : attributes.Find(kIdAttribute)) {
    if (entry.value == id) return true;
  }
  return false;
}

bool Life::HeldIdOnce(IdHash hash) const {
  return std::any_of(ended.begin(), ended.end(),
                     [hash](const EndedId& id) { return id.hash == hash; });
}

std::vector<Dot> Life::LiveDots() const {
  std::vector<Dot> dots;
  dots.reserve(16);
  dots.push_back(birth);
  dots.insert(dots.end(), heads.begin(), heads.end());
  attributes.AppendDots(&dots);
  SortUnique(&dots);
  return dots;
}

size_t Life::memory_bytes() const {
  const size_t heads_on_heap =
      heads.capacity() > 1 ? heads.capacity() * sizeof(Dot) : 0;
  return sizeof(Life) + heads_on_heap + attributes.memory_bytes() +
         ended.capacity() * sizeof(EndedId);
}

std::vector<EndedId> JoinEnded(const std::vector<EndedId>& a,
                               const std::vector<EndedId>& b) {
  std::vector<EndedId> joined;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                 std::back_inserter(joined));
  if (joined.size() > kEndedIdsMax) {
    joined.erase(joined.begin(),
                 joined.end() - static_cast<ptrdiff_t>(kEndedIdsMax));
  }
  return joined;
}

}  // namespace sessionmesh::replication
