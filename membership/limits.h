#ifndef MEMBERSHIP_LIMITS_H_
#define MEMBERSHIP_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace sessionmesh::membership {

// What a peer can push against and no operator needs to tune. What operators
// may tune is in config.h. The codec refuses packets beyond these before they
// reach the core; the core checks again whatever would harm it.

// A name is 1..128 bytes; an address is 1..255 bytes (room for a DNS name and a
// port).
inline constexpr size_t kNameBytesMax = 128;
inline constexpr size_t kAddressBytesMax = 255;

// A zone is 0..64 bytes.
inline constexpr size_t kZoneBytesMax = 64;

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

// A generation is a wall clock in milliseconds or a little more, so one that is
// further ahead of our wall clock is made up. Believed, it would lock its
// subject out until clocks get there: no restart could be above it.
inline constexpr absl::Duration kGenerationAheadMax = absl::Hours(24);

// How far a claim may be ahead of the known incarnation, within one generation.
//
//   kIncarnationJumpMax           of others, at second hand: gossip and lists
//   kSelfIncarnationJumpMax       about ourselves: so far ahead is answered,
//                                 by one above
//   kFirstHandIncarnationJumpMax  of the sender of a message, by itself
//
// Each is 256 times the one before. So whoever is accused answers all that
// others may have come to believe, also when 256 claims, each ahead of the last
// as far as it may be, arrive before it hears of the first; and those who have
// heard of none believe the answer when they hear it from itself.
inline constexpr uint64_t kIncarnationJumpMax = uint64_t{1} << 24;
inline constexpr uint64_t kSelfIncarnationJumpMax = uint64_t{1} << 32;
inline constexpr uint64_t kFirstHandIncarnationJumpMax = uint64_t{1} << 40;

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_LIMITS_H_
