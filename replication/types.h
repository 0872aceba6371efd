#ifndef REPLICATION_TYPES_H_
#define REPLICATION_TYPES_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::replication {

// A slot is the unit of everything: the replication group, the causal context,
// the anti-entropy unit. A session belongs to exactly one slot for its whole
// life.
using SlotId = uint16_t;

// An actor mints dots. The id of an actor says when it was born, so that a
// context entry can be dropped by a time rule alone:
//
//   [ 42 bits: milliseconds since 2024-01-01T00:00:00Z | 22 bits: random ]
//
// Every start of a process is a new actor, and a living one takes a new id each
// rotation period.
using ActorId = uint64_t;

ActorId MakeActorId(absl::Time start, uint64_t random);
absl::Time ActorEpoch(ActorId actor);

// The least id of an actor whose epoch is not before `floor`.
ActorId FirstActorSince(absl::Time floor);

// A dot names one change: the counter-th that `actor` made in this slot.
// Counters begin at 1. A dot is minted at most once, ever.
struct Dot {
  ActorId actor = 0;
  uint64_t counter = 0;

  auto operator<=>(const Dot&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const Dot& dot) {
    return H::combine(std::move(h), dot.actor, dot.counter);
  }
};

// Ascending, each once.
void SortUnique(std::vector<Dot>* dots);

// "3f2a1b4c5d6e70:17", for people and events.
std::string DotName(const Dot& dot);

// Hybrid logical clock (Kulkarni et al. 2014): [ 48 bits: milliseconds since
// 1970 | 16 bits: logical ].
using Hlc = uint64_t;

inline Hlc MakeHlc(int64_t wall_ms, uint16_t logical) {
  return static_cast<Hlc>(wall_ms) << 16 | logical;
}
inline int64_t HlcMillis(Hlc hlc) { return static_cast<int64_t>(hlc >> 16); }

// Attributes whose names begin with a zero byte belong to the protocol. Callers
// cannot name them.
inline constexpr absl::string_view kIdAttribute{"\0id", 3};
inline constexpr absl::string_view kUserAttribute{"\0user", 5};

inline bool IsReservedAttribute(absl::string_view name) {
  return !name.empty() && name.front() == '\0';
}

// Why a life ended, as it is counted, shown to watchers and carried by a KILL.
enum class EndReason : uint8_t {
  kDeleted = 1,   // somebody logged out
  kIdle = 2,      // nobody touched it for its idle timeout
  kDeadline = 3,  // its absolute deadline; never carried by a KILL
  kRevoked = 4,   // two rotations of one id raced each other
};

// "deleted", "idle", "deadline", "revoked".
absl::string_view EndReasonName(EndReason reason);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_TYPES_H_
