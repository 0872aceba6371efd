#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// Slots with equal contexts have equal live hashes, on whichever nodes and
// whenever, as long as no deadline lies in between: what has passed its
// deadline is dropped without a dot.
class EqualStates : public Checker {
 public:
  EqualStates() : Checker("equal_states") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t,
                  const std::vector<SlotId>& changed) override {
    for (const SlotId slot : changed) Check(scene, process, slot);
  }

 private:
  struct Seen {
    replication::LiveHash hash;
    absl::Time good_until;
    NodeName node;
  };

  void Check(const Scene& scene, const Process& process, SlotId slot) {
    const replication::Slot& state = process.slot(slot);
    const auto key = std::pair(slot, state.context().Hash());
    const auto found = seen_.find(key);
    if (found == seen_.end()) {
      seen_[key] = {state.live_hash(), FirstDeadline(scene, state),
                    process.name()};
      return;
    }
    if (scene.now() >= found->second.good_until) return;
    if (scene.now() >= FirstDeadline(scene, state)) return;
    Checked();
    if (found->second.hash == state.live_hash()) return;
    Fail(absl::StrCat("slot ", slot, " has seen the same on ", process.name(),
                      " and ", found->second.node,
                      " and holds something else"));
  }

  static absl::Time FirstDeadline(const Scene& scene,
                                  const replication::Slot& state) {
    absl::Time first = absl::InfiniteFuture();
    for (const auto& [birth, held] : state.lives())
      first = std::min(first, held.life->deadline());
    return first - scene.config().clock_offset_max;
  }

  std::map<std::pair<SlotId, uint64_t>, Seen> seen_;
};

}  // namespace

std::unique_ptr<Checker> MakeEqualStates() {
  return std::make_unique<EqualStates>();
}

}  // namespace sessionmesh::sim
