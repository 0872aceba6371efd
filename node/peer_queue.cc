#include "node/peer_queue.h"

#include <type_traits>
#include <utility>
#include <variant>

namespace sessionmesh::node {
namespace {

// A message without its lists, a dot, an entry of a context or of an access
// list: rounded up from what the encoding takes at most.
constexpr size_t kMessageBytes = 64;
constexpr size_t kDotBytes = 16;
constexpr size_t kRangeBytes = 20;
constexpr size_t kAccessBytes = 20;
constexpr size_t kDigestBytes = 24;

size_t ContextBytes(const replication::Context& context) {
  size_t bytes = 0;
  for (const replication::Context::Entry& entry : context.entries()) {
    bytes += kDotBytes + entry.ranges.size() * kRangeBytes;
  }
  return bytes;
}

size_t DeltasBytes(const std::vector<replication::DeltaPtr>& deltas) {
  size_t bytes = 0;
  for (const replication::DeltaPtr& delta : deltas) bytes += delta->ByteSize();
  return bytes;
}

size_t SnapshotBytes(const replication::Snapshot& snapshot) {
  size_t bytes = ContextBytes(snapshot.context) + DeltasBytes(snapshot.parked);
  for (const replication::SnapshotLife& life : snapshot.lives) {
    bytes += kAccessBytes + life.live_dots.size() * kDotBytes;
    if (life.full != nullptr) bytes += life.full->memory_bytes();
  }
  return bytes;
}

}  // namespace

size_t ApproximateBytes(const replication::Message& message) {
  return std::visit(
      [](const auto& body) -> size_t {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, replication::Frame>) {
          return kMessageBytes + DeltasBytes(body.deltas);
        } else if constexpr (std::is_same_v<Body, replication::Hello>) {
          return kMessageBytes + body.actors.size() * kMessageBytes;
        } else if constexpr (std::is_same_v<Body, replication::FrameAck>) {
          return kMessageBytes +
                 (body.parked.size() + body.settled.size()) * kDotBytes;
        } else if constexpr (std::is_same_v<Body, replication::Pull> ||
                             std::is_same_v<Body, replication::DropAsk>) {
          return kMessageBytes + ContextBytes(body.context);
        } else if constexpr (std::is_same_v<Body, replication::PullReply>) {
          return kMessageBytes + body.last_accesses.size() * kAccessBytes +
                 DeltasBytes(body.deltas) + SnapshotBytes(body.state) +
                 body.recent.size() * kMessageBytes;
        } else if constexpr (std::is_same_v<Body, replication::Digest>) {
          return kMessageBytes + body.slots.size() * kDigestBytes;
        } else if constexpr (std::is_same_v<Body, replication::Resync>) {
          return kMessageBytes + body.slots.size() * sizeof(uint32_t);
        } else if constexpr (std::is_same_v<Body, replication::Touches>) {
          return kMessageBytes + body.touches.size() * kAccessBytes;
        } else if constexpr (std::is_same_v<Body, replication::Refuse>) {
          return kMessageBytes + body.why.size();
        } else {
          return kMessageBytes;
        }
      },
      message);
}

bool PeerQueue::Push(uint32_t lane, replication::Message message) {
  const size_t bytes = ApproximateBytes(message);
  // A single message may be as large as it likes.
  if (!items_.empty() && bytes_ + bytes > bytes_max_) return false;
  bytes_ += bytes;
  items_.push_back({lane, std::move(message), bytes});
  return true;
}

std::vector<PeerQueue::Item> PeerQueue::TakeBatch(size_t count_max,
                                                  size_t bytes_max) {
  std::vector<Item> batch;
  size_t bytes = 0;
  while (!items_.empty() && batch.size() < count_max) {
    bytes += items_.front().bytes;
    if (!batch.empty() && bytes > bytes_max) break;
    bytes_ -= items_.front().bytes;
    batch.push_back(std::move(items_.front()));
    items_.pop_front();
  }
  return batch;
}

void PeerQueue::Clear() {
  items_.clear();
  bytes_ = 0;
}

}  // namespace sessionmesh::node
