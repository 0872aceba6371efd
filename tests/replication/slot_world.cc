#include "tests/replication/slot_world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/replication/slot_spec.h"

namespace sessionmesh::replication {
namespace {

constexpr size_t kReplicas = 3;

membership::NodeName NameOf(size_t replica) {
  return absl::StrCat("n", replica);
}

// Coalescing without its condition: a second, plain implementation.
Delta Merge(const Delta& group, const Delta& next) {
  Delta merged = group;
  for (const Op& op : next.ops) {
    Op added = op;
    for (size_t i = 0; i < merged.ops.size(); ++i) {
      Op& earlier = merged.ops[i];
      const bool replaced =
          earlier.kind == Op::Kind::kPut && earlier.name == op.name &&
          std::count(op.superseded.begin(), op.superseded.end(), merged.dot(i));
      if (!replaced) continue;
      earlier.kind = Op::Kind::kVoid;
      earlier.value.clear();
      added.superseded.insert(added.superseded.end(),
                              earlier.superseded.begin(),
                              earlier.superseded.end());
    }
    std::sort(added.superseded.begin(), added.superseded.end());
    added.superseded.erase(
        std::unique(added.superseded.begin(), added.superseded.end()),
        added.superseded.end());
    merged.ops.push_back(std::move(added));
  }
  merged.inner_heads.push_back(group.last());
  merged.hlc = next.hlc;
  return merged;
}

}  // namespace

SlotWorld::SlotWorld(uint64_t seed, Mutant mutant)
    : random_(seed), mutant_(mutant) {
  Slot::Limits limits;
  const size_t log_sizes[] = {0, 2000, 64000};
  limits.log_bytes_max = log_sizes[random_.Below(3)];
  for (size_t i = 0; i < kReplicas; ++i) {
    Replica replica;
    replica.slot = std::make_unique<Slot>(limits);
    replica.writer = std::make_unique<DeltaWriter>(TestActor(++actors_));
    replicas_.push_back(std::move(replica));
  }
  ids_ = {"foreign-1", "foreign-2"};
  foreign_percent_ = random_.Chance(1, 3) ? 90 : 10;
  deliver_percent_ = random_.Chance(1, 2) ? 20 : 38;
  stay_percent_ = random_.Chance(1, 2) ? 80 : 0;
}

std::string SlotWorld::Run() {
  const int64_t steps = random_.Between(20, 60);
  for (int64_t i = 0; i < steps && failure_.empty(); ++i) Step();
  if (failure_.empty()) Heal();
  return failure_;
}

void SlotWorld::Step() {
  const uint64_t what = random_.Below(100);
  if (what < 78 - deliver_percent_) {
    Client();
  } else if (what < 78) {
    Deliver();
  } else if (what < 88) {
    const size_t from = random_.Below(kReplicas);
    const size_t to = (from + 1 + random_.Below(kReplicas - 1)) % kReplicas;
    Sync(from, to);
  } else if (what < 98) {
    ArriveSnapshot();
  } else {
    Restart();
  }
}

// --- clients

AttributeChanges SlotWorld::SomeChanges() {
  AttributeChanges changes;
  const char* const names[] = {"a", "b", "c"};
  for (const char* name : names) {
    if (random_.Chance(1, 2)) continue;
    if (random_.Chance(1, 4)) {
      changes.push_back({name, std::nullopt});
    } else {
      changes.push_back({name, absl::StrCat("v", ++values_)});
    }
  }
  if (changes.empty()) changes.push_back({"a", absl::StrCat("v", ++values_)});
  return changes;
}

std::string SlotWorld::NewId() {
  ids_.push_back(absl::StrCat("native-", ++native_));
  return ids_.back();
}

void SlotWorld::Create(size_t at, const std::string& id) {
  const DeltaPtr create = replicas_[at].writer->Create(id, SomeChanges());
  root_[create->dot(0)] = create->dot(0);
  Mint(at, create);
}

void SlotWorld::Kill(size_t at, const std::string& id) {
  const Replica& replica = replicas_[at];
  const DeltaPtr kill = replica.writer->Kill(*replica.slot, id);
  for (const Dot& birth : kill->births) {
    logouts_[kill->last()].insert(root_[birth]);
  }
  Mint(at, kill);
}

void SlotWorld::Client() {
  if (random_.Below(100) >= stay_percent_) {
    client_at_ = random_.Below(kReplicas);
  }
  const size_t at = client_at_;
  const Replica& replica = replicas_[at];
  const std::string id = random_.Below(100) < foreign_percent_
                             ? ids_[random_.Below(2)]
                             : ids_[random_.Below(ids_.size())];
  const auto lives = replica.slot->Lookup(id);
  if (lives.empty()) {
    if (!replica.slot->LookupForDelete(id).empty() && random_.Chance(1, 4)) {
      ++counts["kill by ended id"];
      Kill(at, id);
    } else if (id[0] == 'f') {
      Create(at, id);
    } else if (random_.Chance(1, 4)) {
      Create(at, NewId());
    }
    return;
  }
  if (lives.size() > 1) ++counts["two lives"];
  const uint64_t what = random_.Below(100);
  if (what < 68) {
    Mint(at, replica.writer->Update(*replica.slot, id, SomeChanges()));
  } else if (what < 86) {
    Rotate(at, id);
  } else if (what < 97) {
    Kill(at, id);
  } else {
    Create(at, NewId());
  }
}

void SlotWorld::Rotate(size_t at, const std::string& id) {
  const Replica& replica = replicas_[at];
  // A retry, perhaps at another replica, brings the id of the first attempt.
  const auto before = rotated_to_.find(id);
  const bool retry = before != rotated_to_.end() && random_.Chance(1, 2);
  const std::string new_id = retry ? before->second : NewId();
  if (retry) ++counts["rotate retried"];
  rotated_to_[id] = new_id;
  if (mutant_ == Mutant::kRotateRebirth) {
    const Dot root = root_[replica.slot->Lookup(id).front()->life->birth];
    Mint(at, replica.writer->Kill(*replica.slot, id));
    const DeltaPtr create = replica.writer->Create(new_id);
    root_[create->dot(0)] = root;
    Mint(at, create);
    return;
  }
  const AttributeChanges changes =
      random_.Chance(1, 2) ? SomeChanges() : AttributeChanges{};
  Mint(at, replica.writer->Rotate(*replica.slot, id, new_id, changes));
  if (new_id != id && !replica.slot->Lookup(id).empty()) {
    Fail(absl::StrCat(id, " opens a session after its rotation"));
  }
}

DeltaPtr SlotWorld::Mutated(const DeltaPtr& delta) const {
  const bool is_update = delta->kind == Delta::Kind::kUpdate ||
                         delta->kind == Delta::Kind::kRotate;
  Delta mutated = *delta;
  if (mutant_ == Mutant::kNoDeps && is_update) mutated.deps.clear();
  if (mutant_ == Mutant::kNameOne) mutated.births.resize(1);
  if (mutant_ == Mutant::kRotateKeepsOld &&
      delta->kind == Delta::Kind::kRotate) {
    mutated.ops[0].superseded.clear();
  }
  return std::make_shared<const Delta>(std::move(mutated));
}

void SlotWorld::Mint(size_t at, DeltaPtr delta) {
  if (mutant_ != Mutant::kNone) delta = Mutated(delta);
  ++counts[delta->kind == Delta::Kind::kCreate   ? "create"
           : delta->kind == Delta::Kind::kUpdate ? "update"
           : delta->kind == Delta::Kind::kRotate ? "rotate"
                                                 : "kill"];
  minted_.push_back(delta);
  Receive(at, delta, at);
  if (!replicas_[at].slot->context().Contains(delta->last())) {
    Fail("its own delta was not applied");
  }
  for (size_t to = 0; to < kReplicas; ++to) {
    if (to != at) Send(at, to, delta);
  }
}

// --- the network

bool SlotWorld::MayMerge(const Delta& group, const Delta& next) const {
  if (MayCoalesce(group, next)) return true;
  if (next.first != group.last().counter + 1 || group.actor != next.actor) {
    return false;
  }
  const bool kinds = group.kind != Delta::Kind::kKill &&
                     group.kind != Delta::Kind::kRotate &&
                     next.kind == Delta::Kind::kUpdate;
  const bool chain = next.deps == std::vector<Dot>{group.last()};
  const bool births = group.births == next.births;
  switch (mutant_) {
    case Mutant::kMergeAnyDeps:
      return kinds && births;
    case Mutant::kMergeRotate:
      return chain && births && group.kind != Delta::Kind::kKill &&
             next.kind == Delta::Kind::kRotate;
    default:
      return false;
  }
}

void SlotWorld::Send(size_t from, size_t to, const DeltaPtr& delta) {
  if (random_.Chance(2, 3)) {
    for (auto it = sent_.rbegin(); it != sent_.rend(); ++it) {
      if (it->from != from || it->to != to) continue;
      if (!MayMerge(*it->delta, *delta)) break;
      const Delta merged = Merge(*it->delta, *delta);
      if (MayCoalesce(*it->delta, *delta) &&
          Coalesce(*it->delta, *delta) != merged) {
        Fail("two implementations of coalescing differ");
      }
      it->delta = std::make_shared<const Delta>(merged);
      ++counts["coalesced"];
      return;
    }
  }
  sent_.push_back({to, from, delta});
}

void SlotWorld::Deliver() {
  if (sent_.empty()) return;
  const size_t i = random_.Below(sent_.size());
  const Sent sent = sent_[i];
  if (!random_.Chance(1, 6)) {  // else a duplicate stays
    sent_.erase(sent_.begin() + static_cast<ptrdiff_t>(i));
  }
  if (random_.Chance(1, 10)) return;  // lost
  Receive(sent.to, sent.delta, sent.from);
}

void SlotWorld::Receive(size_t at, const DeltaPtr& delta, size_t from) {
  Slot& slot = *replicas_[at].slot;
  SlotChanges changes;
  const Slot::Outcome outcome = slot.Receive(delta, NameOf(from), &changes);
  const bool covered = slot.context().Contains(delta->last());
  if (covered != (outcome == Slot::Outcome::kApplied ||
                  outcome == Slot::Outcome::kDuplicate)) {
    Fail("the outcome does not say what happened");
  }
  if (outcome == Slot::Outcome::kParked) ++counts["parked"];
  counts["settled"] += static_cast<int>(changes.settled.size());
  for (const SlotChanges::Settled& settled : changes.settled) {
    if (!slot.context().Contains(settled.last)) Fail("settled, not covered");
  }
  if (mutant_ == Mutant::kEarlyCover && outcome == Slot::Outcome::kParked) {
    Snapshot lie;
    lie.context = slot.context();
    lie.context.AddRange({delta->actor, delta->first, delta->last().counter});
    lie.lives = slot.TakeSnapshot({}).lives;
    Join(at, lie, from);
  }
  CheckIfChanged(at);
}

void SlotWorld::Sync(size_t from, size_t to) {
  Slot& source = *replicas_[from].slot;
  Slot& target = *replicas_[to].slot;
  if (const auto log = source.LogSince(target.context());
      log.has_value() && random_.Chance(1, 2)) {
    ++counts["log"];
    for (const DeltaPtr& delta : *log) Receive(to, delta, from);
    if (failure_.empty() && !target.context().Dominates(source.context())) {
      Fail("the log did not hold what it promised");
    }
    return;
  }
  Snapshot snapshot = source.TakeSnapshot(target.context());
  if (mutant_ == Mutant::kTornSnapshot && snapshot.lives.size() > 1) {
    snapshot.lives.pop_back();
  }
  if (mutant_ == Mutant::kNonAtomic && !sent_.empty()) {
    const Context early = source.context();
    for (const Sent& sent : std::vector<Sent>(sent_)) {
      if (sent.to == from) Receive(from, sent.delta, sent.from);
    }
    snapshot = source.TakeSnapshot(target.context());
    snapshot.context = early;
  }
  if (random_.Chance(2, 3)) {
    travelling_.push_back(
        {to, from, replicas_[to].generation, std::move(snapshot)});
  } else {
    Join(to, snapshot, from);
  }
}

void SlotWorld::ArriveSnapshot() {
  if (travelling_.empty()) return;
  const size_t i = random_.Below(travelling_.size());
  const Travelling arrived = std::move(travelling_[i]);
  travelling_.erase(travelling_.begin() + static_cast<ptrdiff_t>(i));
  if (arrived.generation != replicas_[arrived.to].generation &&
      mutant_ != Mutant::kForeignFilter) {
    return;
  }
  ++counts["late snapshot"];
  Join(arrived.to, arrived.snapshot, arrived.from);
}

void SlotWorld::Join(size_t at, const Snapshot& snapshot, size_t from) {
  ++counts["join"];
  SlotChanges changes;
  replicas_[at].slot->Join(snapshot, NameOf(from), TestStart(), &changes);
  counts["settled"] += static_cast<int>(changes.settled.size());
  for (const SlotChanges::Ended& ended : changes.ended) {
    if (replicas_[at].slot->Find(ended.birth) != nullptr) {
      Fail("reported as ended, and live");
    }
  }
  CheckIfChanged(at);
}

void SlotWorld::Restart() {
  ++counts["restart"];
  Replica& replica = replicas_[random_.Below(kReplicas)];
  replica.slot = std::make_unique<Slot>(Slot::Limits{});
  replica.killed.clear();
  ++replica.generation;
  if (mutant_ == Mutant::kCounterReset) {
    replica.writer->set_next(1);
  } else {
    replica.writer = std::make_unique<DeltaWriter>(TestActor(++actors_));
  }
}

// Everybody takes everybody's state until nothing is new.
void SlotWorld::Heal() {
  for (int round = 0; round < 2; ++round) {
    for (size_t from = 0; from < kReplicas; ++from) {
      for (size_t to = 0; to < kReplicas; ++to) {
        if (from == to || !failure_.empty()) continue;
        const Slot& target = *replicas_[to].slot;
        Join(to, replicas_[from].slot->TakeSnapshot(target.context()), from);
      }
    }
  }
  const Slot& first = *replicas_[0].slot;
  for (const Replica& replica : replicas_) {
    if (!failure_.empty()) return;
    Check(static_cast<size_t>(&replica - replicas_.data()));
    if (!(replica.slot->context() == first.context())) {
      Fail("contexts differ after healing");
    } else if (StateOf(*replica.slot) != StateOf(first)) {
      Fail("not converged");
    }
  }
}

}  // namespace sessionmesh::replication
