#include "replication/slot.h"

#include <algorithm>
#include <utility>

#include "replication/life_merge.h"

namespace sessionmesh::replication {
namespace {

void ReportSettled(const ParkedDeltas::Entry& entry, SlotChanges* changes) {
  for (const membership::NodeName& from : entry.from) {
    changes->settled.push_back({entry.delta->last(), from});
  }
}

// Whether applying `delta` may change the ids of a life.
bool TouchesIds(const Delta& delta) {
  return std::any_of(delta.ops.begin(), delta.ops.end(),
                     [](const Op& op) { return op.name == kIdAttribute; });
}

}  // namespace

Slot::Slot(const Limits& limits)
    : clock_offset_max_(limits.clock_offset_max),
      parked_(limits.parked_bytes_max),
      log_(limits.log_bytes_max) {}

Slot::Outcome Slot::Receive(const DeltaPtr& delta,
                            const membership::NodeName& from,
                            SlotChanges* changes, size_t parked_bytes_most) {
  const Outcome outcome = Accept(delta, from, changes, parked_bytes_most);
  Finish(changes);
  return outcome;
}

Slot::Outcome Slot::Accept(const DeltaPtr& delta,
                           const membership::NodeName& from,
                           SlotChanges* changes, size_t parked_bytes_most) {
  if (context_.Contains(delta->last())) return Outcome::kDuplicate;
  if (const Dot* missing = FirstMissing(*delta)) {
    switch (parked_.Add(delta, from, *missing, parked_bytes_most)) {
      case ParkedDeltas::Added::kFull:
        return Outcome::kRefused;
      case ParkedDeltas::Added::kAgain:
        return Outcome::kParked;
      case ParkedDeltas::Added::kNew:
        changes->any = true;
        return Outcome::kParked;
    }
  }
  ApplyAndWake(delta, changes);
  return Outcome::kApplied;
}

// The first dot that the delta has to wait for, or null. CREATE depends on
// nothing, and KILL waits for nothing: the security path is immediate.
const Dot* Slot::FirstMissing(const Delta& delta) const {
  if (delta.kind != Delta::Kind::kUpdate &&
      delta.kind != Delta::Kind::kRotate) {
    return nullptr;
  }
  const auto missing =
      std::find_if(delta.deps.begin(), delta.deps.end(),
                   [this](const Dot& dep) { return !context_.Contains(dep); });
  return missing == delta.deps.end() ? nullptr : &*missing;
}

void Slot::ApplyAndWake(const DeltaPtr& delta, SlotChanges* changes) {
  std::vector<DeltaPtr> ready = {delta};
  while (!ready.empty()) {
    const DeltaPtr next = std::move(ready.back());
    ready.pop_back();
    if (context_.Contains(next->last())) continue;
    Apply(next, changes);
    WakeAfter(*next, &ready, changes);
  }
}

void Slot::CoverAsOver(const DeltaPtr& delta, SlotChanges* changes) {
  if (context_.Contains(delta->last())) return;
  if (delta->kind == Delta::Kind::kKill) {  // brings no life, ends some
    ApplyAndWake(delta, changes);
  } else {
    context_.AddRange({delta->actor, delta->first, delta->last().counter});
    changes->any = true;
    std::vector<DeltaPtr> ready;
    WakeAfter(*delta, &ready, changes);
    for (const DeltaPtr& next : ready) ApplyAndWake(next, changes);
  }
  Finish(changes);
}

// Those that waited for what the delta has made covered.
void Slot::WakeAfter(const Delta& delta, std::vector<DeltaPtr>* ready,
                     SlotChanges* changes) {
  if (parked_.size() == 0) return;
  Wake(parked_.TakeWaitingFor({delta.actor, delta.first, delta.last().counter}),
       ready, changes);
  // It may have been parked too, and come again once it could be applied.
  if (auto same = parked_.Take(delta.last())) ReportSettled(*same, changes);
  if (delta.kind != Delta::Kind::kKill) return;
  for (const Dot& birth : delta.births) {
    Wake(parked_.TakeWaitingFor({birth.actor, birth.counter, birth.counter}),
         ready, changes);
  }
}

// Of parked deltas that were taken out: those with nothing left to wait for go
// to `ready`, the others wait for their next missing dot.
void Slot::Wake(std::vector<ParkedDeltas::Entry> entries,
                std::vector<DeltaPtr>* ready, SlotChanges* changes) {
  for (ParkedDeltas::Entry& entry : entries) {
    const bool covered = context_.Contains(entry.delta->last());
    const Dot* missing = covered ? nullptr : FirstMissing(*entry.delta);
    if (missing != nullptr) {
      parked_.PutBack(std::move(entry), *missing);
      continue;
    }
    ReportSettled(entry, changes);
    if (!covered) ready->push_back(std::move(entry.delta));
  }
}

void Slot::Apply(const DeltaPtr& delta, SlotChanges* changes) {
  switch (delta->kind) {
    case Delta::Kind::kKill:
      for (const Dot& birth : delta->births) {
        EndLife(birth, delta->reason, changes);
        // Even if its CREATE never came here: it must not come to life later
        // (invariant I4).
        context_.Add(birth);
      }
      break;
    case Delta::Kind::kCreate:
      Create(*delta, changes);
      break;
    case Delta::Kind::kUpdate:
    case Delta::Kind::kRotate:
      for (const Dot& birth : delta->births) Update(birth, *delta, changes);
      break;
  }
  // Last, because the ops are judged by what was covered before them.
  context_.AddRange({delta->actor, delta->first, delta->last().counter});
  log_.Add(delta);
  changes->any = true;
}

void Slot::Create(const Delta& delta, SlotChanges* changes) {
  const Dot birth = delta.dot(0);
  if (!context_.Contains(birth)) {
    InsertLife(CreatedLife(delta, context_), changes);
    Holding* holding = &lives_.find(birth)->second;
    RaiseAccess(holding, HlcMillis(delta.hlc));
    holding->last_sent_ms = HlcMillis(delta.hlc);
  } else if (!delta.inner_heads.empty()) {
    // The CREATE came alone before; the rest of the group is an update. When
    // the life is not here any more, it is dead.
    Update(birth, delta, changes);
  }
}

// Does nothing for an absent life: its birth is covered, because the deps are,
// so it is dead (invariant I5).
void Slot::Update(const Dot& birth, const Delta& delta, SlotChanges* changes) {
  const auto found = lives_.find(birth);
  if (found == lives_.end()) return;
  Holding* holding = &found->second;
  ReplaceLife(holding, UpdatedLife(*holding->life, delta, context_),
              TouchesIds(delta), changes);
  const int64_t millis = HlcMillis(delta.hlc);
  RaiseAccess(holding, millis);
  holding->last_sent_ms = std::max(holding->last_sent_ms, millis);
}

// Brings the report into the form that SlotChanges promises.
void Slot::Finish(SlotChanges* changes) const {
  std::vector<Dot>& changed = changes->changed;
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  if (changes->ended.empty()) return;
  changed.erase(std::remove_if(changed.begin(), changed.end(),
                               [this](const Dot& birth) {
                                 return !lives_.contains(birth);
                               }),
                changed.end());
}

std::optional<std::vector<DeltaPtr>> Slot::LogSince(const Context& peer) const {
  return log_.Since(context_, peer);
}

size_t Slot::Prune(absl::Time floor, absl::Time parked_before) {
  context_.Prune(floor);
  const ActorId first = FirstActorSince(context_.floor());
  const int64_t before_ms = absl::ToUnixMillis(parked_before);
  return parked_.DropIf([first, before_ms](const Delta& delta) {
    // A dep under the floor touched the same life as the delta: past its end.
    return delta.actor < first || HlcMillis(delta.hlc) < before_ms ||
           std::any_of(delta.deps.begin(), delta.deps.end(),
                       [first](const Dot& dep) { return dep.actor < first; });
  });
}

const DeltaPtr* Slot::OldestParked(membership::NodeName* from) const {
  const ParkedDeltas::Entry* oldest = nullptr;
  for (const auto& [last, entry] : parked_.entries()) {
    if (oldest == nullptr || entry.delta->hlc < oldest->delta->hlc) {
      oldest = &entry;
    }
  }
  if (oldest == nullptr) return nullptr;
  *from = oldest->from.front();
  return &oldest->delta;
}

}  // namespace sessionmesh::replication
