#ifndef REPLICATION_DEDUPE_H_
#define REPLICATION_DEDUPE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/delta.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// What a retried request finds: the change it has already made, and how far
// that had come.
struct DedupeEntry {
  uint64_t fingerprint = 0;  // of the kind and session of the call: a request
                             // id is good for one call
  Dot last;        // of the change, from which the token is made again
  DeltaPtr delta;  // until enough owners hold it; then null
  uint32_t replicas = 1;
  bool created = false;  // an upsert that created
};

// Dedupe remembers the writes of the last while by their request ids, so that a
// retry changes nothing. Bounded by time, by number and in bytes: under a flood
// the oldest are forgotten first, and before that the deltas that they keep for
// a retry to send again. About 140 bytes an entry without its delta.
//
// Not thread-safe.
class Dedupe {
 public:
  static constexpr size_t kRequestIdBytes = 16;

  Dedupe(absl::Duration window, size_t entries_max, size_t delta_bytes_max)
      : window_(window),
        entries_max_(entries_max),
        delta_bytes_max_(delta_bytes_max) {}

  // Null when the request is new. Valid until the next call. REQUIRES: a
  // request id of kRequestIdBytes.
  DedupeEntry* Find(absl::string_view request_id, absl::Time now);

  void Remember(absl::string_view request_id, DedupeEntry entry,
                absl::Time now);

  // Enough owners hold the change of this request: its delta is let go.
  void Settle(absl::string_view request_id, uint32_t replicas, absl::Time now);

  size_t size() const { return entries_.size(); }
  size_t delta_bytes() const { return delta_bytes_; }

 private:
  using Key = std::array<char, kRequestIdBytes>;

  static Key KeyOf(absl::string_view request_id);
  void Expire(absl::Time now);
  void LetGo(DedupeEntry* entry);
  void Erase(const Key& key);

  absl::Duration window_;
  size_t entries_max_;
  size_t delta_bytes_max_;
  size_t delta_bytes_ = 0;
  absl::flat_hash_map<Key, DedupeEntry> entries_;  // look-up only
  std::deque<std::pair<absl::Time, Key>> by_age_;
  std::deque<Key> with_delta_;  // oldest first; may name some that let it go
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_DEDUPE_H_
