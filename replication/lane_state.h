#ifndef REPLICATION_LANE_STATE_H_
#define REPLICATION_LANE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "replication/command.h"
#include "replication/config.h"
#include "replication/context.h"
#include "replication/message.h"
#include "replication/outbound.h"
#include "replication/slot.h"

// What a lane remembers of each slot, each peer, and each call that waits.
// Private to this folder; see Lane. Times are steady unless said otherwise.

namespace sessionmesh::replication {

struct SlotState {
  explicit SlotState(const Slot::Limits& limits) : slot(limits) {}

  Slot slot;
  SlotPhase phase;
  absl::Time phase_since = absl::InfinitePast();
  uint64_t owners_version = 0;  // that the phase follows
  uint64_t next_counter = 1;  // of this lane's present actor; goes on although
                              // the slot is dropped (invariant I1)

  // --- while syncing
  // The owners there were before, and all since.
  std::set<NodeName> sources;
  std::set<NodeName> synced_from;  // peers that have nothing that is missing
                                   // here
  // What was covered when the slot was dropped: it does not serve before it
  // covers that again, or it would show what it has called dead (rule C3).
  Context kept;

  // --- while leaving
  uint64_t attempt = 0;  // the present one
  std::set<NodeName> consents;

  absl::Time changed_at = absl::InfinitePast();
  // Periodic digests in a row that left it out, because it changed.
  uint32_t left_out = 0;
  absl::Time parked_since = absl::InfiniteFuture();
  size_t memory_bytes = 0;  // as last counted into the lane's total
  size_t parked_bytes = 0;  // likewise
};

struct PeerState {
  // An owner with an equal context holds other lives.
  struct Difference {
    absl::Time since;
    uint64_t live_hash;  // of the other
  };

  PeerState(const Config& config, uint64_t seed) : out(config, seed) {}

  Outbound out;
  bool linked = false;  // our stream to it stands
  absl::Time unlinked_since = absl::InfinitePast();
  bool cut = false;          // not linked for longer than the grace
  bool heard = false;        // ... and it has answered our Hello
  bool refused = false;      // it refuses our deltas
  bool distrusted = false;   // we refuse its deltas: its clock is far ahead
  ProcessId process = 0;     // 0: never heard
  std::set<ActorId> actors;  // of that process
  absl::Time hello_sent = absl::InfinitePast();
  // What we have of its delta stream.
  uint64_t in_epoch = 0;
  uint64_t in_seq = 0;
  // Last dots of its deltas that arrived and wait here for a dependency: every
  // acknowledgement names them, so that none counts as held when one
  // acknowledgement is lost.
  std::set<std::pair<SlotId, Dot>> unapplied;
  // Slots it must pull because we dropped deltas, until it does.
  std::set<SlotId> resync;
  std::map<SlotId, Difference> differences;
  // Hashes of its last accesses that this node knows, of slots that it wants to
  // drop.
  std::map<SlotId, uint64_t> accesses_known;
  // A complete digest of this link and process has come.
  bool described = false;
  std::vector<SlotPhase> phases;  // by slot / lane_count; empty: all kNone
  uint64_t placement = 0;         // see Digest
  absl::Time digest_requested = absl::InfinitePast();
  bool ask_again = false;  // what it last said keeps a slot from being ready
};

// The answers of other owners that a call or a probe waits for: whoever has
// answered a pull of the slot numbered `since` or higher.
struct Inquiry {
  SlotId slot = 0;
  uint64_t since = 0;
  absl::Time asked_at;  // wall
  std::set<NodeName> asked;
  std::set<NodeName> answered;
  std::set<NodeName> ready;  // those of them that are ready owners
  // Whom the answers call recent (rule D), and when that was last so.
  std::map<NodeName, absl::Time> recent;
};

// A call that cannot look at the slot yet.
struct Call {
  // What has been seen stays seen, and who has answered has answered; only
  // whether a session is idle changes with time alone, so it is asked last.
  enum class Stage : uint8_t { kToken, kQuorum, kIdle };
  Command command;
  SlotId slot = 0;
  std::vector<Dot> token;  // all dots that were presented
  Stage stage = Stage::kToken;
  size_t bytes = 0;     // of the command, about
  absl::Time patience;  // when to ask for what is missing (kToken)
  absl::Time give_up;
  bool asked = false;
  bool answered = false;  // nothing is left to do
  bool caught_up = false;
  bool quorum_unmet = false;
  bool lists_differ = false;
  std::optional<Inquiry> inquiry;
};

struct WatchState {
  SlotId slot = 0;
  std::string session_id;
  bool forwarded = false;
  std::vector<Dot> token;   // nothing is shown before all of it is covered
  std::vector<Dot> births;  // of the lives shown last
  std::vector<Dot> version;
};

// Idle lives of one slot whose other owners are being asked.
struct IdleProbe {
  Inquiry inquiry;
  std::map<Dot, int64_t> lives;  // birth -> last access when asked
  absl::Time give_up;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_LANE_STATE_H_
