#ifndef TESTS_SUPPORT_FAKE_KEYED_HASH_H_
#define TESTS_SUPPORT_FAKE_KEYED_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "replication/keyed_hash.h"
#include "replication/live_hash.h"

namespace sessionmesh::testing {

// A KeyedHash that is cheap and the same on every machine. It separates
// purposes and keys as the real one does and guards against nobody who tries.
class FakeKeyedHash : public replication::KeyedHash {
 public:
  explicit FakeKeyedHash(uint64_t key = 0) : key_(key) {}

  uint64_t Hash(absl::string_view purpose,
                absl::string_view data) const override {
    return replication::Mix64(
        replication::Mix64(key_ ^ replication::StableHash(purpose)) ^
        replication::StableHash(data));
  }

 private:
  uint64_t key_;
};

}  // namespace sessionmesh::testing

#endif  // TESTS_SUPPORT_FAKE_KEYED_HASH_H_
