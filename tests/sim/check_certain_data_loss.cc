#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// DATA_LOSS is said only when something that the token names is missing here,
// its writer's process is gone, has been declared so, or has handed the slot
// over, and no member that this node believes to live, and could reach all the
// time, held it when the call began.
class CertainDataLoss : public Checker {
 public:
  CertainDataLoss() : Checker("certain_data_loss") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome != Operation::Outcome::kFailed ||
        operation.reply.failure.reason != replication::Reason::kWriteLost) {
      return;
    }
    Checked();
    bool lost = false;
    std::string why = "nothing is missing";
    for (const Dot& dot : operation.presented) {
      if (process.slot(operation.slot).context().Contains(dot)) continue;
      const std::string contrary = Contrary(scene, process, operation, dot);
      if (contrary.empty()) {
        lost = true;
      } else {
        why = contrary;
      }
    }
    if (!lost)
      Fail(absl::StrCat(Describe(operation), " says DATA_LOSS, but ", why));
  }

 private:
  // Why the dot is not lost; empty when it is, as far as this node can know.
  static std::string Contrary(const Scene& scene, const Process& process,
                              const Operation& operation, const Dot& dot) {
    const Minted* minted = scene.ledger().Find(operation.slot, dot);
    if (minted == nullptr) return "nobody ever made it";
    // Whatever this actor touched is past its deadline; some nodes have begun
    // to forget it and take it for seen.
    if (replication::ActorEpoch(dot.actor) <
        scene.now() - scene.config().absolute_lifetime_max -
            scene.config().actor_rotation()) {
      return "";
    }
    for (const Process* other : scene.processes()) {
      const membership::Member* member = process.view()->Find(other->name());
      const bool believed_alive =
          member != nullptr &&
          member->claim.state <= membership::State::kSuspect &&
          member->claim.generation == other->options().generation;
      if (!believed_alive) continue;
      // It may have handed the slot over, and those who took it are dead.
      if (other->number() == minted->by &&
          other->slot(operation.slot).context().Contains(dot))
        return absl::StrCat("its writer ", other->name(), " lives");
      const auto held = operation.holders.find(dot);
      if (held == operation.holders.end()) continue;
      for (const ProcessNumber number : held->second) {
        if (number != other->number()) continue;
        const bool reachable =
            scene.network().LongestCut(process.host(), other->host(),
                                       operation.invoked) ==
                absl::ZeroDuration() &&
            !scene.WasDisturbed(other->host(), operation.invoked);
        if (reachable) return absl::StrCat(other->name(), " holds it");
      }
    }
    return "";
  }
};

}  // namespace

std::unique_ptr<Checker> MakeCertainDataLoss() {
  return std::make_unique<CertainDataLoss>();
}

}  // namespace sessionmesh::sim
