#include "replication/dedupe.h"

#include <algorithm>

#include "glog/logging.h"

namespace sessionmesh::replication {

Dedupe::Key Dedupe::KeyOf(absl::string_view request_id) {
  CHECK_EQ(request_id.size(), kRequestIdBytes);
  Key key;
  std::copy(request_id.begin(), request_id.end(), key.begin());
  return key;
}

DedupeEntry* Dedupe::Find(absl::string_view request_id, absl::Time now) {
  Expire(now);
  const auto it = entries_.find(KeyOf(request_id));
  return it == entries_.end() ? nullptr : &it->second;
}

void Dedupe::Remember(absl::string_view request_id, DedupeEntry entry,
                      absl::Time now) {
  Expire(now);
  if (entries_.size() >= entries_max_ && !by_age_.empty()) {
    Erase(by_age_.front().second);
    by_age_.pop_front();
  }
  const Key key = KeyOf(request_id);
  const auto [it, is_new] = entries_.try_emplace(key);
  if (is_new) by_age_.push_back({now, key});
  LetGo(&it->second);
  it->second = std::move(entry);
  if (it->second.delta == nullptr) return;
  delta_bytes_ += it->second.delta->ByteSize();
  with_delta_.push_back(key);
  while (delta_bytes_ > delta_bytes_max_ && !with_delta_.empty()) {
    const auto oldest = entries_.find(with_delta_.front());
    with_delta_.pop_front();
    if (oldest != entries_.end()) LetGo(&oldest->second);
  }
}

void Dedupe::Settle(absl::string_view request_id, uint32_t replicas,
                    absl::Time now) {
  DedupeEntry* entry = Find(request_id, now);
  if (entry == nullptr) return;
  LetGo(entry);
  entry->replicas = replicas;
}

void Dedupe::LetGo(DedupeEntry* entry) {
  if (entry->delta == nullptr) return;
  delta_bytes_ -= entry->delta->ByteSize();
  entry->delta.reset();
  // Keys of entries that are long over must not pile up.
  if (with_delta_.size() > 2 * entries_.size() + 16) {
    std::deque<Key> kept;
    for (const Key& key : with_delta_) {
      const auto it = entries_.find(key);
      if (it != entries_.end() && it->second.delta != nullptr) {
        kept.push_back(key);
      }
    }
    with_delta_ = std::move(kept);
  }
}

void Dedupe::Erase(const Key& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  LetGo(&it->second);
  entries_.erase(it);
}

void Dedupe::Expire(absl::Time now) {
  while (!by_age_.empty() && now - by_age_.front().first >= window_) {
    Erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

}  // namespace sessionmesh::replication
