#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

using replication::DotName;

// What a slot holds is a function of the set of deltas in its context, whatever
// the order, the duplicates and the transfers: compared with the ledger's own
// computation (invariants I2 to I7, A1, B2). Lives past their deadline may be
// gone.
class SlotStates : public Checker {
 public:
  SlotStates() : Checker("slot_states") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t,
                  const std::vector<SlotId>& changed) override {
    for (const SlotId slot : changed) {
      if (++seen_ % kEach == 0) Check(scene, process, slot);
    }
  }
  void OnEnd(const Scene& scene, const Process& process) override {
    CheckAll(scene, process);
  }
  void AtEnd(const Scene& scene) override {
    for (const Process* process : scene.processes()) CheckAll(scene, *process);
    if (scene.ledger().unseen() > 0)
      Fail("the ledger missed a delta: the log is too short");
  }

 private:
  static constexpr uint64_t kEach =
      16;  // all of them would be nine tenths of the run time

  void CheckAll(const Scene& scene, const Process& process) {
    for (uint32_t slot = 0; slot < scene.config().slot_count; ++slot) {
      Check(scene, process, static_cast<SlotId>(slot));
    }
  }

  void Check(const Scene& scene, const Process& process, SlotId slot) {
    const replication::Slot& state = process.slot(slot);
    const ExpectedLives expected =
        scene.ledger().Lives(slot, [&state](const Minted& minted) {
          return state.context().Contains(minted.delta->last());
        });
    if (!expected.empty()) Checked();
    // Who was told by a node whose clock is ahead has never seen it.
    const absl::Time wall =
        process.Now().wall + scene.config().clock_offset_max;
    std::string difference;
    for (const auto& [birth, life] : expected) {
      const auto* held = state.Find(birth);
      if (held != nullptr) {
        difference = Difference(life, *held->life);
      } else if (life.deadline > wall) {
        difference = "is missing";
      }
      if (!difference.empty()) {
        difference = absl::StrCat(DotName(birth), " ", difference);
        break;
      }
    }
    for (const auto& [birth, held] : state.lives()) {
      if (!expected.contains(birth))
        difference = absl::StrCat(DotName(birth), " should be dead");
    }
    if (difference.empty()) return;
    Fail(absl::StrCat("slot ", slot, " of ", process.name(), ": life ",
                      difference));
  }

  static std::string Difference(const ExpectedLife& expected,
                                const replication::Life& life) {
    std::map<Dot, ExpectedLife::Entry> left = expected.entries;
    for (const replication::EntryView& entry : life.attributes.Unpack()) {
      const auto found = left.find(entry.dot);
      const std::string name = DotName(entry.dot);
      if (found == left.end())
        return absl::StrCat("has ", name, " that was superseded");
      if (found->second.name != entry.name ||
          found->second.value != entry.value) {
        return absl::StrCat("has ", name, " with \"", entry.value,
                            "\" instead of \"", found->second.value, "\"");
      }
      if (found->second.hlc != entry.hlc)
        return absl::StrCat("has ", name, " with another clock");
      left.erase(found);
    }
    if (!left.empty())
      return absl::StrCat("lacks ", DotName(left.begin()->first));
    if (std::set<Dot>(life.heads.begin(), life.heads.end()) != expected.heads) {
      return "has other heads";
    }
    return "";
  }

  uint64_t seen_ = 0;
};

}  // namespace

std::unique_ptr<Checker> MakeSlotStates() {
  return std::make_unique<SlotStates>();
}

}  // namespace sessionmesh::sim
