#include "tests/sim/checks.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace sessionmesh::sim {

Checkers MakeCheckers() {
  Checkers checkers;
  checkers.push_back(MakeReadYourWrites());
  checkers.push_back(MakeMonotonicReads());
  checkers.push_back(MakeMonotonicWrites());
  checkers.push_back(MakeWritesFollowReads());
  checkers.push_back(MakeTruthfulAnswers());
  checkers.push_back(MakeHonestAcknowledgements());
  checkers.push_back(MakeNoLostWrites());
  checkers.push_back(MakeNoZombies());
  checkers.push_back(MakeCertainNotFound());
  checkers.push_back(MakeCertainDataLoss());
  checkers.push_back(MakeTimelyExpiry());
  checkers.push_back(MakeOncePerRequest());
  checkers.push_back(MakeQuorumReads());
  checkers.push_back(MakeCalmAudit());
  checkers.push_back(MakeSlotStates());
  checkers.push_back(MakeCausalClosure());
  checkers.push_back(MakeLastCopies());
  checkers.push_back(MakeEqualStates());
  checkers.push_back(MakeUniqueDots());
  checkers.push_back(MakeBounds());
  checkers.push_back(MakeMemberClaims());
  checkers.push_back(MakeMemberEvents());
  return checkers;
}

std::string Describe(const Operation& operation) {
  return absl::StrCat(KindName(operation.command.kind), " ", operation.id,
                      " of client ", operation.client, " on ", operation.node,
                      " (slot ", operation.slot, ", session ",
                      replication::SessionHash(operation.command.session_id),
                      ")");
}

bool IsDeadAt(const Process& process, SlotId slot, const Dot& birth) {
  const replication::Slot& state = process.slot(slot);
  return state.context().Contains(birth) && state.Find(birth) == nullptr;
}

bool IsOver(const Process& process, SlotId slot, const Dot& birth,
            const std::string& id) {
  if (IsDeadAt(process, slot, birth)) return true;
  const auto* held = process.slot(slot).Find(birth);
  if (held == nullptr) return false;
  if (!held->life->HoldsId(id)) return true;
  const absl::Time wall = process.Now().wall;
  return held->life->deadline() <= wall ||
         absl::FromUnixMillis(held->last_access_ms + held->life->idle_ms) <
             wall;
}

Holders CountHolders(const Scene& scene, SlotId slot, const Dot& last) {
  Holders holders;
  for (const Process* process : scene.processes()) {
    if (process->slot(slot).context().Contains(last)) ++holders.running;
  }
  for (const Grave& grave : scene.graves()) {
    if (grave.contexts[slot].Contains(last)) ++holders.ended;
  }
  return holders;
}

const Minted* DeltaOf(const Scene& scene, const Operation& operation) {
  const Minted* last = nullptr;
  for (const Minted* minted :
       scene.ledger().WithValue(operation.slot, operation.value)) {
    if (minted->by == operation.process) last = minted;
  }
  return last;
}

bool RevokesNow(const Scene& scene, const Process& process, SlotId slot) {
  for (size_t i = scene.ledger().size(slot); i > 0; --i) {
    const Minted& minted = scene.ledger().At(slot, i - 1);
    if (minted.at != scene.now()) break;
    if (minted.by == process.number() &&
        minted.delta->kind == Delta::Kind::kKill &&
        minted.delta->reason == replication::EndReason::kRevoked) {
      return true;
    }
  }
  return false;
}

std::vector<Dot> BirthsOf(const Ledger& ledger, SlotId slot,
                          const std::vector<Dot>& dots) {
  std::set<Dot> births;
  for (const Dot& dot : dots) {
    const Minted* minted = ledger.Find(slot, dot);
    if (minted == nullptr || minted->delta->kind == Delta::Kind::kKill)
      continue;
    births.insert(minted->delta->births.begin(), minted->delta->births.end());
  }
  return {births.begin(), births.end()};
}

std::vector<Dot> BirthsOfId(const Ledger& ledger, SlotId slot,
                            const std::string& id) {
  std::set<Dot> births;
  for (const Minted* minted : ledger.WithValue(slot, id)) {
    births.insert(minted->delta->births.begin(), minted->delta->births.end());
  }
  return {births.begin(), births.end()};
}

namespace {

// Past its deadline, whether the node ever knew it or not: who starts later is
// told nothing of a life that is over and whose actor is forgotten.
bool IsPastDeadline(const Scene& scene, const Process& process, SlotId slot,
                    const Dot& birth) {
  const Minted* created = scene.ledger().Find(slot, birth);
  return created != nullptr && created->delta->kind == Delta::Kind::kCreate &&
         created->delta->deadline <= process.Now().wall;
}

}  // namespace

std::string Missing(const Scene& scene, const Process& process,
                    const Operation& operation, const Bits& known,
                    const Bits& past) {
  const Command& command = operation.command;
  const std::string& id = command.kind == Command::Kind::kRotate
                              ? command.new_session_id
                              : command.session_id;
  for (const size_t index : known.Minus(past)) {
    const Minted& minted = scene.ledger().At(operation.slot, index);
    const std::vector<Dot>& births = minted.delta->births;
    const bool gone =
        std::all_of(births.begin(), births.end(), [&](const Dot& birth) {
          return IsOver(process, operation.slot, birth, id) ||
                 IsPastDeadline(scene, process, operation.slot, birth) ||
                 !scene.ledger().Kills(operation.slot, birth).empty();
        });
    if (!gone) return replication::DotName(minted.delta->last());
  }
  return "";
}

}  // namespace sessionmesh::sim
