#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "replication/life_merge.h"
#include "replication/slot.h"

namespace sessionmesh::replication {
namespace {

bool SameState(const Life& a, const Life& b) {
  return a.heads == b.heads && a.attributes == b.attributes &&
         a.ended == b.ended;
}

}  // namespace

Snapshot Slot::TakeSnapshot(const Context& peer) const {
  Snapshot snapshot;
  snapshot.context = context_;
  snapshot.live_hash = live_hash_;
  snapshot.lives.reserve(lives_.size());
  for (const auto& [birth, holding] : lives_) {
    SnapshotLife life{birth, holding.last_access_ms, holding.life->LiveDots(),
                      nullptr};
    const bool known =
        std::all_of(life.live_dots.begin(), life.live_dots.end(),
                    [&peer](const Dot& dot) { return peer.Contains(dot); });
    if (!known) life.full = holding.life;
    snapshot.lives.push_back(std::move(life));
  }
  std::sort(snapshot.lives.begin(), snapshot.lives.end(),
            [](const SnapshotLife& a, const SnapshotLife& b) {
              return a.birth < b.birth;
            });
  for (const auto& [last, entry] : parked_.entries()) {
    if (!peer.Contains(last)) snapshot.parked.push_back(entry.delta);
  }
  return snapshot;
}

void Slot::Join(const Snapshot& snapshot, const membership::NodeName& from,
                absl::Time now, SlotChanges* changes,
                size_t parked_bytes_most) {
  if (!context_.Dominates(snapshot.context)) changes->any = true;
  EndUnlisted(snapshot, now, changes);
  for (const SnapshotLife& life : snapshot.lives) {
    JoinLife(life, snapshot.context, now, changes);
  }
  // Last: all of the above is judged by what was covered here before.
  context_.Join(snapshot.context);

  std::vector<DeltaPtr> ready;
  Wake(parked_.TakeAll(), &ready, changes);
  for (const DeltaPtr& delta : ready) ApplyAndWake(delta, changes);
  for (const DeltaPtr& delta : snapshot.parked) {
    Accept(delta, from, changes, parked_bytes_most);
  }
  Finish(changes);
}

// Ends the lives that the source has seen and no longer holds.
void Slot::EndUnlisted(const Snapshot& snapshot, absl::Time now,
                       SlotChanges* changes) {
  absl::flat_hash_set<Dot> listed;
  listed.reserve(snapshot.lives.size());
  for (const SnapshotLife& life : snapshot.lives) listed.insert(life.birth);
  std::vector<Dot> unlisted;
  for (const auto& [birth, holding] : lives_) {
    if (snapshot.context.Contains(birth) && !listed.contains(birth)) {
      unlisted.push_back(birth);
    }
  }
  std::sort(unlisted.begin(), unlisted.end());
  for (const Dot& birth : unlisted) {
    const bool past = Find(birth)->life->deadline() < now;
    EndLife(birth, past ? EndReason::kDeadline : EndReason::kDeleted, changes);
  }
}

// A life that did not come whole needs no merge: this replica covers all its
// live dots, its heads among them, and contexts are causally closed, so
// everything that the source did to it was done here.
void Slot::JoinLife(const SnapshotLife& theirs, const Context& their_context,
                    absl::Time now, SlotChanges* changes) {
  auto found = lives_.find(theirs.birth);
  if (found == lives_.end()) {
    const bool dead = context_.Contains(theirs.birth);
    if (dead || theirs.full == nullptr || theirs.full->deadline() < now) return;
    Life unseen;
    unseen.birth = theirs.birth;
    unseen.deadline_ms = theirs.full->deadline_ms;
    unseen.idle_ms = theirs.full->idle_ms;
    InsertLife(JoinedLife(unseen, context_, *theirs.full, their_context),
               changes);
    found = lives_.find(theirs.birth);
  } else if (theirs.full != nullptr) {
    const Life& mine = *found->second.life;
    Life joined = JoinedLife(mine, context_, *theirs.full, their_context);
    if (!SameState(mine, joined)) {
      ReplaceLife(&found->second, std::move(joined), true, changes);
    }
  }
  Holding* holding = &found->second;
  if (absl::FromUnixMillis(theirs.last_access_ms) > now + clock_offset_max_) {
    return;
  }
  RaiseAccess(holding, theirs.last_access_ms);
  holding->last_sent_ms =
      std::max(holding->last_sent_ms, theirs.last_access_ms);
}

}  // namespace sessionmesh::replication
