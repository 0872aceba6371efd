#include "replication/parked.h"

#include <algorithm>
#include <utility>

namespace sessionmesh::replication {

ParkedDeltas::Added ParkedDeltas::Add(const DeltaPtr& delta,
                                      const membership::NodeName& from,
                                      const Dot& missing, size_t bytes_most) {
  const auto found = entries_.find(delta->last());
  const size_t freed = found == entries_.end() ? 0 : found->second.bytes;
  const bool longer =
      found != entries_.end() && delta->first < found->second.delta->first;
  if (found == entries_.end() || longer) {
    const size_t bytes = delta->ByteSize() + sizeof(Entry);
    if (bytes_ - freed + bytes > std::min(bytes_max_, bytes_most)) {
      return Added::kFull;
    }
    Entry entry{delta, {}, missing, bytes};
    if (longer) entry.from = Take(delta->last())->from;
    if (std::find(entry.from.begin(), entry.from.end(), from) ==
        entry.from.end()) {
      entry.from.push_back(from);
    }
    PutBack(std::move(entry), missing);
    return longer ? Added::kAgain : Added::kNew;
  }
  std::vector<membership::NodeName>& senders = found->second.from;
  if (std::find(senders.begin(), senders.end(), from) == senders.end()) {
    senders.push_back(from);
  }
  return Added::kAgain;
}

void ParkedDeltas::PutBack(Entry entry, const Dot& missing) {
  const Dot last = entry.delta->last();
  entry.missing = missing;
  bytes_ += entry.bytes;
  std::vector<Dot>& waiting = waiting_[missing];
  waiting.insert(std::lower_bound(waiting.begin(), waiting.end(), last), last);
  entries_.emplace(last, std::move(entry));
}

std::optional<ParkedDeltas::Entry> ParkedDeltas::Take(const Dot& last) {
  const auto found = entries_.find(last);
  if (found == entries_.end()) return std::nullopt;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  bytes_ -= entry.bytes;
  StopWaiting(entry);
  return entry;
}

std::vector<ParkedDeltas::Entry> ParkedDeltas::TakeWaitingFor(
    const DotRange& range) {
  std::vector<Dot> lasts;
  for (auto it = waiting_.lower_bound({range.actor, range.first});
       it != waiting_.end() && it->first <= Dot{range.actor, range.last};
       ++it) {
    lasts.insert(lasts.end(), it->second.begin(), it->second.end());
  }
  std::vector<Entry> taken;
  taken.reserve(lasts.size());
  for (const Dot& last : lasts) taken.push_back(*Take(last));
  return taken;
}

std::vector<ParkedDeltas::Entry> ParkedDeltas::TakeAll() {
  std::vector<Entry> taken;
  for (auto& [last, entry] : entries_) taken.push_back(std::move(entry));
  entries_.clear();
  waiting_.clear();
  bytes_ = 0;
  return taken;
}

size_t ParkedDeltas::DropIf(const std::function<bool(const Delta&)>& hopeless) {
  std::vector<Dot> lasts;
  for (const auto& [last, entry] : entries_) {
    if (hopeless(*entry.delta)) lasts.push_back(last);
  }
  for (const Dot& last : lasts) Take(last);
  return lasts.size();
}

void ParkedDeltas::StopWaiting(const Entry& entry) {
  const auto waiting = waiting_.find(entry.missing);
  std::vector<Dot>& lasts = waiting->second;
  lasts.erase(
      std::lower_bound(lasts.begin(), lasts.end(), entry.delta->last()));
  if (lasts.empty()) waiting_.erase(waiting);
}

}  // namespace sessionmesh::replication
