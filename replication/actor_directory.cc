#include "replication/actor_directory.h"

#include <algorithm>

namespace sessionmesh::replication {

void ActorDirectory::Learn(const ActorHome& home) {
  homes_.try_emplace(home.actor, home);
  if (homes_.size() > entries_max_) homes_.erase(homes_.begin());
}

const ActorHome* ActorDirectory::Find(ActorId actor) const {
  const auto it = homes_.find(actor);
  return it == homes_.end() ? nullptr : &it->second;
}

std::vector<ActorHome> ActorDirectory::List(ProcessId first) const {
  std::vector<ActorHome> result;
  for (const auto& [actor, home] : homes_) result.push_back(home);
  std::stable_partition(
      result.begin(), result.end(),
      [first](const ActorHome& home) { return home.process == first; });
  return result;
}

}  // namespace sessionmesh::replication
