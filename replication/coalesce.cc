#include <algorithm>
#include <utility>

#include "glog/logging.h"
#include "replication/delta.h"

namespace sessionmesh::replication {
namespace {

// Moves everything of `from` into the ascending set `*into`.
void Unite(const std::vector<Dot>& from, std::vector<Dot>* into) {
  into->insert(into->end(), from.begin(), from.end());
  std::sort(into->begin(), into->end());
  into->erase(std::unique(into->begin(), into->end()), into->end());
}

// Voids the PUTs of `group` that `op` replaces. What they superseded moves on
// to `op` too: whoever applies the group has to lose those entries, whichever
// of the two ops it skips because it had that one already.
void VoidReplaced(Delta* group, Op* op) {
  const std::vector<Dot> seen = op->superseded;
  for (size_t i = 0; i < group->ops.size(); ++i) {
    Op& earlier = group->ops[i];
    if (earlier.kind != Op::Kind::kPut || earlier.name != op->name) continue;
    if (std::find(seen.begin(), seen.end(), group->dot(i)) == seen.end()) {
      continue;
    }
    earlier.kind = Op::Kind::kVoid;
    earlier.value.clear();
    Unite(earlier.superseded, &op->superseded);
  }
}

}  // namespace

bool MayCoalesce(const Delta& group, const Delta& next) {
  return (group.kind == Delta::Kind::kCreate ||
          group.kind == Delta::Kind::kUpdate) &&
         next.kind == Delta::Kind::kUpdate && group.slot == next.slot &&
         group.actor == next.actor && group.births == next.births &&
         next.deps.size() == 1 && next.deps.front() == group.last() &&
         next.first == group.last().counter + 1;
}

Delta Coalesce(const Delta& group, const Delta& next) {
  DCHECK(MayCoalesce(group, next));
  Delta result = group;
  std::vector<Op> added = next.ops;
  for (Op& op : added) VoidReplaced(&result, &op);
  Unite({group.last()}, &result.inner_heads);
  Unite(next.inner_heads, &result.inner_heads);
  result.ops.insert(result.ops.end(), std::make_move_iterator(added.begin()),
                    std::make_move_iterator(added.end()));
  result.hlc = std::max(group.hlc, next.hlc);
  return result;
}

}  // namespace sessionmesh::replication
