#include <algorithm>
#include <utility>

#include "replication/slot.h"

namespace sessionmesh::replication {
namespace {

uint64_t AccessHash(const Dot& birth, int64_t millis) {
  return Mix64(Mix64(Mix64(birth.actor) + birth.counter) ^
               static_cast<uint64_t>(millis));
}

std::vector<IdHash> Distinct(std::vector<IdHash> hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

std::vector<IdHash> IdHashes(const Life& life) {
  std::vector<IdHash> hashes;
  for (const EntryView& entry : life.attributes.Find(kIdAttribute)) {
    hashes.push_back(HashId(entry.value));
  }
  return Distinct(std::move(hashes));
}

std::vector<IdHash> EndedHashes(const Life& life) {
  std::vector<IdHash> hashes;
  hashes.reserve(life.ended.size());
  for (const EndedId& id : life.ended) hashes.push_back(id.hash);
  return Distinct(std::move(hashes));
}

// Both ascending. Hashes only what differs: an update leaves most dots.
void MoveHash(const std::vector<Dot>& before, const std::vector<Dot>& after,
              LiveHash* hash) {
  auto b = before.begin();
  auto a = after.begin();
  while (b != before.end() || a != after.end()) {
    if (a == after.end() || (b != before.end() && *b < *a)) {
      hash->Remove(*b++);
    } else if (b == before.end() || *a < *b) {
      hash->Add(*a++);
    } else {
      ++a;
      ++b;
    }
  }
}

template <typename Index>
void AddTo(Index* index, IdHash hash, const Dot& birth) {
  auto& births = (*index)[hash];
  births.insert(std::lower_bound(births.begin(), births.end(), birth), birth);
}

template <typename Index>
void RemoveFrom(Index* index, IdHash hash, const Dot& birth) {
  const auto found = index->find(hash);
  auto& births = found->second;
  births.erase(std::lower_bound(births.begin(), births.end(), birth));
  if (births.empty()) index->erase(found);
}

}  // namespace

void Slot::InsertLife(Life life, SlotChanges* changes) {
  const Dot birth = life.birth;
  auto shared = std::make_shared<const Life>(std::move(life));
  MoveHash({}, shared->LiveDots(), &live_hash_);
  payload_bytes_ += shared->attributes.payload_bytes();
  last_access_hash_ += AccessHash(birth, 0);
  IndexIds(*shared);
  lives_[birth].life = std::move(shared);
  changes->changed.push_back(birth);
  changes->any = true;
}

void Slot::ReplaceLife(Holding* holding, Life life, bool ids_changed,
                       SlotChanges* changes) {
  const std::shared_ptr<const Life> before = std::move(holding->life);
  holding->life = std::make_shared<const Life>(std::move(life));
  const Life& after = *holding->life;
  MoveHash(before->LiveDots(), after.LiveDots(), &live_hash_);
  payload_bytes_ -= before->attributes.payload_bytes();
  payload_bytes_ += after.attributes.payload_bytes();
  if (ids_changed) {
    UnindexIds(*before);
    IndexIds(after);
  }
  changes->changed.push_back(after.birth);
  changes->any = true;
}

void Slot::EndLife(const Dot& birth, EndReason reason, SlotChanges* changes) {
  const auto found = lives_.find(birth);
  if (found == lives_.end()) return;
  const Life& life = *found->second.life;
  MoveHash(life.LiveDots(), {}, &live_hash_);
  payload_bytes_ -= life.attributes.payload_bytes();
  last_access_hash_ -= AccessHash(birth, found->second.last_access_ms);
  UnindexIds(life);
  changes->ended.push_back({birth, reason, life.Ids()});
  changes->any = true;
  lives_.erase(found);
}

void Slot::RaiseAccess(Holding* holding, int64_t millis) {
  if (millis <= holding->last_access_ms) return;
  const Dot birth = holding->life->birth;
  last_access_hash_ -= AccessHash(birth, holding->last_access_ms);
  last_access_hash_ += AccessHash(birth, millis);
  holding->last_access_ms = millis;
}

void Slot::IndexIds(const Life& life) {
  for (const IdHash hash : IdHashes(life)) AddTo(&by_id_, hash, life.birth);
  for (const IdHash hash : EndedHashes(life)) {
    AddTo(&by_ended_id_, hash, life.birth);
  }
}

void Slot::UnindexIds(const Life& life) {
  for (const IdHash hash : IdHashes(life)) {
    RemoveFrom(&by_id_, hash, life.birth);
  }
  for (const IdHash hash : EndedHashes(life)) {
    RemoveFrom(&by_ended_id_, hash, life.birth);
  }
}

std::vector<const Slot::Holding*> Slot::HoldingsOf(const IdIndex& index,
                                                   IdHash hash) const {
  std::vector<const Holding*> holdings;
  const auto found = index.find(hash);
  if (found == index.end()) return holdings;
  for (const Dot& birth : found->second) holdings.push_back(Find(birth));
  return holdings;
}

std::vector<const Slot::Holding*> Slot::Lookup(absl::string_view id) const {
  std::vector<const Holding*> holdings = HoldingsOf(by_id_, HashId(id));
  // Hashes may collide; foreign ids even on purpose.
  holdings.erase(std::remove_if(holdings.begin(), holdings.end(),
                                [id](const Holding* holding) {
                                  return !holding->life->HoldsId(id);
                                }),
                 holdings.end());
  return holdings;
}

std::vector<const Slot::Holding*> Slot::LookupForDelete(
    absl::string_view id) const {
  std::vector<const Holding*> holdings = Lookup(id);
  if (!holdings.empty()) return holdings;
  return HoldingsOf(by_ended_id_, HashId(id));
}

const Slot::Holding* Slot::Find(const Dot& birth) const {
  const auto found = lives_.find(birth);
  return found == lives_.end() ? nullptr : &found->second;
}

bool Slot::Touch(const Dot& birth, int64_t millis) {
  const auto found = lives_.find(birth);
  if (found == lives_.end() || millis <= found->second.last_access_ms) {
    return false;
  }
  RaiseAccess(&found->second, millis);
  return true;
}

void Slot::MarkSent(const Dot& birth, int64_t millis) {
  const auto found = lives_.find(birth);
  if (found == lives_.end()) return;
  found->second.last_sent_ms = std::max(found->second.last_sent_ms, millis);
}

std::vector<LastAccess> Slot::LastAccesses() const {
  std::vector<LastAccess> accesses;
  accesses.reserve(lives_.size());
  for (const auto& [birth, holding] : lives_) {
    accesses.push_back({birth, holding.last_access_ms});
  }
  std::sort(accesses.begin(), accesses.end(),
            [](const LastAccess& a, const LastAccess& b) {
              return a.birth < b.birth;
            });
  return accesses;
}

bool Slot::DropPastDeadline(const Dot& birth, absl::Time now,
                            SlotChanges* changes) {
  const Holding* holding = Find(birth);
  if (holding == nullptr || holding->life->deadline() >= now) return false;
  EndLife(birth, EndReason::kDeadline, changes);
  Finish(changes);
  return true;
}

}  // namespace sessionmesh::replication
