#ifndef REPLICATION_KEYED_HASH_H_
#define REPLICATION_KEYED_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sessionmesh::replication {

// KeyedHash authenticates what comes back from browsers: tokens and the session
// ids that nodes choose. The shell supplies one under the cluster key
// (HMAC-SHA-256, truncated); the simulator a cheap one. All nodes of a cluster
// must agree on it.
//
// Thread-safe.
class KeyedHash {
 public:
  virtual ~KeyedHash() = default;

  // `purpose` separates uses of one key: equal data under different purposes
  // give unrelated hashes.
  virtual uint64_t Hash(absl::string_view purpose,
                        absl::string_view data) const = 0;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_KEYED_HASH_H_
