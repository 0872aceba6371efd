#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

size_t Owners(const Process& process) {
  size_t owners = 0;
  for (const membership::Member& member : process.view()->members()) {
    if (member.claim.state <= membership::State::kSuspect) ++owners;
  }
  return owners;
}

size_t Needed(replication::Durability durability, size_t owners) {
  switch (durability) {
    case replication::Durability::kLocal:
      return 1;
    case replication::Durability::kOne:
      return 2;
    case replication::Durability::kQuorum:
      return owners / 2 + 1;
    case replication::Durability::kAll:
      return owners;
  }
  return 1;
}

// A write that succeeded was made, and at least as many processes have applied
// it as the reply says, those that crashed since included. Fewer than the
// durability asks for only if the reply says degraded.
class HonestAcknowledgements : public Checker {
 public:
  HonestAcknowledgements() : Checker("honest_acknowledgements") {}

  void OnReply(const Scene& scene, const Process& process,
               const Operation& operation) override {
    if (!operation.IsWrite() || operation.outcome != Operation::Outcome::kOk)
      return;
    Checked();
    size_t holders = 0;
    if (operation.command.kind == Command::Kind::kDelete) {
      for (const Dot& birth : BirthsOfId(scene.ledger(), operation.slot,
                                         operation.command.session_id)) {
        for (const Minted* kill : scene.ledger().Kills(operation.slot, birth)) {
          holders =
              std::max(holders, Count(scene, process, operation.slot, *kill));
        }
      }
    } else if (const Minted* made = DeltaOf(scene, operation)) {
      holders = Count(scene, process, operation.slot, *made);
    }
    const replication::Reply& reply = operation.reply;
    if (holders == 0) {
      Fail(absl::StrCat(Describe(operation),
                        " was acknowledged but never made"));
    } else if (holders < reply.replicas) {
      Fail(absl::StrCat(Describe(operation), " says ", reply.replicas,
                        " replicas, ", holders, " hold it"));
    } else if (!reply.degraded &&
               reply.replicas <
                   Needed(operation.command.durability, Owners(process))) {
      Fail(absl::StrCat(Describe(operation),
                        " is not durable and does not say so: ", reply.replicas,
                        " of ", Owners(process), " owners"));
    }
  }

 private:
  static size_t Count(const Scene& scene, const Process& process, SlotId slot,
                      const Minted& minted) {
    const Dot last = minted.delta->last();
    if (!process.slot(slot).context().Contains(last)) return 0;
    const Holders holders = CountHolders(scene, slot, last);
    return holders.running + holders.ended;
  }
};

}  // namespace

std::unique_ptr<Checker> MakeHonestAcknowledgements() {
  return std::make_unique<HonestAcknowledgements>();
}

}  // namespace sessionmesh::sim
