#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

using replication::Frame;
using replication::Hello;
using replication::PullReply;

// A dot is minted once, ever (invariant I1): whatever travels under a dot is
// what was minted under it, and an actor belongs to one process.
class UniqueDots : public Checker {
 public:
  UniqueDots() : Checker("unique_dots") {}

  void OnLaneMessage(const Scene& scene, const Process& process,
                     const NodeName& from,
                     const replication::Message& message) override {
    if (const auto* frame = std::get_if<Frame>(&message)) {
      for (const DeltaPtr& delta : frame->deltas)
        Check(scene, process, from, *delta);
    } else if (const auto* reply = std::get_if<PullReply>(&message)) {
      for (const DeltaPtr& delta : reply->deltas)
        Check(scene, process, from, *delta);
      for (const DeltaPtr& delta : reply->state.parked)
        Check(scene, process, from, *delta);
      for (const auto& life : reply->state.lives)
        CheckLife(scene, reply->slot, from, life);
    } else if (const auto* hello = std::get_if<Hello>(&message)) {
      for (const replication::ActorHome& home : hello->actors) CheckHome(home);
    }
  }

  void OnLaneStep(const Scene& scene, const Process& process, uint32_t,
                  const std::vector<SlotId>& changed) override {
    // Whatever was minted in this step has an actor of this process alone.
    for (const SlotId slot : changed) {
      for (size_t i = scene.ledger().size(slot); i > 0; --i) {
        const Minted& minted = scene.ledger().At(slot, i - 1);
        if (minted.by != process.number() || minted.at != scene.now()) break;
        Checked();
        const auto [owner, fresh] =
            minters_.emplace(minted.delta->actor, minted.by);
        if (owner->second == minted.by) continue;
        Fail(absl::StrCat("actor of ",
                          replication::DotName(minted.delta->last()),
                          " mints in two processes"));
      }
    }
  }

 private:
  void Check(const Scene& scene, const Process& process, const NodeName& from,
             const Delta& delta) {
    Checked();
    const std::string difference = scene.ledger().Compare(delta);
    if (difference.empty()) return;
    Fail(absl::StrCat("a delta from ", from, " to ", process.name(), ": ",
                      difference));
  }

  void CheckLife(const Scene& scene, SlotId slot, const NodeName& from,
                 const replication::SnapshotLife& life) {
    if (life.full == nullptr) return;
    for (const replication::EntryView& entry : life.full->attributes.Unpack()) {
      const Minted* minted = scene.ledger().Find(slot, entry.dot);
      const std::string name = replication::DotName(entry.dot);
      if (minted == nullptr) {
        Fail(absl::StrCat("a state from ", from, " has ", name,
                          " that was never minted"));
        continue;
      }
      const Delta& delta = *minted->delta;
      const size_t op = entry.dot.counter - delta.first;
      if (op >= delta.ops.size() || delta.ops[op].value != entry.value) {
        Fail(absl::StrCat("a state from ", from, " has another value under ",
                          name));
      }
    }
  }

  void CheckHome(const replication::ActorHome& home) {
    const auto [known, fresh] =
        homes_.emplace(home.actor, std::pair(home.node, home.process));
    if (known->second == std::pair(home.node, home.process)) return;
    Fail(absl::StrCat("an actor is said to be of ", known->second.first,
                      " and of ", home.node, ", or of two processes of it"));
  }

  std::map<replication::ActorId, ProcessNumber> minters_;
  std::map<replication::ActorId, std::pair<NodeName, replication::ProcessId>>
      homes_;
};

}  // namespace

std::unique_ptr<Checker> MakeUniqueDots() {
  return std::make_unique<UniqueDots>();
}

}  // namespace sessionmesh::sim
