#ifndef REPLICATION_MESSAGE_H_
#define REPLICATION_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "replication/context.h"
#include "replication/delta.h"
#include "replication/live_hash.h"
#include "replication/snapshot.h"
#include "replication/types.h"

// What lanes of the same number say to each other. Each node sends everything
// for one peer over one stream that it opened itself: in order, nothing lost
// while the stream stands, anything in flight lost when it breaks. Every
// message tolerates being repeated.

namespace sessionmesh::replication {

using membership::NodeName;

// One run of a process, chosen at random at its start. A peer that shows a new
// one has forgotten everything.
using ProcessId = uint64_t;

struct SlotDot {
  SlotId slot = 0;
  Dot dot;

  bool operator==(const SlotDot&) const = default;
};

// An actor and who it is, so that an error can name the writer that is missing.
struct ActorHome {
  ActorId actor = 0;
  NodeName node;
  ProcessId process = 0;

  bool operator==(const ActorHome&) const = default;
};

// First on every stream, and repeated until a Hello of the other side shows
// that it was heard.
struct Hello {
  ProcessId process = 0;  // of the sender
  // What the sender has of the receiver's delta stream: it resumes behind
  // `received_seq`. Zero process: nothing was ever received.
  ProcessId received_process = 0;
  uint64_t received_epoch = 0;
  uint64_t received_seq = 0;
  std::vector<ActorHome> actors;  // the sender's own and others that it knows,
                                  // at most kActorHomesMax

  bool operator==(const Hello&) const = default;
};

// A numbered batch of deltas. `epoch` changes when the sender has dropped its
// queue; `seq` begins at 1.
struct Frame {
  uint64_t epoch = 0;
  uint64_t seq = 0;
  std::vector<DeltaPtr> deltas;
};

// Everything up to `seq` has arrived and is applied, except `parked`, which
// names all that still wait; of these, `settled` later names those that have
// become applied. Only applied deltas count as held (invariant I12).
struct FrameAck {
  ProcessId process = 0;  // whose frames these were
  uint64_t epoch = 0;
  uint64_t seq = 0;
  std::vector<SlotDot>
      parked;  // last dots of deltas that wait for a dependency
  std::vector<SlotDot>
      settled;  // last dots of deltas reported as parked before

  bool operator==(const FrameAck&) const = default;
};

// Asks for what the receiver of this message has and the sender lacks in one
// slot.
struct Pull {
  uint64_t pull = 0;  // chosen by the puller, unique in its process
  SlotId slot = 0;
  Context context;
  LiveHash live_hash;
  uint64_t last_access_hash = 0;

  bool operator==(const Pull&) const = default;
};

// Asks for part number `part` of the state that answers `pull`. Parts are asked
// for one at a time, so no more than one is ever under way.
struct PullMore {
  uint64_t pull = 0;
  uint32_t part = 0;

  bool operator==(const PullMore&) const = default;
};

// A node that the sender takes or took for an owner, or that pulled from it,
// and how long ago that was last so.
struct RecentOwner {
  NodeName node;
  absl::Duration age;  // whole milliseconds, zero: now

