#include "replication/durability.h"

#include <iterator>

namespace sessionmesh::replication {

void DurabilityWaits::Add(DurabilityWait wait) {
  const CallHandle handle = wait.reply.handle;
  by_dot_.insert({{wait.delta->slot, wait.delta->last()}, handle});
  bytes_ += wait.bytes;
  waits_[handle] = std::move(wait);
}

std::vector<CallHandle> DurabilityWaits::Held(const NodeName& peer,
                                              const SlotDot& dot) {
  std::vector<CallHandle> handles;
  const auto [first, last] = by_dot_.equal_range({dot.slot, dot.dot});
  for (auto it = first; it != last; ++it) {
    DurabilityWait& wait = waits_.at(it->second);
    if (!wait.held_by.insert(peer).second) continue;
    handles.push_back(it->second);
  }
  return handles;
}

void DurabilityWaits::Forget(const NodeName& peer) {
  for (auto& [handle, wait] : waits_) wait.held_by.erase(peer);
}

DurabilityWait* DurabilityWaits::Find(CallHandle handle) {
  const auto it = waits_.find(handle);
  return it == waits_.end() ? nullptr : &it->second;
}

void DurabilityWaits::Remove(CallHandle handle) {
  const auto it = waits_.find(handle);
  if (it == waits_.end()) return;
  const auto [first, last] =
      by_dot_.equal_range({it->second.delta->slot, it->second.delta->last()});
  for (auto dot = first; dot != last; ++dot) {
    if (dot->second != handle) continue;
    by_dot_.erase(dot);
    break;
  }
  bytes_ -= it->second.bytes;
  waits_.erase(it);
}

std::vector<CallHandle> DurabilityWaits::All() const {
  std::vector<CallHandle> handles;
  handles.reserve(waits_.size());
  for (const auto& [handle, wait] : waits_) handles.push_back(handle);
  return handles;
}

}  // namespace sessionmesh::replication
