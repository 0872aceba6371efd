#include "tests/sim/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "replication/types.h"

namespace sessionmesh::sim {
namespace {

using replication::DotRange;
using replication::Op;

}  // namespace

std::set<std::string> ExpectedLife::Ids() const {
  std::set<std::string> ids;
  for (const auto& [dot, entry] : entries) {
    if (entry.name == replication::kIdAttribute) ids.emplace(entry.value);
  }
  return ids;
}

size_t Ledger::Observe(ProcessNumber process, SlotId slot,
                       const replication::Slot& state, absl::Time now) {
  SlotLedger& ledger = slots_[slot];
  const std::vector<DotRange> fresh = state.context().Minus(ledger.all);
  if (fresh.empty()) return 0;
  const auto deltas = state.LogSince(ledger.all);
  if (!deltas.has_value()) {
    for (const DotRange& range : fresh) ledger.all.AddRange(range);
    ++unseen_;
    return 0;
  }
  for (const DeltaPtr& delta : *deltas) Add(&ledger, delta, process, now);
  return deltas->size();
}

void Ledger::Add(SlotLedger* slot, const DeltaPtr& delta, ProcessNumber by,
                 absl::Time now) {
  auto minted = std::make_unique<Minted>();
  minted->delta = delta;
  minted->by = by;
  minted->at = now;
  minted->index = slot->minted.size();
  minted->past.Set(minted->index);
  for (const Dot& dep : delta->deps) {
    const auto found = slot->by_dot.find(dep);
    if (found != slot->by_dot.end()) minted->past.Add(found->second->past);
  }
  const Minted* entry = minted.get();
  for (size_t i = 0; i < delta->dot_count(); ++i)
    slot->by_dot[delta->dot(i)] = entry;
  for (const Op& op : delta->ops) {
    if (op.kind == Op::Kind::kPut) slot->by_value[op.value].push_back(entry);
  }
  if (delta->kind == Delta::Kind::kKill) {
    for (const Dot& birth : delta->births) slot->kills[birth].push_back(entry);
  }
  slot->all.AddRange({delta->actor, delta->first, delta->last().counter});
  slot->minted.push_back(std::move(minted));
}

const Minted* Ledger::Find(SlotId slot, const Dot& dot) const {
  const auto found = slots_[slot].by_dot.find(dot);
  return found == slots_[slot].by_dot.end() ? nullptr : found->second;
}

size_t Ledger::size() const {
  size_t total = 0;
  for (const SlotLedger& slot : slots_) total += slot.minted.size();
  return total;
}

std::vector<const Minted*> Ledger::WithValue(SlotId slot,
                                             const std::string& value) const {
  const auto found = slots_[slot].by_value.find(value);
  if (found == slots_[slot].by_value.end()) return {};
  return found->second;
}

const std::vector<const Minted*>& Ledger::Kills(SlotId slot,
                                                const Dot& birth) const {
  static const auto& none = *new std::vector<const Minted*>();
  const auto found = slots_[slot].kills.find(birth);
  return found == slots_[slot].kills.end() ? none : found->second;
}

std::optional<Bits> Ledger::Past(SlotId slot,
                                 absl::Span<const Dot> dots) const {
  Bits past;
  for (const Dot& dot : dots) {
    const Minted* minted = Find(slot, dot);
    if (minted == nullptr) return std::nullopt;
    past.Add(minted->past);
  }
  return past;
}

ExpectedLives Ledger::Lives(
    SlotId slot, const std::function<bool(const Minted&)>& includes) const {
  ExpectedLives lives;
  std::map<Dot, std::set<Dot>> superseded;  // by birth
  std::set<Dot> dead;
  for (const auto& minted : slots_[slot].minted) {
    if (!includes(*minted)) continue;
    const Delta& delta = *minted->delta;
    if (delta.kind == Delta::Kind::kKill) {
      dead.insert(delta.births.begin(), delta.births.end());
      continue;
    }
    if (delta.kind == Delta::Kind::kCreate) {
      ExpectedLife& life = lives[delta.dot(0)];
      life.deadline = delta.deadline;
      life.idle = delta.idle;
    }
    for (const Dot& birth : delta.births) {
      const auto found = lives.find(birth);
      if (found == lives.end()) continue;
      ExpectedLife& life = found->second;
      for (size_t i = 0; i < delta.ops.size(); ++i) {
        const Op& op = delta.ops[i];
        if (op.kind == Op::Kind::kPut) {
          life.entries[delta.dot(i)] = {op.name, op.value, op.hlc};
        }
        superseded[birth].insert(op.superseded.begin(), op.superseded.end());
      }
      for (const Dot& dep : delta.deps) life.heads.erase(dep);
      life.heads.insert(delta.last());
    }
  }
  for (const Dot& birth : dead) lives.erase(birth);
  for (auto& [birth, life] : lives) {
    for (const Dot& dot : superseded[birth]) life.entries.erase(dot);
  }
  return lives;
}

ExpectedView Ledger::View(const std::vector<const ExpectedLife*>& lives) {
  struct Winner {
    std::pair<replication::Hlc, Dot> rank;
    absl::string_view value;
  };
  std::map<absl::string_view, Winner> winners;
  for (const ExpectedLife* life : lives) {
    for (const auto& [dot, entry] : life->entries) {
      Winner& winner = winners[entry.name];
      const std::pair rank(entry.hlc, dot);
      if (rank > winner.rank) winner = {rank, entry.value};
    }
  }
  ExpectedView view;
  for (const auto& [name, winner] : winners) {
    if (name == replication::kUserAttribute) {
      view.user = std::string(winner.value);
    } else if (!replication::IsReservedAttribute(name)) {
      view.attributes[std::string(name)] = std::string(winner.value);
    }
  }
  return view;
}

std::string Ledger::Compare(const Delta& delta) const {
  if (delta.slot >= slots_.size()) return absl::StrCat("of slot ", delta.slot);
  for (size_t i = 0; i < delta.dot_count(); ++i) {
    const Dot dot = delta.dot(i);
    const Minted* minted = Find(delta.slot, dot);
    const std::string name = replication::DotName(dot);
    if (minted == nullptr) return absl::StrCat(name, " was never minted");
    const Delta& original = *minted->delta;
    if (original.births != delta.births)
      return absl::StrCat(name, " names other births");
    if ((original.kind == Delta::Kind::kKill) !=
        (delta.kind == Delta::Kind::kKill)) {
      return absl::StrCat(name, " was a kill once and is none once");
    }
    if (delta.kind == Delta::Kind::kKill) continue;
    const Op& first = original.ops[dot.counter - original.first];
    const Op& now = delta.ops[i];
    if (first.name != now.name)
      return absl::StrCat(name, " changes another attribute");
    if (now.kind != Op::Kind::kVoid && first.value != now.value) {
      return absl::StrCat(name, " was minted with value \"", first.value,
                          "\" and now has \"", now.value, "\"");
    }
    if (first.hlc != now.hlc) return absl::StrCat(name, " has two clocks");
  }
  return "";
}

}  // namespace sessionmesh::sim
