#ifndef REPLICATION_SESSION_ID_H_
#define REPLICATION_SESSION_ID_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "replication/keyed_hash.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// 128 random bits for an id: from the kernel's generator in the daemon, from
// the seed in the simulator.
using IdEntropy = std::array<uint8_t, 16>;

// SessionIds makes session ids and finds the slot of one.
//
//   native   base64url(slot: 2 bytes | random: 16 | check: 4), 30 characters;
//            check = the first bytes of KeyedHash("id", slot | random)
//   foreign  any other 16 to 256 bytes that a caller brings; its slot is a hash
//
// Every 30-character base64url string is taken for native; one whose hash does
// not fit is forged and refused without a look-up. 16 bits are reserved for the
// slot although a cluster has fewer, so that the slot count can double later.
//
// Thread-safe; the key must outlive it.
class SessionIds {
 public:
  static constexpr size_t kForeignBytesMin = 16;
  static constexpr size_t kForeignBytesMax = 256;

  // REQUIRES: slot_count is a power of two in [1, 65536].
  SessionIds(uint32_t slot_count, const KeyedHash* key);

  std::string MakeNative(SlotId slot, const IdEntropy& entropy) const;

  // The entropy of the new id of a retried ROTATE: a pseudo-random function of
  // the request, so that the retry gives the same id and does not look like a
  // second rotation (rule A8).
  IdEntropy EntropyOfRequest(absl::string_view request_id) const;

  // INVALID_ARGUMENT for an id of a length that cannot exist; NOT_FOUND for a
  // forged native one.
  absl::StatusOr<SlotId> SlotOf(absl::string_view id) const;

  // Whether a caller may create this id: INVALID_ARGUMENT says the limit, the
  // value, and what to do.
  absl::Status CheckForeign(absl::string_view id) const;

  uint32_t slot_count() const { return slot_count_; }

 private:
  uint32_t slot_count_;
  const KeyedHash* key_;
};

// The short hash by which logs, events and listings name a session: ids are
// credentials.
// 12 hexadecimal digits.
std::string SessionHash(absl::string_view id);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_SESSION_ID_H_
