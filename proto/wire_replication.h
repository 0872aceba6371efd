#ifndef PROTO_WIRE_REPLICATION_H_
#define PROTO_WIRE_REPLICATION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "replication/message.h"

namespace sessionmesh::wire {

// What lanes say to each other. Thread-safe; errors as in wire.h.

// The cluster constants that messages are checked against. REQUIRES: both
// powers of two, lane_count at most slot_count, slot_count at most
// kSlotCountMax.
struct WireContext {
  uint32_t slot_count = 0;
  uint32_t lane_count = 0;
};

struct LaneMessage {
  uint32_t lane = 0;
  replication::Message message;
};

// Writes over `out`, which may be on an arena. Deadlines and idle timeouts
// travel in whole milliseconds.
void EncodeLaneMessage(uint32_t lane, const replication::Message& message,
                       v1::LaneMessage* out);

// Takes names and values out of `proto` instead of copying them.
absl::StatusOr<LaneMessage> DecodeLaneMessage(v1::LaneMessage&& proto,
                                              const WireContext& context);

// A batch from bytes, its size and the number of its messages checked; gRPC
// does the same for the shell. The messages in it are still to be decoded.
absl::StatusOr<v1::PeerBatch> ParsePeerBatch(absl::string_view bytes);
// The same check for a batch that gRPC has parsed.
absl::Status CheckPeerBatch(const v1::PeerBatch& batch);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_REPLICATION_H_
