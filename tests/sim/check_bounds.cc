#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/parked.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// Whatever peers and clients can make grow stays within its configured bound.
class Bounds : public Checker {
 public:
  Bounds() : Checker("bounds") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t lane,
                  const std::vector<SlotId>& changed) override {
    CheckMemory(scene, process, lane, changed);
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
    CheckParked(config, process, lane);
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
  // No call makes a node hold more than its limit. What others made is taken
  // whatever it needs, or states would differ: when a cut lets each side fill
  // up, the nodes together may hold as often the limit as there are nodes.
  void CheckMemory(const Scene& scene, const Process& process, uint32_t lane,
                   const std::vector<SlotId>& changed) {
    const replication::Config& config = scene.config();
    uint64_t bytes = 0;
    for (uint32_t slot = lane; slot < config.slot_count;
         slot += config.lane_count) {
      bytes += process.slot(static_cast<SlotId>(slot)).payload_bytes();
    }
    uint64_t& before = memory_[{process.number(), lane}];
    const bool grew = bytes > std::exchange(before, bytes);
    if (!grew || bytes <= config.lane_bytes_max) return;
    const uint64_t all =
        config.lane_bytes_max * process.view()->members().size();
    if (bytes > all || MadeItself(scene, process, changed)) {
      Fail(absl::StrCat(process.name(), " grew to ", bytes,
                        " bytes of sessions"));
    }
  }

  // Everything that is new in this step was made in it by the process itself.
  static bool MadeItself(const Scene& scene, const Process& process,
                         const std::vector<SlotId>& changed) {
    for (const SlotId slot : changed) {
      for (const replication::DotRange& range :
           process.slot(slot).context().Minus(scene.Before(process, slot))) {
        const Minted* minted =
            scene.ledger().Find(slot, {range.actor, range.last});
        if (minted == nullptr || minted->by != process.number() ||
            minted->at != scene.now()) {
          return false;
        }
      }
    }
    return true;
  }

  void CheckParked(const replication::Config& config, const Process& process,
                   uint32_t lane) {
    for (uint32_t id = lane; id < config.slot_count; id += config.lane_count) {
      const replication::Slot& slot = process.slot(static_cast<SlotId>(id));
      if (slot.parked_count() == 0) continue;
      uint64_t bytes = 0;
      for (const DeltaPtr& delta : slot.TakeSnapshot(slot.context()).parked) {
        bytes += delta->ByteSize() + sizeof(replication::ParkedDeltas::Entry);
      }
      if (bytes <= config.parked_bytes_max) continue;
      Fail(absl::StrCat(process.name(), " parks ", bytes, " bytes in slot ",
                        id));
    }
  }

  static constexpr uint64_t kEach = 32;
  uint64_t seen_ = 0;
  std::map<std::pair<ProcessNumber, uint32_t>, uint64_t> memory_;
};

}  // namespace

std::unique_ptr<Checker> MakeBounds() { return std::make_unique<Bounds>(); }

}  // namespace sessionmesh::sim
