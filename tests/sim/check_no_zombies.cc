#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// A session whose end the answering node had applied, or that the presented
// token names, is never shown again, written to or touched. After the cluster
// has settled, no session is alive whose deletion was acknowledged, unless the
// deletion died with everybody who had it.
class NoZombies : public Checker {
 public:
  NoZombies() : Checker("no_zombies") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome != Operation::Outcome::kOk) return;
    const Command::Kind kind = operation.command.kind;
    if (kind == Command::Kind::kDelete || kind == Command::Kind::kCreate)
      return;
    const std::vector<Dot> births =
        BirthsOf(scene.ledger(), operation.slot, operation.heads);
    if (births.empty()) return;
    Checked();
    const bool dead =
        std::all_of(births.begin(), births.end(), [&](const Dot& birth) {
          return IsKnownDead(scene, process, operation, birth);
        });
    if (dead)
      Fail(
          absl::StrCat(Describe(operation), " found a session that had ended"));
    if (operation.audit) {
      for (const Dot& birth : births) {
        // Of two lives of a foreign id one may be over.
        if (IsDeadAt(process, operation.slot, birth)) continue;
        CheckDeletions(scene, operation, birth);
      }
    }
  }

 private:
  static bool IsKnownDead(const Scene& scene, const Process& process,
                          const Operation& operation, const Dot& birth) {
    const bool local =
        operation.command.kind == Command::Kind::kGet &&
        operation.command.consistency == replication::Consistency::kLocal;
    const std::vector<Dot>& presented = operation.presented;
    // A write happened when it was made, not when enough owners held it.
    const Minted* made =
        operation.IsWrite() ? DeltaOf(scene, operation) : nullptr;
    const bool retry = operation.first != operation.id;
    if (made != nullptr && (retry || made->at < scene.now())) return false;
    for (const Minted* kill : scene.ledger().Kills(operation.slot, birth)) {
      if (made != nullptr && kill->index > made->index) continue;
      const Dot dot = kill->delta->last();
      if (scene.Before(process, operation.slot).Contains(dot)) return true;
      if (local) continue;  // did not ask for what the token knows
      if (std::find(presented.begin(), presented.end(), dot) != presented.end())
        return true;
    }
    return false;
  }

  void CheckDeletions(const Scene& scene, const Operation& read,
                      const Dot& birth) {
    for (const Operation& deletion : scene.history()) {
      if (deletion.command.kind != Command::Kind::kDelete ||
          deletion.slot != read.slot)
        continue;
      if (deletion.outcome != Operation::Outcome::kOk) continue;
      for (const Minted* kill : scene.ledger().Kills(read.slot, birth)) {
        if (kill->by != deletion.process || kill->at > deletion.answered)
          continue;
        const std::vector<Dot> ids =
            BirthsOfId(scene.ledger(), read.slot, deletion.command.session_id);
        if (std::find(ids.begin(), ids.end(), birth) == ids.end()) continue;
        const Holders holders =
            CountHolders(scene, read.slot, kill->delta->last());
        if (holders.running > 0 || holders.ended < deletion.reply.replicas) {
          Fail(absl::StrCat(Describe(read), " sees a session that ",
                            Describe(deletion), " had ended"));
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeNoZombies() {
  return std::make_unique<NoZombies>();
}

}  // namespace sessionmesh::sim
