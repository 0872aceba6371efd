#include "replication/outbound.h"

#include <algorithm>
#include <memory>

#include "glog/logging.h"
#include "replication/live_hash.h"

namespace sessionmesh::replication {
namespace {

// More deltas than this reported as parked by one peer are not tracked: their
// writers wait for other peers or for their deadline.
constexpr size_t kParkedTrackedMax = 4096;

}  // namespace

Outbound::Outbound(const Config& config, uint64_t epoch_seed)
    : config_(config), epoch_(Mix64(epoch_seed) | 1) {}

bool Outbound::Push(const DeltaPtr& delta, absl::Time now) {
  if (dirty_.count(delta->slot) > 0) return false;
  if (!queue_.empty() && CoalesceInto(delta)) return false;
  const size_t bytes = delta->ByteSize();
  if (queue_bytes_ + in_flight_bytes_ + bytes > config_.queue_bytes_max) {
    dirty_.insert(delta->slot);
    return true;
  }
  const uint64_t index = queue_front_ + queue_.size();
  queue_.push_back({delta, now});
  queue_bytes_ += bytes;
  for (const Dot& birth : delta->births) newest_[{delta->slot, birth}] = index;
  return false;
}

bool Outbound::CoalesceInto(const DeltaPtr& delta) {
  if (delta->births.empty()) return false;
  const auto it = newest_.find({delta->slot, delta->births.front()});
  if (it == newest_.end() || it->second < queue_front_) return false;
  Queued& queued = queue_[it->second - queue_front_];
  if (!MayCoalesce(*queued.delta, *delta)) return false;
  auto group = std::make_shared<Delta>(Coalesce(*queued.delta, *delta));
  const size_t bytes = group->ByteSize();
  const size_t before = queued.delta->ByteSize();
  if (bytes > config_.frame_bytes_max ||
      queue_bytes_ - before + bytes + in_flight_bytes_ >
          config_.queue_bytes_max) {
    return false;
  }
  queue_bytes_ = queue_bytes_ - before + bytes;
  queued.delta = std::move(group);
  return true;
}

bool Outbound::NextFrame(absl::Time now, Frame* frame) {
  if (suspended_) return false;
  if (resend_from_ < in_flight_.size()) {
    SentFrame& again = in_flight_[resend_from_++];
    again.sent = now;
    *frame = {epoch_, again.seq, again.deltas};
    return true;
  }
  if (queue_.empty() || in_flight_.size() >= config_.frames_in_flight_max) {
    return false;
  }
  SentFrame next;
  next.seq = next_seq_++;
  next.sent = now;
  next.queued_since = queue_.front().since;
  while (!queue_.empty() && next.deltas.size() < config_.frame_deltas_max) {
    const size_t bytes = queue_.front().delta->ByteSize();
    if (!next.deltas.empty() && next.bytes + bytes > config_.frame_bytes_max) {
      break;
    }
    for (const Dot& birth : queue_.front().delta->births) {
      const auto it = newest_.find({queue_.front().delta->slot, birth});
      if (it != newest_.end() && it->second == queue_front_) newest_.erase(it);
    }
    next.deltas.push_back(std::move(queue_.front().delta));
    next.bytes += bytes;
    queue_bytes_ -= bytes;
    queue_.pop_front();
    ++queue_front_;
  }
  in_flight_bytes_ += next.bytes;
  deltas_in_flight_ += next.deltas.size();
  sent_ += next.deltas.size();
  *frame = {epoch_, next.seq, next.deltas};
  in_flight_.push_back(std::move(next));
  resend_from_ = in_flight_.size();
  return true;
}

void Outbound::ReportHeld(const Delta& delta, std::vector<SlotDot>* held) {
  held->push_back({delta.slot, delta.last()});
  for (const Dot& dot : delta.inner_heads) held->push_back({delta.slot, dot});
}

void Outbound::Acknowledge(const FrameAck& ack, std::vector<SlotDot>* held) {
  if (ack.epoch == epoch_ && ack.seq >= next_seq_) {
    // It has frames that were never sent: this machine was set back to a
    // snapshot. Nothing that it says of this epoch is about our frames.
    StartOver();
    epoch_ = Mix64(epoch_ ^ ack.seq) | 1;
    return;
  }
  if (ack.epoch == epoch_) {
    std::set<std::pair<SlotId, Dot>> parked;
    for (const SlotDot& p : ack.parked) parked.insert({p.slot, p.dot});
    while (!in_flight_.empty() && in_flight_.front().seq <= ack.seq) {
      SentFrame& frame = in_flight_.front();
      for (const DeltaPtr& delta : frame.deltas) {
        const std::pair<SlotId, Dot> key{delta->slot, delta->last()};
        if (parked.count(key) == 0) {
          ReportHeld(*delta, held);
          ++acknowledged_;
        } else if (parked_.size() < kParkedTrackedMax) {
          parked_[key] = delta;
        }
      }
      in_flight_bytes_ -= frame.bytes;
      deltas_in_flight_ -= frame.deltas.size();
      in_flight_.pop_front();
      if (resend_from_ > 0) --resend_from_;
    }
  }
  for (const SlotDot& settled : ack.settled) {
    const auto it = parked_.find({settled.slot, settled.dot});
    if (it == parked_.end()) continue;
    ReportHeld(*it->second, held);
    ++acknowledged_;
    parked_.erase(it);
  }
}

void Outbound::Resume(const FrameAck& ack, std::vector<SlotDot>* held) {
  Acknowledge(ack, held);
  suspended_ = false;
  const bool peer_knows_epoch = ack.epoch == epoch_;
  ForgetSettled(ack, held);
  if (!in_flight_.empty() && !peer_knows_epoch && in_flight_.front().seq != 1) {
    StartOver();
    return;
  }
  resend_from_ = 0;
}

void Outbound::StartOver() {
  for (const SentFrame& frame : in_flight_) {
    for (const DeltaPtr& delta : frame.deltas) dirty_.insert(delta->slot);
  }
  for (const Queued& queued : queue_) dirty_.insert(queued.delta->slot);
  const std::set<SlotId> dirty = std::move(dirty_);
  Drop();
  dirty_ = dirty;
}

void Outbound::ForgetSettled(const FrameAck& ack, std::vector<SlotDot>* held) {
  if (ack.epoch != epoch_) return;
  // An acknowledgement names all that still waits: what it does not name has
  // settled, though the message that said so was lost with a link.
  std::set<std::pair<SlotId, Dot>> waiting;
  for (const SlotDot& p : ack.parked) waiting.insert({p.slot, p.dot});
  for (auto it = parked_.begin(); it != parked_.end();) {
    if (waiting.count(it->first) > 0) {
      ++it;
      continue;
    }
    ReportHeld(*it->second, held);
    ++acknowledged_;
    it = parked_.erase(it);
  }
}

void Outbound::Drop() {
  queue_front_ += queue_.size();
  queue_.clear();
  newest_.clear();
  queue_bytes_ = 0;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  deltas_in_flight_ = 0;
  resend_from_ = 0;
  parked_.clear();
  dirty_.clear();
  epoch_ = Mix64(epoch_) | 1;
  next_seq_ = 1;
}

std::vector<SlotId> Outbound::TakeDirty() {
  // Waiting for an empty queue would wait for ever under a steady load.
  if (dirty_.empty() || suspended_ ||
      queue_bytes_ + in_flight_bytes_ > config_.queue_bytes_max / 2) {
    return {};
  }
  std::vector<SlotId> slots(dirty_.begin(), dirty_.end());
  dirty_.clear();
  return slots;
}

absl::Time Outbound::oldest_sent() const {
  return in_flight_.empty() ? absl::InfiniteFuture() : in_flight_.front().sent;
}

absl::Time Outbound::oldest_queued() const {
  if (!in_flight_.empty()) return in_flight_.front().queued_since;
  return queue_.empty() ? absl::InfiniteFuture() : queue_.front().since;
}

}  // namespace sessionmesh::replication
