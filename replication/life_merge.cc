#include "replication/life_merge.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "glog/logging.h"

namespace sessionmesh::replication {
namespace {

bool Before(const EntryView& a, const EntryView& b) {
  const int names = a.name.compare(b.name);
  return names != 0 ? names < 0 : a.dot < b.dot;
}

bool Has(const std::vector<Dot>& dots, const Dot& dot) {
  return std::find(dots.begin(), dots.end(), dot) != dots.end();
}

// Notes the id that leaves the life, if `entry` is one.
void NoteEnded(const EntryView& entry, std::vector<EndedId>* ended) {
  if (entry.name != kIdAttribute) return;
  ended->push_back({entry.dot, HashId(entry.value)});
}

void AddEnded(std::vector<EndedId> fresh, Life* life) {
  if (fresh.empty()) return;
  std::sort(fresh.begin(), fresh.end());
  life->ended = JoinEnded(life->ended, fresh);
}

// Takes the entries that `op` superseded out of `entries`.
void Supersede(const Op& op, std::vector<EntryView>* entries,
               std::vector<EndedId>* ended) {
  if (op.superseded.empty()) return;
  const EntryView first{op.name, Dot{}, 0, {}};
  const auto begin =
      std::lower_bound(entries->begin(), entries->end(), first, Before);
  auto kept = begin;
  auto at = begin;
  for (; at != entries->end() && at->name == op.name; ++at) {
    if (Has(op.superseded, at->dot)) {
      NoteEnded(*at, ended);
    } else {
      *kept++ = *at;
    }
  }
  entries->erase(kept, at);
}

void Insert(const EntryView& entry, std::vector<EntryView>* entries) {
  // The ops of a CREATE come in order: straight to the end.
  if (entries->empty() || Before(entries->back(), entry)) {
    entries->push_back(entry);
    return;
  }
  entries->insert(
      std::lower_bound(entries->begin(), entries->end(), entry, Before), entry);
}

// The given entries and ops, as `covered` allows.
void ApplyOps(const Delta& delta, const Context& covered,
              std::vector<EntryView> entries, Life* life) {
  std::vector<EndedId> ended;
  for (size_t i = 0; i < delta.ops.size(); ++i) {
    const Op& op = delta.ops[i];
    const Dot dot = delta.dot(i);
    if (covered.Contains(dot)) continue;
    Supersede(op, &entries, &ended);
    if (op.kind == Op::Kind::kPut) {
      Insert({op.name, dot, op.hlc, op.value}, &entries);
    }
  }
  life->attributes = AttributeTable::Pack(entries);
  AddEnded(std::move(ended), life);
}

Heads JoinHeads(const Heads& mine, const Context& my_context,
                const Heads& theirs, const Context& their_context) {
  Heads joined;
  for (const Dot& head : mine) {
    if (std::binary_search(theirs.begin(), theirs.end(), head) ||
        !their_context.Contains(head)) {
      joined.push_back(head);
    }
  }
  for (const Dot& head : theirs) {
    if (!my_context.Contains(head)) joined.push_back(head);
  }
  // Contexts that are causally closed always leave one. What came from a
  // damaged or lying replica must not leave a life without: it could not be
  // read or changed again.
  if (joined.empty()) joined = mine.empty() ? theirs : mine;
  std::sort(joined.begin(), joined.end());
  return joined;
}

}  // namespace

Life CreatedLife(const Delta& create, const Context& covered) {
  DCHECK(create.kind == Delta::Kind::kCreate);
  Life life;
  life.birth = create.dot(0);
  life.heads = {create.last()};
  life.deadline_ms = absl::ToUnixMillis(create.deadline);
  life.idle_ms = absl::ToInt64Milliseconds(create.idle);
  ApplyOps(create, covered, {}, &life);
  return life;
}

Life UpdatedLife(const Life& life, const Delta& delta, const Context& covered) {
  Life updated;
  updated.birth = life.birth;
  updated.deadline_ms = life.deadline_ms;
  updated.idle_ms = life.idle_ms;
  updated.ended = life.ended;
  for (const Dot& head : life.heads) {
    if (!Has(delta.deps, head) && !Has(delta.inner_heads, head)) {
      updated.heads.push_back(head);
    }
  }
  const Dot last = delta.last();
  updated.heads.insert(
      std::lower_bound(updated.heads.begin(), updated.heads.end(), last), last);
  ApplyOps(delta, covered, life.attributes.Unpack(), &updated);
  return updated;
}

Life JoinedLife(const Life& mine, const Context& my_context, const Life& theirs,
                const Context& their_context) {
  const std::vector<EntryView> a = mine.attributes.Unpack();
  const std::vector<EntryView> b = theirs.attributes.Unpack();
  std::vector<EntryView> joined;
  std::vector<EndedId> ended;
  for (auto x = a.begin(), y = b.begin(); x != a.end() || y != b.end();) {
    if (y == b.end() || (x != a.end() && Before(*x, *y))) {
      if (their_context.Contains(x->dot)) {
        NoteEnded(*x, &ended);
      } else {
        joined.push_back(*x);
      }
      ++x;
    } else if (x == a.end() || Before(*y, *x)) {
      if (!my_context.Contains(y->dot)) joined.push_back(*y);
      ++y;
    } else {
      joined.push_back(*x);
      ++x;
      ++y;
    }
  }

  Life life;
  life.birth = mine.birth;
  life.deadline_ms = mine.deadline_ms;
  life.idle_ms = mine.idle_ms;
  life.heads = JoinHeads(mine.heads, my_context, theirs.heads, their_context);
  life.attributes = AttributeTable::Pack(joined);
  life.ended = JoinEnded(mine.ended, theirs.ended);
  AddEnded(std::move(ended), &life);
  return life;
}

}  // namespace sessionmesh::replication
