#ifndef NODE_KEYS_H_
#define NODE_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "replication/keyed_hash.h"

namespace sessionmesh::node {

// A key file needs at least this many bytes of key.
inline constexpr size_t kKeyBytesMin = 32;
inline constexpr size_t kKeyFileBytesMax = 4096;

// Reads the cluster key: the whole file, without white space at its ends.
// FAILED_PRECONDITION for a file that others may read (mode & 0077, as ssh
// does), is too short or too long; each says what to do.
absl::StatusOr<std::string> ReadKeyFile(const std::string& path);

// The key when no file is configured. Everybody who knows the cluster id can
// compute it, so hashes under it find damage but no forgery.
std::string KeyFromClusterId(absl::string_view cluster_id);

// NodeInfo.key_check (peer.proto): equal on nodes that have the same key, and
// of no use to find the key, which has at least kKeyBytesMin bytes.
uint64_t KeyCheck(const replication::KeyedHash& key,
                  absl::string_view cluster_id);

// KeyedHash by HMAC-SHA-256 (RFC 2104) over `purpose`, a zero byte, and the
// data, truncated to its first 64 bits.
//
// Thread-safe. The key is absorbed once; a hash costs two blocks of SHA-256.
class HmacKeyedHash : public replication::KeyedHash {
 public:
  // REQUIRES: `key` is not empty.
  explicit HmacKeyedHash(absl::string_view key);
  ~HmacKeyedHash() override;
  HmacKeyedHash(const HmacKeyedHash&) = delete;
  HmacKeyedHash& operator=(const HmacKeyedHash&) = delete;

  uint64_t Hash(absl::string_view purpose,
                absl::string_view data) const override;

 private:
  struct Keyed;  // OpenSSL's contexts after the key; only copied from
  std::unique_ptr<Keyed> keyed_;
};

}  // namespace sessionmesh::node

#endif  // NODE_KEYS_H_
