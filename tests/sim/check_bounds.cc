#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// Whatever peers and clients can make grow stays within its configured bound.
class Bounds : public Checker {
 public:
  Bounds() : Checker("bounds") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t lane,
                  const std::vector<SlotId>&) override {
    if (++seen_ % kEach != 0) return;
    const replication::Config& config = scene.config();
    const Replicator& core = process.lane(lane);
    const replication::LaneStatus status = core.status();
    Checked();
    // So many before they see the slot, and so many writes that wait for
    // owners.
    if (status.waiting_calls > 2 * config.waiting_calls_max) {
      Fail(absl::StrCat(process.name(), " keeps ", status.waiting_calls,
                        " calls waiting"));
    }
    if (status.session_bytes > config.lane_bytes_max) {
      Fail(absl::StrCat(process.name(), " holds ", status.session_bytes,
                        " bytes of sessions"));
    }
    // One parked delta takes at least a hundred bytes.
    if (status.parked * 100 >
        config.parked_bytes_max * config.slot_count / config.lane_count) {
      Fail(absl::StrCat(process.name(), " parks ", status.parked, " deltas"));
    }
    // One delta may be over the bound: the one that made the queue full.
    const uint64_t backlog_max =
        config.queue_bytes_max +
        config.frame_bytes_max * (config.frames_in_flight_max + 1);
    for (const replication::PeerStatus& peer : core.peers(process.Now())) {
      if (peer.backlog_bytes <= backlog_max) continue;
      Fail(absl::StrCat(process.name(), " queues ", peer.backlog_bytes,
                        " bytes for ", peer.name));
    }
  }

 private:
  static constexpr uint64_t kEach = 32;
  uint64_t seen_ = 0;
};

}  // namespace

std::unique_ptr<Checker> MakeBounds() { return std::make_unique<Bounds>(); }

}  // namespace sessionmesh::sim
