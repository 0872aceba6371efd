#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// A context grows and never shrinks while its process lives, but for a slot
// that is dropped whole (last_copies), and it is causally closed: with a delta
// it covers all that the delta depends on (invariant I3).
class CausalClosure : public Checker {
 public:
  CausalClosure() : Checker("causal_closure") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t,
                  const std::vector<SlotId>& changed) override {
    for (const SlotId slot : changed) {
      const replication::Context& now = process.slot(slot).context();
      const replication::Context& before = scene.Before(process, slot);
      Checked();
      if (!now.Dominates(before) && !now.empty()) {
        Fail(absl::StrCat("slot ", slot, " of ", process.name(),
                          " has forgotten dots"));
      }
      for (const replication::DotRange& range : now.Minus(before)) {
        for (uint64_t counter = range.first; counter <= range.last; ++counter) {
          CheckDeps(scene, process, slot, {range.actor, counter});
        }
      }
    }
  }

 private:
  void CheckDeps(const Scene& scene, const Process& process, SlotId slot,
                 const Dot& dot) {
    const Minted* minted = scene.ledger().Find(slot, dot);
    if (minted == nullptr || minted->delta->last() != dot) return;
    for (const Dot& dep : minted->delta->deps) {
      if (process.slot(slot).context().Contains(dep)) continue;
      // Nothing that such an actor touched can be alive; others have forgotten
      // it, this one not yet.
      const absl::Time epoch = replication::ActorEpoch(dep.actor);
      if (epoch < scene.now() - scene.config().absolute_lifetime_max -
                      scene.config().actor_rotation()) {
        continue;
      }
      Fail(absl::StrCat("slot ", slot, " of ", process.name(), " has ",
                        replication::DotName(dot), " without ",
                        replication::DotName(dep)));
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeCausalClosure() {
  return std::make_unique<CausalClosure>();
}

}  // namespace sessionmesh::sim
