#include "replication/transfers.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

namespace sessionmesh::replication {

PullReply Transfers::Answer(const NodeName& to, const Pull& pull,
                            const Slot& slot, absl::Time now) {
  PullReply reply;
  reply.pull = pull.pull;
  reply.slot = pull.slot;
  if (slot.context() == pull.context) {
    // Live dots may still differ: lives go at their deadline by each node's own
    // clock. Nothing that could be sent would change the puller: it has seen
    // every dot.
    reply.kind = PullReply::Kind::kEqual;
    if (slot.LastAccessHash() != pull.last_access_hash) {
      reply.last_accesses = slot.LastAccesses();
    }
    return reply;
  }
  if (std::optional<std::vector<DeltaPtr>> deltas =
          slot.LogSince(pull.context)) {
    size_t bytes = 0;
    for (const DeltaPtr& delta : *deltas) bytes += delta->ByteSize();
    if (bytes <= config_.state_part_bytes_max) {
      reply.kind = PullReply::Kind::kDeltas;
      reply.deltas = *std::move(deltas);
      if (slot.LastAccessHash() != pull.last_access_hash) {
        reply.last_accesses = slot.LastAccesses();
      }
      return reply;
    }
  }
  // A transfer of this slot that the same puller has given up.
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    it = it->first.first == to && it->second.slot == pull.slot
             ? transfers_.erase(it)
             : std::next(it);
  }
  if (transfers_.size() >= config_.transfers_in_flight_max) {
    reply.kind = PullReply::Kind::kBusy;
    return reply;
  }
  Transfer transfer;
  transfer.slot = pull.slot;
  transfer.snapshot = slot.TakeSnapshot(pull.context);
  transfer.progress = now;
  reply.state.context = transfer.snapshot.context;
  reply.state.live_hash = transfer.snapshot.live_hash;
  reply.state.parked = std::move(transfer.snapshot.parked);
  FillPart(&transfer, &reply);
  if (!reply.last) transfers_[{to, pull.pull}] = std::move(transfer);
  return reply;
}

PullReply Transfers::AnswerMore(const NodeName& to, const PullMore& more,
                                absl::Time now) {
  PullReply reply;
  reply.pull = more.pull;
  const auto it = transfers_.find({to, more.pull});
  if (it == transfers_.end() || it->second.next_part != more.part) {
    reply.kind = PullReply::Kind::kGone;
    // The puller knows the slot; any of this lane will do when it is forgotten
    // here, but the wire accepts no other.
    reply.slot = it != transfers_.end() ? it->second.slot
                                        : static_cast<SlotId>(config_.lane);
    return reply;
  }
  it->second.progress = now;
  FillPart(&it->second, &reply);
  if (reply.last) transfers_.erase(it);
  return reply;
}

void Transfers::FillPart(Transfer* transfer, PullReply* reply) const {
  reply->slot = transfer->slot;
  reply->kind = PullReply::Kind::kState;
  reply->part = transfer->next_part++;
  std::vector<SnapshotLife>& lives = transfer->snapshot.lives;
  size_t bytes = 0;
  while (transfer->next_life < lives.size() &&
         bytes < config_.state_part_bytes_max) {
    SnapshotLife& life = lives[transfer->next_life++];
    bytes += 32 + 12 * life.live_dots.size();
    if (life.full != nullptr) bytes += life.full->memory_bytes();
    reply->state.lives.push_back(std::move(life));
  }
  reply->last = transfer->next_life == lives.size();
}

void Transfers::Expire(absl::Time now) {
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    it = now - it->second.progress >= config_.transfer_idle_max
             ? transfers_.erase(it)
             : std::next(it);
  }
}

void Transfers::Forget(const NodeName& to) {
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    it = it->first.first == to ? transfers_.erase(it) : std::next(it);
  }
}

absl::Time Transfers::next_timeout() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [key, transfer] : transfers_) {
    next = std::min(next, transfer.progress + config_.transfer_idle_max);
  }
  return next;
}

}  // namespace sessionmesh::replication
