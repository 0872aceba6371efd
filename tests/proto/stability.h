#ifndef TESTS_PROTO_STABILITY_H_
#define TESTS_PROTO_STABILITY_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "replication/keyed_hash.h"
#include "replication/types.h"

namespace sessionmesh::wire::testing {

// The properties that any bytes at all must keep, for the fuzzers and for the
// test that mutates valid messages. Each decodes the bytes; when that succeeds,
// what was decoded must survive encoding and decoding again unchanged, and be
// encoded the same way both times. A violation ends the process (CHECK). They
// return whether the bytes were accepted, so that a caller can see that its
// corpus is not all garbage.

// A datagram, frame included, of the cluster with this hash.
inline constexpr uint64_t kCluster = 0x66757a7a;
bool CheckDatagramStable(absl::string_view bytes);

// A PeerBatch; accepted if one message in it is.
bool CheckPeerBatchStable(absl::string_view bytes);

// The slot and the key of the tokens below.
inline constexpr replication::SlotId kTokenSlot = 17;
const replication::KeyedHash& TokenKey();

// A token as a browser sends it; and, since nobody guesses a MAC, the same
// bytes as the body of a token with the right one. Also as a session id.
bool CheckTokenStable(absl::string_view bytes);

}  // namespace sessionmesh::wire::testing

#endif  // TESTS_PROTO_STABILITY_H_
