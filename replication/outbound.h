#ifndef REPLICATION_OUTBOUND_H_
#define REPLICATION_OUTBOUND_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "replication/config.h"
#include "replication/message.h"

namespace sessionmesh::replication {

// Outbound is the sending half of the delta stream to one peer: a bounded
// queue, numbered frames that are kept until they are acknowledged, and the
// slots that did not fit.
//
//   Push -> [ queue ] -- NextFrame --> [ in flight ] -- Acknowledge --> held
//              | over its bound             ^ Resume sends these again
//              v
//         dirty slots -- TakeDirty --> Resync: the peer pulls them
//
// While a peer keeps up every delta is sent alone and shared with all other
// peers; when it lags, deltas of one session are coalesced in the queue.
// Nothing here is needed for correctness: what is dropped is pulled.
//
// Not thread-safe.
class Outbound {
 public:
  // `epoch_seed` makes epochs of different processes differ.
  Outbound(const Config& config, uint64_t epoch_seed);

  // Queues a delta; a delta of a dirty slot, or one beyond the bound, is not
  // kept and its slot is dirty. Returns whether the slot turned dirty by this
  // call.
  bool Push(const DeltaPtr& delta, absl::Time now);

  // The next frame to send now, within the window. False when there is none.
  bool NextFrame(absl::Time now, Frame* frame);

  // A peer's acknowledgement. Appends to `held` what the peer now holds: every
  // last dot and inner head. One of frames that were never sent holds nothing;
  // all slots in the queue turn dirty.
  void Acknowledge(const FrameAck& ack, std::vector<SlotDot>* held);

  // The link is new: what was in flight may be lost. No frame leaves until
  // Resume.
  void Suspend() { suspended_ = true; }
  bool suspended() const { return suspended_; }
  // The peer has everything up to `ack.seq`; the rest in flight is sent again,
  // first. When the peer does not know this epoch and frames of it are already
  // gone, everything is dropped and all their slots turn dirty.
  void Resume(const FrameAck& ack, std::vector<SlotDot>* held);

  // The peer has forgotten everything or is no owner any more: drop all, begin
  // a new epoch.
  void Drop();

  // Dirty slots whose deltas may flow again from now on; the peer must pull
  // them. Empty while the queue is more than half full.
  std::vector<SlotId> TakeDirty();

  bool idle() const { return queue_.empty() && in_flight_.empty(); }
  // Nothing queued, in flight, dirty, or waiting parked at the peer.
  bool settled() const { return idle() && dirty_.empty() && parked_.empty(); }
  // When the oldest frame in flight was sent; InfiniteFuture when there is
  // none.
  absl::Time oldest_sent() const;

  uint64_t sent() const { return sent_; }
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t backlog() const { return queue_.size() + deltas_in_flight_; }
  uint64_t backlog_bytes() const { return queue_bytes_ + in_flight_bytes_; }
  uint32_t dirty_count() const { return static_cast<uint32_t>(dirty_.size()); }
  // When the oldest delta that is not acknowledged was queued; InfiniteFuture
  // when there is none.
  absl::Time oldest_queued() const;

 private:
  struct Queued {
    DeltaPtr delta;
    absl::Time since;
  };
  struct SentFrame {
    uint64_t seq = 0;
    std::vector<DeltaPtr> deltas;
    size_t bytes = 0;
    absl::Time queued_since;
    absl::Time sent;
  };
  using LifeKey = std::pair<SlotId, Dot>;

  bool CoalesceInto(const DeltaPtr& delta);
  // Drops all, in a new epoch, and has the peer pull what that was.
  void StartOver();
  void ForgetSettled(const FrameAck& ack, std::vector<SlotDot>* held);
  void ReportHeld(const Delta& delta, std::vector<SlotDot>* held);

  const Config& config_;
  uint64_t epoch_;
  uint64_t next_seq_ = 1;
  bool suspended_ = true;
  std::deque<Queued> queue_;
  uint64_t queue_front_ = 0;  // index of queue_.front() in the endless queue
  std::map<LifeKey, uint64_t>
      newest_;  // life -> index of the newest queued delta that names it
  size_t queue_bytes_ = 0;
  std::deque<SentFrame> in_flight_;
  size_t resend_from_ =
      0;  // frames in flight from this index on are to be sent again
  size_t in_flight_bytes_ = 0;
  size_t deltas_in_flight_ = 0;
  std::map<std::pair<SlotId, Dot>, DeltaPtr>
      parked_;  // reported as parked by the peer
  std::set<SlotId> dirty_;
  uint64_t sent_ = 0;
  uint64_t acknowledged_ = 0;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_OUTBOUND_H_