  bool operator==(const RecentOwner&) const = default;
};

struct PullReply {
  enum class Kind : uint8_t {
    kEqual = 1,   // contexts and live dots are the same
    kDeltas = 2,  // `deltas` bring the puller level
    kState = 3,   // part number `part` of a snapshot; `last` ends it
    kBusy = 4,    // too many transfers; try again later
    kGone = 5,    // PullMore for a transfer that is no longer held; begin anew
  };
  uint64_t pull = 0;
  SlotId slot = 0;
  Kind kind = Kind::kEqual;
  // The source's slot is ready: it has itself caught up with the owners there
  // were before it.
  bool ready = false;
  // ... but no quorum may count it: it never reached a ready owner, or it
  // caught up while a member was dead.
  bool degraded = false;
  // Hash of the names of the owners as the source sees them; a QUORUM across
  // differing lists is degraded.
  uint64_t owners_hash = 0;
  // Who may have accepted an access not long ago (rule D).
  std::vector<RecentOwner> recent;
  // Whenever the hashes differ: all of them (also with kEqual).
  std::vector<LastAccess> last_accesses;
  // Of all last accesses at the source. Whoever has the answer knows them.
  uint64_t last_access_hash = 0;
  std::vector<DeltaPtr> deltas;  // kDeltas
  // kState. The first part carries context, hash and the source's parked
  // deltas.
  uint32_t part = 0;
  bool last = true;
  Snapshot state;
};

// Asks for a Digest of all slots of the lane.
struct DigestRequest {
  bool operator==(const DigestRequest&) const = default;
};

// What a node is to a slot.
enum class Phase : uint8_t {
  kNone = 0,     // no owner, and holds nothing of it
  kSyncing = 1,  // an owner that has yet to catch up with those before it
  kReady = 2,    // an owner that serves
  kLeaving = 3,  // no owner; keeps what it has until all owners have it
};

// "none", "syncing", "ready", "leaving".
absl::string_view PhaseName(Phase phase);

struct SlotPhase {
  Phase phase = Phase::kNone;
  // kReady: it never reached a ready owner, so others may have more. kLeaving:
  // it was that, or never ready.
  bool degraded = false;

  bool operator==(const SlotPhase&) const = default;
};

struct SlotDigest {
  SlotId slot = 0;
  uint64_t context_hash = 0;
  uint64_t live_hash = 0;  // both halves mixed
  SlotPhase phase;         // the sender's

  bool operator==(const SlotDigest&) const = default;
};

// What the sender holds, slot by slot. An owner that finds a difference pulls.
struct Digest {
  ProcessId process = 0;  // of the sender: one of a former process may be late
  // All slots of the lane are described: to one that is missing the sender is
  // nothing (Phase::kNone). Otherwise some of them: those that have been quiet
  // for a while, or those whose phase has changed.
  bool complete = false;
  bool leaving = false;  // the sender hands over all it has: it is no place to
                         // leave things
  // Hash of the members that the sender places slots on.
  uint64_t placement = 0;
  std::vector<SlotDigest> slots;  // ascending by slot

  bool operator==(const Digest&) const = default;
};

// The sender has dropped deltas meant for the receiver in these slots: pull
// them.
struct Resync {
  std::vector<SlotId> slots;

  bool operator==(const Resync&) const = default;
};

struct SlotTouch {
  SlotId slot = 0;
  LastAccess access;

  bool operator==(const SlotTouch&) const = default;
};

// Accesses since the last ones sent. May be lost; state transfers carry them
// too.
struct Touches {
  std::vector<SlotTouch> touches;

  bool operator==(const Touches&) const = default;
};

// The receiver's last frame was not accepted as a whole: a clock too far ahead,
// or an actor outside the bounds of time. The sender stops sending deltas until
// the link begins anew.
struct Refuse {
  std::string why;

  bool operator==(const Refuse&) const = default;
};

// The sender is no owner of the slot any more and asks an owner whether it has
// all of this (rule C), so that the sender may drop it.
struct DropAsk {
  SlotId slot = 0;
  uint64_t attempt = 0;  // unique in the asking process
  Context context;
  uint64_t last_access_hash = 0;

  bool operator==(const DropAsk&) const = default;
};

// Yes to a DropAsk, from a ready owner that has everything. There is no no.
struct DropConsent {
  SlotId slot = 0;
  uint64_t attempt = 0;

  bool operator==(const DropConsent&) const = default;
};

using Message = std::variant<Hello, Frame, FrameAck, Pull, PullMore, PullReply,
                             DigestRequest, Digest, Resync, Touches, Refuse,
                             DropAsk, DropConsent>;

inline constexpr size_t kActorHomesMax = 256;

}  // namespace sessionmesh::replication

#endif  // REPLICATION_MESSAGE_H_
