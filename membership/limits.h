#ifndef MEMBERSHIP_LIMITS_H_
#define MEMBERSHIP_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace sessionmesh::membership {

// What a peer can push against and no operator needs to tune. What operators
// may tune is in config.h. The codec refuses packets beyond these before they
// reach the core; the core checks again whatever would harm it.

// A name is 1..128 bytes; an address is 1..255 bytes (room for a DNS name and a
// port).
inline constexpr size_t kNameBytesMax = 128;
inline constexpr size_t kAddressBytesMax = 255;

// Updates in one datagram. The sender's budget in bytes allows fewer
// (message.h); this stops a hostile packet of empty updates.
inline constexpr size_t kDatagramUpdatesMax = 255;

// Members in one SyncRequest or SyncReply: the largest `members_max` that
// Config::Validate() accepts.
inline constexpr size_t kSyncMembersMax = 16384;

// Sequence numbers of other members' probes that a node remembers while it
// relays them.
inline constexpr size_t kRelaysMax = 256;

// Seeds kept of what the shell has resolved.
inline constexpr size_t kSeedsMax = 256;

// Exchanges (calls on the reliable plane) that may wait for an answer at a
// time.
inline constexpr size_t kExchangesMax = 64;

// Generations and incarnations above these are refused: nobody restarts or
// refutes that often, and without a ceiling one claim of UINT64_MAX could never
// be refuted (memberlist#358).
inline constexpr uint64_t kGenerationMax = uint64_t{1} << 62;
inline constexpr uint64_t kIncarnationMax = uint64_t{1} << 62;

// Within one generation a claim may be ahead of the known incarnation by at
// most this much. A claim about ourselves by at most half of it, so that our
// refutation, one above it, is still within the bound of everybody else.
inline constexpr uint64_t kIncarnationJumpMax = uint64_t{1} << 32;
inline constexpr uint64_t kSelfIncarnationJumpMax = uint64_t{1} << 31;

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_LIMITS_H_
