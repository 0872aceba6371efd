#ifndef MEMBERSHIP_EFFECTS_H_
#define MEMBERSHIP_EFFECTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "membership/message.h"

namespace sessionmesh::membership {

// What happened, for logs, metrics, event streams and the checkers of the
// simulator. Who replays the events marked [view] knows the claim and the
// address of every member.
enum class EventKind : uint8_t {
  // [view] A member not known before is alive.
  kJoined,
  // [view] A member did not answer. It may still refute.
  kSuspected,
  // [view] Alive at a higher incarnation of the same generation, and was not
  // dead: it has answered a doubt, perhaps one that never came here.
  kRefuted,
  // [view] The suspicion ran out, here or elsewhere; or a member is learnt of
  // that is dead already.
  kDied,
  // [view] A member said goodbye.
  kLeft,
  // [view] Alive again after death or goodbye, or alive in a higher generation.
  kRejoined,
  // [view] One that left or died long ago is no longer kept. `member` is what
  // it was.
  kForgotten,

  // [view] Somebody doubted this node, which has refuted it by raising its
  // incarnation.
  kSelfAccused,
  // A higher generation of this node's name exists: the process must end. Once.
  kSuperseded,
  // [view] This node says goodbye.
  kLeaving,
  // The goodbye is spread, or leave_timeout over: the process may end. Once.
  kLeaveCompleted,

  // This node has heard nobody for two probe intervals; hears somebody again.
  kIsolated,
  kNotIsolated,
  // A seed, `detail`, answered: this node is part of a cluster.
  kJoinSucceeded,
  // No seed answered, `detail` says why. It will be tried again.
  kJoinFailed,

  // Two nodes use one name; the newcomer, at `detail`, is refused. At most once
  // a minute for a name.
  kNameConflict,
  // The node at `detail` belongs to another cluster.
  kOtherCluster,
  // A newcomer, `detail`, was refused since members_max are known. At most once
  // a minute.
  kTableFull,

  // A member answers on the reliable plane but not to pings: is UDP blocked?
  // And: it answers pings again. Once per change.
  kDatagramsBlocked,
  kDatagramsWork,
};

absl::string_view EventKindName(EventKind kind);  // "joined", "suspected", ...

struct Event {
  EventKind kind = EventKind::kJoined;
  absl::Time at;  // wall
  // The subject after the event. For kNameConflict, the one that holds the
  // name. This node itself for what is not about another member.
  Member member;
  // Its claim before, if it was known.
  std::optional<Claim> previous;
  // Whose doubt it is (kSuspected, kDied, kSelfAccused) or was (kRefuted).
  NodeName accuser;
  std::string detail;
};

// Send one datagram, best effort. A local failure needs no report: it looks
// like loss.
struct Send {
  Address to;
  Datagram datagram;
};

// Call PeerService.Exchange at `to` with deadline `timeout`, and feed the reply
// or the failure back with the same `op`, exactly once.
struct Exchange {
  OpId op = 0;
  Address to;
  Request request;
  absl::Duration timeout;
};

// Answer the peer's call `call`.
struct Answer {
  CallId call = 0;
  Reply reply;
};

// Effects is what the shell must do after a call into the core, in this order:
// answers, sends, exchanges, want_seeds, events. The core only appends; the
// shell performs and clears.
struct Effects {
  std::vector<Answer> answers;
  std::vector<Send> sends;
  std::vector<Exchange> exchanges;
  std::vector<Event> events;
  // Resolve the configured seeds again (names have new addresses) and answer by
  // SeedsResolved. Ignored by a shell without seeds.
  bool want_seeds = false;

  bool empty() const {
    return answers.empty() && sends.empty() && exchanges.empty() &&
           events.empty() && !want_seeds;
  }
  void clear() { *this = Effects(); }
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_EFFECTS_H_
