#include "membership/gossip_queue.h"

#include <utility>

namespace sessionmesh::membership {
namespace {

// What an update with a name and an address of one byte takes. With less than
// this left in a datagram there is no point in looking further down the queue.
size_t LeastUpdateBytes() {
  return UpdateBytesMax(Update{"n", "a", Claim(), ""});
}

}  // namespace

void GossipQueue::Add(Update update) {
  Remove(update.name);
  NodeName name = update.name;
  const size_t bytes = UpdateBytesMax(update);
  const uint64_t serial = ++last_serial_;
  order_.insert(Key{0, serial, name});
  entries_.emplace(std::move(name), Entry{std::move(update), bytes, 0, serial});
}

void GossipQueue::Remove(const NodeName& name) {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return;
  order_.erase(Key{it->second.transmits, it->second.serial, name});
  entries_.erase(it);
}

void GossipQueue::Take(size_t budget_bytes, size_t count_max, int limit,
                       const NodeName& except, std::vector<Update>* updates) {
  // The chosen ones change their place in the order, so they are collected
  // first.
  std::vector<NodeName> taken;
  const size_t least_bytes = LeastUpdateBytes();
  for (auto it = order_.begin();
       it != order_.end() && budget_bytes >= least_bytes &&
       taken.size() < count_max;
       ++it) {
    if (it->name == except) continue;
    const Entry& entry = entries_.at(it->name);
    if (entry.bytes > budget_bytes) continue;
    budget_bytes -= entry.bytes;
    updates->push_back(entry.update);
    taken.push_back(it->name);
  }
  for (const NodeName& name : taken) {
    Entry& entry = entries_.at(name);
    order_.erase(Key{entry.transmits, entry.serial, name});
    if (++entry.transmits >= limit) {
      entries_.erase(name);
    } else {
      order_.insert(Key{entry.transmits, entry.serial, name});
    }
  }
}

}  // namespace sessionmesh::membership
