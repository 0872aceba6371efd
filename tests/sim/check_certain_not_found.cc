#include <set>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// NOT_FOUND is certain: the node has seen everything that the tokens name, and
// by all it has seen no session of that id lives: every one was ended, is past
// its deadline or its idle time by the node's clock, was rotated away from the
// id, or has two ids and is being revoked.
class CertainNotFound : public Checker {
 public:
  CertainNotFound() : Checker("certain_not_found") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (operation.outcome != Operation::Outcome::kFailed ||
        operation.reply.failure.reason !=
            replication::Reason::kSessionNotFound) {
      return;
    }
    Checked();
    const replication::Slot& state = process.slot(operation.slot);
    const bool local =
        operation.command.kind == Command::Kind::kGet &&
        operation.command.consistency == replication::Consistency::kLocal;
    for (const Dot& dot : operation.presented) {
      if (local || state.context().Contains(dot)) continue;
      Fail(absl::StrCat(Describe(operation),
                        " says NOT_FOUND without having seen ",
                        replication::DotName(dot)));
    }
    if (RevokesNow(scene, process, operation.slot)) return;
    const std::string now = Alive(scene, process, operation, state.context());
    if (now.empty()) return;
    // A later call in the same step may have made it.
    const std::string before =
        Alive(scene, process, operation, scene.Before(process, operation.slot));
    if (!before.empty()) {
      Fail(absl::StrCat(Describe(operation),
                        " says NOT_FOUND although there lives ", before));
    }
  }

 private:
  // The birth of a life that answers to the id; empty when there is none.
  static std::string Alive(const Scene& scene, const Process& process,
                           const Operation& operation,
                           const replication::Context& context) {
    const ExpectedLives lives =
        scene.ledger().Lives(operation.slot, [&context](const Minted& minted) {
          return context.Contains(minted.delta->last());
        });
    // A DELETE also finds a session by an id that it once held, as far as this
    // node has seen.
    std::set<Dot> once;
    if (operation.command.kind == Command::Kind::kDelete) {
      for (const Minted* minted : scene.ledger().WithValue(
               operation.slot, operation.command.session_id)) {
        if (!context.Contains(minted->delta->last())) continue;
        once.insert(minted->delta->births.begin(), minted->delta->births.end());
      }
    }
    // Deadlines are kept in whole milliseconds.
    const absl::Time wall = process.Now().wall + absl::Milliseconds(1);
    for (const auto& [birth, life] : lives) {
      const std::set<std::string> ids = life.Ids();
      const bool holds =
          ids.contains(operation.command.session_id) || once.contains(birth);
      if (!holds || ids.size() > 1 || life.deadline <= wall) continue;
      const auto* held = process.slot(operation.slot).Find(birth);
      if (held != nullptr &&
          absl::FromUnixMillis(held->last_access_ms) + life.idle < wall)
        continue;
      return absl::StrCat(
          replication::DotName(birth), ", due in ",
          absl::FormatDuration(life.deadline - wall), ", idle time ",
          absl::FormatDuration(life.idle),
          held == nullptr
              ? ", not in the store"
              : absl::StrCat(
                    ", used ",
                    absl::FormatDuration(
                        wall - absl::FromUnixMillis(held->last_access_ms)),
                    " ago"));
    }
    return "";
  }
};

}  // namespace

std::unique_ptr<Checker> MakeCertainNotFound() {
  return std::make_unique<CertainNotFound>();
}

}  // namespace sessionmesh::sim
