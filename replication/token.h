#ifndef REPLICATION_TOKEN_H_
#define REPLICATION_TOKEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "replication/keyed_hash.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// A causal token names the heads of the session that a client has seen.
// Contexts are causally closed, so a replica that covers these dots has seen
// everything the client has: normally one dot, for any number of nodes.
//
//   byte 0   version (3 bits) | number of dots (5 bits)
//   per dot  actor (8 bytes, big endian) | counter (varint)
//   8 bytes  KeyedHash("token", slot | the bytes before), big endian
//
// base64url without padding: 24 to 31 characters for one dot (32 once its
// counter passes 2^42). The session is bound in by its life-long slot only, not
// by its id: a ROTATE must not make tokens of the old id void.
inline constexpr size_t kTokenDotsMax = 8;
inline constexpr size_t kTokenCharsMin = 24;  // one dot with a small counter
inline constexpr size_t kTokenCharsMax = 256;

// REQUIRES: 1 <= dots.size() <= kTokenDotsMax.
std::string EncodeToken(SlotId slot, absl::Span<const Dot> dots,
                        const KeyedHash& key);

// INVALID_ARGUMENT for what is too short or too long, not base64url, malformed,
// of another slot, or not authentic; costs one hash and never a look-up. The
// dots are ascending and distinct.
absl::StatusOr<std::vector<Dot>> DecodeToken(SlotId slot,
                                             absl::string_view token,
                                             const KeyedHash& key);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_TOKEN_H_
