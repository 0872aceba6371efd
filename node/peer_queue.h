#ifndef NODE_PEER_QUEUE_H_
#define NODE_PEER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "replication/message.h"

namespace sessionmesh::node {

// About how many bytes a message takes on the wire, a little more rather than
// less. Deltas are shared between peers, so memory is below the sum.
size_t ApproximateBytes(const replication::Message& message);

// What waits to be written to one peer, oldest first, bounded in bytes.
//
// While a batch is being written the next one collects here by itself: an idle
// link sends at once, a busy one sends large batches, and there is no timer.
// Not thread-safe.
class PeerQueue {
 public:
  struct Item {
    uint32_t lane = 0;
    replication::Message message;
    size_t bytes = 0;
  };

  explicit PeerQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  // False when the bound is passed; the message is not taken, and since what
  // follows would be out of order the link has to be broken.
  bool Push(uint32_t lane, replication::Message message);

  // The oldest messages, at most `count_max` of them and `bytes_max` bytes, but
  // at least one if there is any.
  std::vector<Item> TakeBatch(size_t count_max, size_t bytes_max);

  void Clear();
  bool empty() const { return items_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  const size_t bytes_max_;
  std::deque<Item> items_;
  size_t bytes_ = 0;
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_QUEUE_H_
