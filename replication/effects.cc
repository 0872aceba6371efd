#include "replication/effects.h"

namespace sessionmesh::replication {

absl::string_view EventName(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kLaneReady:
      return "lane_ready";
    case Event::Kind::kLaneReadyDegraded:
      return "lane_ready_degraded";
    case Event::Kind::kPeerForgot:
      return "peer_forgot";
    case Event::Kind::kQueueOverflow:
      return "queue_overflow";
    case Event::Kind::kRefused:
      return "refused";
    case Event::Kind::kStalePrevented:
      return "stale_prevented";
    case Event::Kind::kStaleAnswered:
      return "stale_answered";
    case Event::Kind::kWriteLost:
      return "write_lost";
    case Event::Kind::kSessionEnded:
      return "session_ended";
    case Event::Kind::kSessionRevoked:
      return "session_revoked";
    case Event::Kind::kParkedDropped:
      return "parked_dropped";
    case Event::Kind::kStateMismatch:
      return "state_mismatch";
    case Event::Kind::kExpiryPostponed:
      return "expiry_postponed";
    case Event::Kind::kActorRotated:
      return "actor_rotated";
    case Event::Kind::kClockBehind:
      return "clock_behind";
    case Event::Kind::kSlotDropped:
      return "slot_dropped";
    case Event::Kind::kSlotOrphaned:
      return "slot_orphaned";
  }
  return "unknown";
}

}  // namespace sessionmesh::replication
