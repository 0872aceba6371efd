#include "tests/replication/slot_spec.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

using Entry = std::pair<std::string, Dot>;

// Everything that some delta ended, by life.
struct Ends {
  std::set<Dot> killed;
  std::map<Dot, std::set<Dot>> heads;
  std::map<Dot, std::set<Entry>> entries;
};

Ends EndsOf(const std::vector<DeltaPtr>& deltas) {
  Ends ends;
  for (const DeltaPtr& delta : deltas) {
    if (delta->kind == Delta::Kind::kKill) {
      ends.killed.insert(delta->births.begin(), delta->births.end());
      continue;
    }
    for (const Dot& birth : delta->births) {
      ends.heads[birth].insert(delta->deps.begin(), delta->deps.end());
      for (const Op& op : delta->ops) {
        for (const Dot& dot : op.superseded) {
          ends.entries[birth].insert({op.name, dot});
        }
      }
    }
  }
  return ends;
}

void AddTo(PlainLife* life, const Delta& delta, const std::set<Dot>& no_heads,
           const std::set<Entry>& no_entries) {
  if (!no_heads.contains(delta.last())) life->heads.insert(delta.last());
  for (size_t i = 0; i < delta.ops.size(); ++i) {
    const Op& op = delta.ops[i];
    if (op.kind != Op::Kind::kPut) continue;
    const Dot dot = delta.dot(i);
    if (!no_entries.contains({op.name, dot})) {
      life->entries[{op.name, dot}] = op.value;
    } else if (op.name == kIdAttribute) {
      life->ended.insert({dot, HashId(op.value)});
    }
  }
}

}  // namespace

PlainState StateOf(const Slot& slot) {
  PlainState state;
  for (const auto& [birth, holding] : slot.lives()) {
    const Life& life = *holding.life;
    PlainLife& plain = state[birth];
    plain.heads.insert(life.heads.begin(), life.heads.end());
    for (const EntryView& entry : life.attributes.Unpack()) {
      plain.entries[{std::string(entry.name), entry.dot}] =
          std::string(entry.value);
    }
    plain.ended.insert(life.ended.begin(), life.ended.end());
  }
  return state;
}

PlainState Spec(const std::vector<DeltaPtr>& deltas) {
  Ends ends = EndsOf(deltas);
  PlainState state;
  for (const DeltaPtr& delta : deltas) {
    if (delta->kind == Delta::Kind::kCreate &&
        !ends.killed.contains(delta->dot(0))) {
      state[delta->dot(0)];
    }
  }
  for (const DeltaPtr& delta : deltas) {
    if (delta->kind == Delta::Kind::kKill) continue;
    for (const Dot& birth : delta->births) {
      const auto life = state.find(birth);
      if (life == state.end()) continue;
      AddTo(&life->second, *delta, ends.heads[birth], ends.entries[birth]);
    }
  }
  for (auto& [birth, life] : state) {
    while (life.ended.size() > kEndedIdsMax) {
      life.ended.erase(life.ended.begin());
    }
  }
  return state;
}

std::string Describe(const PlainState& state) {
  std::string text;
  for (const auto& [birth, life] : state) {
    absl::StrAppend(&text, "  life ", DotName(birth), " heads");
    for (const Dot& head : life.heads) {
      absl::StrAppend(&text, " ", DotName(head));
    }
    for (const auto& [entry, value] : life.entries) {
      absl::StrAppend(&text, " ", absl::CEscape(entry.first), "@",
                      DotName(entry.second), "=", value);
    }
    absl::StrAppend(&text, " ended");
    for (const EndedId& id : life.ended) {
      absl::StrAppend(&text, " ", DotName(id.dot));
    }
    absl::StrAppend(&text, "\n");
  }
  return text.empty() ? "  nothing\n" : text;
}

std::string CheckDerived(const Slot& slot) {
  LiveHash hash;
  size_t payload_bytes = 0;
  for (const auto& [birth, holding] : slot.lives()) {
    const Life& life = *holding.life;
    payload_bytes += life.attributes.payload_bytes();
    for (const Dot& dot : life.LiveDots()) {
      hash.Add(dot);
      if (!slot.context().Contains(dot)) {
        return absl::StrCat(DotName(dot), " is live and not covered");
      }
    }
    for (const std::string& id : life.Ids()) {
      const auto found = slot.Lookup(id);
      if (std::find(found.begin(), found.end(), &holding) == found.end()) {
        return absl::StrCat(id, " does not find its life");
      }
    }
  }
  for (const DeltaPtr& delta : slot.TakeSnapshot({}).parked) {
    if (slot.context().Contains(delta->last())) {
      return absl::StrCat(DotName(delta->last()), " is parked and covered");
    }
    if (std::all_of(
            delta->deps.begin(), delta->deps.end(),
            [&slot](const Dot& dep) { return slot.context().Contains(dep); })) {
      return absl::StrCat(DotName(delta->last()), " waits for nothing");
    }
  }
  if (hash != slot.live_hash()) return "the live hash is wrong";
  if (payload_bytes != slot.payload_bytes()) return "payload bytes are wrong";
  return "";
}

}  // namespace sessionmesh::replication
