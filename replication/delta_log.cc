#include "replication/delta_log.h"

namespace sessionmesh::replication {

void DeltaLog::Add(const DeltaPtr& delta) {
  const size_t bytes = delta->ByteSize() + sizeof(Entry);
  // It would push out everything else and then be alone.
  if (bytes > bytes_max_) return;
  entries_.push_back({delta, bytes});
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

std::optional<std::vector<DeltaPtr>> DeltaLog::Since(
    const Context& mine, const Context& peer) const {
  std::vector<DeltaPtr> lacking;
  Context covers;
  for (const Entry& entry : entries_) {
    const DeltaPtr& delta = entry.delta;
    if (peer.Contains(delta->last())) continue;
    lacking.push_back(delta);
    covers.AddRange({delta->actor, delta->first, delta->last().counter});
    if (delta->kind != Delta::Kind::kKill) continue;
    for (const Dot& birth : delta->births) covers.Add(birth);
  }
  Context difference;
  for (const DotRange& range : mine.Minus(peer)) difference.AddRange(range);
  if (!covers.Dominates(difference)) return std::nullopt;
  return lacking;
}

}  // namespace sessionmesh::replication
