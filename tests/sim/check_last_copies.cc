#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// A slot is dropped only when others have what was in it (rule C): every delta
// that the node covered is covered by another running process, or was by one
// that ended later than the delta was made.
class LastCopies : public Checker {
 public:
  LastCopies() : Checker("last_copies") {}

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t,
                  const std::vector<SlotId>& changed) override {
    for (const SlotId slot : changed) {
      if (!process.slot(slot).context().empty()) continue;
      Check(scene, process, slot);
    }
  }

 private:
  void Check(const Scene& scene, const Process& process, SlotId slot) {
    Checked();
    for (size_t i = 0; i < scene.ledger().size(slot); ++i) {
      const Minted& minted = scene.ledger().At(slot, i);
      const Dot last = minted.delta->last();
      if (!scene.Before(process, slot).Contains(last)) continue;
      // Everybody may forget what is past its deadline.
      if (minted.at + scene.config().absolute_lifetime_max < scene.now()) {
        continue;
      }
      const Holders holders = CountHolders(scene, slot, last);
      if (holders.running + holders.ended > 0) continue;
      Fail(absl::StrCat(process.name(), " dropped slot ", slot,
                        " with the last copy of ", replication::DotName(last)));
      return;
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeLastCopies() {
  return std::make_unique<LastCopies>();
}

}  // namespace sessionmesh::sim
