#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/replication/slot_spec.h"
#include "tests/replication/slot_world.h"

namespace sessionmesh::replication {

std::vector<DeltaPtr> SlotWorld::Applied(size_t at) const {
  std::vector<DeltaPtr> applied;
  for (const DeltaPtr& delta : minted_) {
    if (replicas_[at].slot->context().Contains(delta->last())) {
      applied.push_back(delta);
    }
  }
  return applied;
}

// Most deliveries and joins bring nothing new, and a check costs more than
// they.
void SlotWorld::CheckIfChanged(size_t at) {
  Replica& replica = replicas_[at];
  const LiveHash& live = replica.slot->live_hash();
  const uint64_t fingerprint =
      replica.slot->context().Hash() ^ live.low ^ live.high;
  if (fingerprint == replica.checked) return;
  replica.checked = fingerprint;
  Check(at);
}

void SlotWorld::Check(size_t at) {
  if (!failure_.empty()) return;
  Replica& replica = replicas_[at];
  const std::vector<DeltaPtr> applied = Applied(at);
  const PlainState state = StateOf(*replica.slot);
  const PlainState spec = Spec(applied);
  if (state != spec) {
    Fail(absl::StrCat("state of n", at, ":\n", Describe(state), "spec:\n",
                      Describe(spec)));
    return;
  }
  Context context;
  std::set<Dot> logged_out;
  for (const DeltaPtr& delta : applied) {
    context.AddRange({delta->actor, delta->first, delta->last().counter});
    if (delta->kind != Delta::Kind::kKill) continue;
    for (const Dot& birth : delta->births) {
      context.Add(birth);
      replica.killed.insert(birth);
    }
    for (const Dot& root : logouts_[delta->last()]) logged_out.insert(root);
  }
  if (!(context == replica.slot->context())) {
    Fail("the context is not that of the applied deltas");
  }
  for (const Dot& birth : replica.killed) {
    if (replica.slot->Find(birth) != nullptr) Fail("resurrected");
  }
  for (const auto& [birth, life] : state) {
    if (logged_out.contains(root_[birth])) Fail("lives on after a logout");
  }
  if (std::string wrong = CheckDerived(*replica.slot); !wrong.empty()) {
    Fail(wrong);
  }
  CheckIds(at, applied);
  for (size_t other = 0; other < replicas_.size(); ++other) {
    if (other != at) CheckPair(at, other);
  }
}

// An id opens exactly the lives that it was given to by a delta whose gift no
// other delta has taken back from that life; a logout reaches those that held
// it ever.
void SlotWorld::CheckIds(size_t at, const std::vector<DeltaPtr>& applied) {
  const Slot& slot = *replicas_[at].slot;
  std::map<std::string, std::set<Dot>> now;
  std::map<std::string, std::set<Dot>> ever;
  std::set<std::pair<Dot, Dot>> taken_back;  // life, the dot of the gift
  for (const DeltaPtr& delta : applied) {
    if (delta->kind == Delta::Kind::kKill) continue;
    const Op& op = delta->ops[0];
    if (op.name != kIdAttribute) continue;
    for (const Dot& birth : delta->births) {
      for (const Dot& dot : op.superseded) taken_back.insert({birth, dot});
    }
  }
  for (const DeltaPtr& delta : applied) {
    if (delta->kind == Delta::Kind::kKill) continue;
    const Op& op = delta->ops[0];
    if (op.name != kIdAttribute) continue;
    for (const Dot& birth : delta->births) {
      if (replicas_[at].killed.contains(birth)) continue;
      ever[op.value].insert(birth);
      if (!taken_back.contains({birth, delta->dot(0)})) {
        now[op.value].insert(birth);
      }
    }
  }
  for (const std::string& id : ids_) {
    std::set<Dot> found;
    for (const auto* holding : slot.Lookup(id)) {
      found.insert(holding->life->birth);
    }
    if (found != now[id]) Fail(absl::StrCat(id, " opens other lives"));
    std::set<Dot> reached;
    for (const auto* holding : slot.LookupForDelete(id)) {
      reached.insert(holding->life->birth);
    }
    if (reached != (found.empty() ? ever[id] : found)) {
      Fail(absl::StrCat("a logout with ", id, " reaches other lives"));
    }
  }
}

void SlotWorld::CheckPair(size_t a, size_t b) {
  const Slot& x = *replicas_[a].slot;
  const Slot& y = *replicas_[b].slot;
  if (!(x.context() == y.context())) return;
  ++counts["equal contexts"];
  if (!(x.live_hash() == y.live_hash()) || StateOf(x) != StateOf(y)) {
    Fail("equal contexts, different states");
  }
}

void SlotWorld::Fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

}  // namespace sessionmesh::replication
