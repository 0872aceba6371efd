#ifndef PROTO_FRAME_H_
#define PROTO_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::wire {

// The outer frame of every datagram, 12 bytes before the body:
//
//   byte 0      magic 0xD5: not ASCII, not the first byte of QUIC or DNS
//   byte 1      protocol version
//   byte 2      flags; none is defined, must be 0
//   byte 3      key id; 0: not encrypted
//   bytes 4-11  ClusterHash (wire_info.h), big endian
//
// The hash keeps two clusters apart whose addresses overlap or have moved, and
// keeps out a node with other constants than the rest; it is no secret.
inline constexpr size_t kFrameBytes = 12;

// Appends the frame to `out`; the body follows behind it.
void AppendFrame(uint64_t cluster_hash, std::string* out);

// The body inside a datagram, a view into it. FAILED_PRECONDITION: of another
// cluster or of a version that is not spoken here, which a node reports once
// per peer; INVALID_ARGUMENT: not ours, or damaged.
absl::StatusOr<absl::string_view> OpenFrame(uint64_t cluster_hash,
                                            absl::string_view datagram);

}  // namespace sessionmesh::wire

#endif  // PROTO_FRAME_H_
