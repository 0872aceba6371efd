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
    entries_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
  const Key key = KeyOf(request_id);
  if (entries_.insert_or_assign(key, std::move(entry)).second) {
    by_age_.push_back({now, key});
  }
}

void Dedupe::Expire(absl::Time now) {
  while (!by_age_.empty() && now - by_age_.front().first >= window_) {
    entries_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

}  // namespace sessionmesh::replication
