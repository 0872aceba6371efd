#include "replication/context.h"

#include <algorithm>

#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {
namespace {

using Ranges = std::vector<DotRange>;

// Whether a range that begins at `next` continues, touches or overlaps one that
// ends at `last`. Written so that no counter overflows.
bool Reaches(uint64_t last, uint64_t next) {
  return next <= last || next - last == 1;
}

// The first range that ends at `counter` or later.
Ranges::const_iterator AtOrAfter(const Ranges& ranges, uint64_t counter) {
  return std::lower_bound(
      ranges.begin(), ranges.end(), counter,
      [](const DotRange& range, uint64_t c) { return range.last < c; });
}

bool Covers(const Ranges& ranges, uint64_t first, uint64_t last) {
  // Nearly every actor has one range, and nearly every question is about it.
  const DotRange& base = ranges.front();
  if (first >= base.first && last <= base.last) return true;
  const auto it = AtOrAfter(ranges, last);
  return it != ranges.end() && it->first <= first;
}

void Insert(Ranges* ranges, const DotRange& added) {
  auto it = std::lower_bound(ranges->begin(), ranges->end(), added.first,
                             [](const DotRange& range, uint64_t first) {
                               return !Reaches(range.last, first);
                             });
  if (it == ranges->end() || !Reaches(added.last, it->first)) {
    ranges->insert(it, added);
    return;
  }
  it->first = std::min(it->first, added.first);
  it->last = std::max(it->last, added.last);
  auto swallowed = it + 1;
  while (swallowed != ranges->end() && Reaches(it->last, swallowed->first)) {
    it->last = std::max(it->last, swallowed->last);
    ++swallowed;
  }
  ranges->erase(it + 1, swallowed);
}

Ranges Union(const Ranges& a, const Ranges& b) {
  Ranges sorted(a.size() + b.size());
  std::merge(
      a.begin(), a.end(), b.begin(), b.end(), sorted.begin(),
      [](const DotRange& x, const DotRange& y) { return x.first < y.first; });
  Ranges result;
  for (const DotRange& range : sorted) {
    if (!result.empty() && Reaches(result.back().last, range.first)) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

// Appends what `range` has and `removed` has not.
void AppendDifference(const DotRange& range, const Ranges& removed,
                      Ranges* result) {
  uint64_t first = range.first;
  for (auto it = AtOrAfter(removed, first); it != removed.end(); ++it) {
    if (it->first > range.last) break;
    if (it->first > first) {
      result->push_back({range.actor, first, it->first - 1});
    }
    if (it->last >= range.last) return;
    first = it->last + 1;
  }
  result->push_back({range.actor, first, range.last});
}

}  // namespace

std::vector<Context::Entry>::const_iterator Context::LowerBound(
    ActorId actor) const {
  return std::lower_bound(
      entries_.begin(), entries_.end(), actor,
      [](const Entry& entry, ActorId a) { return entry.actor < a; });
}

const Context::Entry* Context::Find(ActorId actor) const {
  const auto it = LowerBound(actor);
  return it != entries_.end() && it->actor == actor ? &*it : nullptr;
}

bool Context::Contains(const Dot& dot) const {
  if (dot.actor < floor_actor_) return true;
  const Entry* entry = Find(dot.actor);
  return entry != nullptr && Covers(entry->ranges, dot.counter, dot.counter);
}

void Context::AddRange(const DotRange& range) {
  DCHECK(range.first >= 1 && range.first <= range.last);
  if (range.actor < floor_actor_) return;
  const auto it = LowerBound(range.actor);
  if (it == entries_.end() || it->actor != range.actor) {
    entries_.insert(it, {range.actor, {range}});
    return;
  }
  Insert(&entries_[static_cast<size_t>(it - entries_.begin())].ranges, range);
}

void Context::Join(const Context& other) {
  std::vector<Entry> joined;
  joined.reserve(std::max(entries_.size(), other.entries_.size()));
  auto mine = entries_.begin();
  auto theirs = other.LowerBound(floor_actor_);
  while (mine != entries_.end() || theirs != other.entries_.end()) {
    if (theirs == other.entries_.end() ||
        (mine != entries_.end() && mine->actor < theirs->actor)) {
      joined.push_back(std::move(*mine++));
    } else if (mine == entries_.end() || theirs->actor < mine->actor) {
      joined.push_back(*theirs++);
    } else {
      joined.push_back({mine->actor, Union(mine->ranges, theirs->ranges)});
      ++mine;
      ++theirs;
    }
  }
  entries_ = std::move(joined);
}

bool Context::Dominates(const Context& other) const {
  for (auto theirs = other.LowerBound(floor_actor_);
       theirs != other.entries_.end(); ++theirs) {
    const Entry* mine = Find(theirs->actor);
    if (mine == nullptr) return false;
    for (const DotRange& range : theirs->ranges) {
      if (!Covers(mine->ranges, range.first, range.last)) return false;
    }
  }
  return true;
}

std::vector<DotRange> Context::Minus(const Context& other) const {
  std::vector<DotRange> result;
  for (auto mine = LowerBound(other.floor_actor_); mine != entries_.end();
       ++mine) {
    const Entry* theirs = other.Find(mine->actor);
    for (const DotRange& range : mine->ranges) {
      if (theirs == nullptr) {
        result.push_back(range);
      } else {
        AppendDifference(range, theirs->ranges, &result);
      }
    }
  }
  return result;
}

void Context::Prune(absl::Time floor) {
  if (floor <= floor_) return;
  floor_ = floor;
  floor_actor_ = FirstActorSince(floor);
  entries_.erase(entries_.begin(), LowerBound(floor_actor_));
}

uint64_t Context::Hash() const {
  uint64_t hash = 0;
  for (const Entry& entry : entries_) {
    hash = Mix64(hash ^ entry.actor);
    for (const DotRange& range : entry.ranges) {
      hash = Mix64(Mix64(hash ^ range.first) + range.last);
    }
  }
  return hash;
}

}  // namespace sessionmesh::replication
