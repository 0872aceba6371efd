#include "replication/message.h"

namespace sessionmesh::replication {

absl::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kNone:
      return "none";
    case Phase::kSyncing:
      return "syncing";
    case Phase::kReady:
      return "ready";
    case Phase::kLeaving:
      return "leaving";
  }
  return "unknown";
}

}  // namespace sessionmesh::replication
