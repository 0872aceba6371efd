#ifndef MEMBERSHIP_GOSSIP_QUEUE_H_
#define MEMBERSHIP_GOSSIP_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "membership/message.h"

namespace sessionmesh::membership {

// The news that a node has yet to spread. Every datagram takes along as much of
// it as fits: least often sent first, among equals the newest first, so that
// fresh news overtakes what many know already. One piece of news leaves at most
// `limit` times.
//
// News about a member replaces older news about it, whose transmissions start
// again from none. So the queue never holds more entries than there are
// members.
class GossipQueue {
 public:
  void Add(Update update);
  // Drops the news about `name`, if any.
  void Remove(const NodeName& name);

  // Appends to `updates` what fits into `budget_bytes` (by UpdateBytesMax), at
  // most `count_max` of them, and counts a transmission of each. News about
  // `except` is passed over: the caller sends it by itself.
  void Take(size_t budget_bytes, size_t count_max, int limit,
            const NodeName& except, std::vector<Update>* updates);

  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  bool Contains(const NodeName& name) const { return entries_.contains(name); }

 private:
  struct Key {
    int transmits;
    uint64_t serial;  // grows with every Add
    NodeName name;

    bool operator<(const Key& other) const {
      if (transmits != other.transmits) return transmits < other.transmits;
      return serial > other.serial;
    }
  };
  struct Entry {
    Update update;
    size_t bytes;
    int transmits;
    uint64_t serial;
  };

  std::map<NodeName, Entry> entries_;
  std::set<Key> order_;
  uint64_t last_serial_ = 0;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_GOSSIP_QUEUE_H_
