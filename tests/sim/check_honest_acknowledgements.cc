#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/sim/checks.h"

namespace sessionmesh::sim {
namespace {

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

  void OnEnd(const Scene&, const Process& process) override {
    if (process.leaving()) {
      crashed_leaving_[process.name()] = process.options().generation;
    }
  }

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
          holders = std::max(holders, Count(scene, operation.slot, *kill));
        }
      }
    } else {
      // An earlier try may have made it in another process.
      for (const Minted* made :
           scene.ledger().WithValue(operation.slot, operation.value)) {
        holders = std::max(holders, Count(scene, operation.slot, *made));
      }
    }
    const replication::Reply& reply = operation.reply;
    if (holders == 0) {
      Fail(absl::StrCat(Describe(operation),
                        " was acknowledged but never made"));
    } else if (holders < reply.replicas) {
      Fail(absl::StrCat(Describe(operation), " says ", reply.replicas,
                        " replicas, ", holders, " hold it"));
    } else if (!reply.degraded &&
               reply.replicas < Needed(operation.command.durability,
                                       Owners(scene, process))) {
      Fail(absl::StrCat(Describe(operation),
                        " is not durable and does not say so: ", reply.replicas,
                        " of ", Owners(scene, process), " owners"));
    }
  }

 private:
  // At least so many own the slot in the eyes of the process. Who hands over
  // owns nothing, for those who know it, and may crash before it is done.
  size_t Owners(const Scene& scene, const Process& process) const {
    std::map<NodeName, Generation> leaving = crashed_leaving_;
    for (const Process* other : scene.processes()) {
      if (other->leaving()) {
        leaving[other->name()] = other->options().generation;
      }
    }
    size_t owners = 0;
    for (const membership::Member& member : process.view()->members()) {
      if (member.claim.state > membership::State::kSuspect) continue;
      const auto found = leaving.find(member.name);
      const bool leaves =
          found != leaving.end() && found->second == member.claim.generation;
      owners += leaves ? 0 : 1;
    }
    return std::min<size_t>(owners, scene.config().replicas);
  }

  static size_t Count(const Scene& scene, SlotId slot, const Minted& minted) {
    const Holders holders = CountHolders(scene, slot, minted.delta->last());
    return holders.running + holders.ended;
  }

  std::map<NodeName, Generation> crashed_leaving_;
};

}  // namespace

std::unique_ptr<Checker> MakeHonestAcknowledgements() {
  return std::make_unique<HonestAcknowledgements>();
}

}  // namespace sessionmesh::sim
