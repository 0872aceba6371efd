#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

// Time in which a write reaches every owner that is not in trouble.
constexpr absl::Duration kSpread = absl::Seconds(20);

// An acknowledged write that no running process holds must have died with at
// least as many processes as its reply named; and not if somebody who was there
// and reachable all the while should have had it by then.
class NoLostWrites : public Checker {
 public:
  NoLostWrites() : Checker("no_lost_writes") {}

  void AtEnd(const Scene& scene) override {
    for (const Operation& operation : scene.history()) {
      if (!operation.IsWrite() || operation.outcome != Operation::Outcome::kOk)
        continue;
      if (operation.command.kind == Command::Kind::kDelete)
        continue;  // no_zombies
      const Minted* made = DeltaOf(scene, operation);
      if (made == nullptr) continue;
      Checked();
      const Dot last = made->delta->last();
      const Holders holders = CountHolders(scene, operation.slot, last);
      if (holders.running > 0) continue;
      if (holders.ended < operation.reply.replicas) {
        Fail(absl::StrCat(
            Describe(operation), " said ", operation.reply.replicas,
            " replicas and is lost with ", holders.ended, " of them"));
      }
      CheckSpread(scene, operation, *made);
    }
  }

 private:
  void CheckSpread(const Scene& scene, const Operation& operation,
                   const Minted& made) {
    const Grave* holder = nullptr;
    for (const Grave& grave : scene.graves()) {
      if (grave.contexts[operation.slot].Contains(made.delta->last()))
        holder = &grave;
    }
    if (holder == nullptr || made.at > holder->ended - kSpread) return;
    const absl::Time since = holder->ended - kSpread;
    const auto should_have_it = [&](ProcessNumber number, HostId host) {
      return number != holder->number && scene.Started(number) < since &&
             scene.Started(holder->number) < since && host != holder->host &&
             scene.network().LongestCut(holder->host, host, since) ==
                 absl::ZeroDuration() &&
             !scene.WasDisturbed(holder->host, since) &&
             !scene.WasDisturbed(host, since);
    };
    // Who owned the slot all the while is not known here.
    if (scene.config().replicas != replication::kReplicasAll) return;
    for (const Process* process : scene.processes()) {
      if (should_have_it(process->number(), process->host())) {
        Fail(absl::StrCat(Describe(operation), " never reached ",
                          process->name()));
      }
    }
  }
};

}  // namespace

std::unique_ptr<Checker> MakeNoLostWrites() {
  return std::make_unique<NoLostWrites>();
}

}  // namespace sessionmesh::sim
