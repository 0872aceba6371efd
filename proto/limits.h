#ifndef PROTO_LIMITS_H_
#define PROTO_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "membership/limits.h"
#include "replication/message.h"
#include "replication/session_id.h"

namespace sessionmesh::wire {

// Every number that a peer can push against, in one place. These are the hard
// bounds of the wire: a message that breaks one is refused by the decoder,
// whoever sent it and whatever the node is configured to. What operators
// configure must stay below (session_bytes_max far below kMessageBytesMax, and
// so on).
//
// The bounds on counts keep a small message from becoming a large one in
// memory; the bounds on numbers keep arithmetic in the cores from overflowing.

// ---- Protocol versions that this build speaks. A node talks to another when
// the ranges meet.
inline constexpr uint32_t kProtocolMin = 1;
inline constexpr uint32_t kProtocolMax = 1;

// ---- Messages as a whole
// A datagram with its outer frame: below the smallest path MTU that is met in
// practice.
inline constexpr size_t kDatagramBytesMax = 1400;
// One message on a gRPC stream or call, which is also gRPC's own default.
inline constexpr size_t kMessageBytesMax = 4 << 20;
inline constexpr size_t kBatchMessagesMax =
    1024;  // lane messages in one PeerBatch

// ---- Names
// Longer node names would fit the cores; operators have to read these.
inline constexpr size_t kNodeNameBytesMax = 64;
inline constexpr size_t kAddressBytesMax = membership::kAddressBytesMax;
inline constexpr size_t kClusterIdBytesMax = 128;
inline constexpr size_t kZoneBytesMax = membership::kZoneBytesMax;
static_assert(kNodeNameBytesMax <= membership::kNameBytesMax);

// ---- Membership
inline constexpr size_t kDatagramUpdatesMax = membership::kDatagramUpdatesMax;
inline constexpr size_t kExchangeMembersMax = membership::kSyncMembersMax;
inline constexpr uint64_t kGenerationMax = membership::kGenerationMax;
inline constexpr uint64_t kIncarnationMax = membership::kIncarnationMax;

// ---- Numbers of replication
inline constexpr uint32_t kSlotCountMax = 65536;
inline constexpr uint64_t kCounterMax = (uint64_t{1} << 48) - 1;  // of a dot
inline constexpr uint64_t kFrameSeqMax = uint64_t{1} << 62;
inline constexpr uint64_t kHlcMax = (uint64_t{1} << 63) - 1;
// Milliseconds since 1970 or of a duration: until the year 6429.
inline constexpr int64_t kMillisMax = (int64_t{1} << 47) - 1;

// ---- Sessions
inline constexpr size_t kIdBytesMin = replication::SessionIds::kForeignBytesMin;
inline constexpr size_t kIdBytesMax = replication::SessionIds::kForeignBytesMax;
inline constexpr size_t kAttributeNameBytesMax = 1024;
inline constexpr size_t kAttributeValueBytesMax = 1 << 20;

// ---- Lists of replication
inline constexpr size_t kActorsMax = 16384;  // in the table of one message
inline constexpr size_t kActorHomesMax =
    replication::kActorHomesMax;  // in a Hello
inline constexpr size_t kDeltasMax =
    16384;  // in a Frame, a PullReply, or parked in a state part
inline constexpr size_t kOpsMax =
    16384;  // in one delta, coalesced ones included
inline constexpr size_t kDotsMax =
    4096;  // births, deps, heads, or superseded of one delta or life
inline constexpr size_t kAckDotsMax = 65536;  // parked or settled in a FrameAck
inline constexpr size_t kContextRangesMax =
    65536;                                     // in one context, of all actors
inline constexpr size_t kLivesMax = 65536;     // in one state part
inline constexpr size_t kLiveDotsMax = 65536;  // of one life
inline constexpr size_t kLastAccessesMax =
    1 << 18;                                      // in a PullReply or a Touches
inline constexpr size_t kRecentOwnersMax = 4096;  // in a PullReply
inline constexpr uint64_t kRecentAgeMsMax = uint64_t{1}
                                            << 42;  // of each: 139 years
inline constexpr uint32_t kStatePartsMax = 1 << 20;
inline constexpr size_t kRefuseBytesMax = 1024;  // of the reason in a Refuse
inline constexpr size_t kHoldsDotsMax = 64;  // of the version in a HoldsRequest

// A number of a dot list holds twice the zigzag of a difference of counters
// (peer.proto).
static_assert(kCounterMax < uint64_t{1} << 60);

}  // namespace sessionmesh::wire

#endif  // PROTO_LIMITS_H_
