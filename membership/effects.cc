#include "membership/effects.h"

namespace sessionmesh::membership {

absl::string_view EventKindName(EventKind kind) {
  switch (kind) {
    case EventKind::kJoined:
      return "joined";
    case EventKind::kSuspected:
      return "suspected";
    case EventKind::kRefuted:
      return "refuted";
    case EventKind::kDied:
      return "died";
    case EventKind::kLeft:
      return "left";
    case EventKind::kRejoined:
      return "rejoined";
    case EventKind::kForgotten:
      return "forgotten";
    case EventKind::kSelfAccused:
      return "self-accused";
    case EventKind::kSuperseded:
      return "superseded";
    case EventKind::kLeaving:
      return "leaving";
    case EventKind::kLeaveCompleted:
      return "leave-completed";
    case EventKind::kIsolated:
      return "isolated";
    case EventKind::kNotIsolated:
      return "not-isolated";
    case EventKind::kJoinSucceeded:
      return "join-succeeded";
    case EventKind::kJoinFailed:
      return "join-failed";
    case EventKind::kNameConflict:
      return "name-conflict";
    case EventKind::kOtherCluster:
      return "other-cluster";
    case EventKind::kTableFull:
      return "table-full";
    case EventKind::kDatagramsBlocked:
      return "datagrams-blocked";
    case EventKind::kDatagramsWork:
      return "datagrams-work";
  }
  return "unknown";
}

}  // namespace sessionmesh::membership
