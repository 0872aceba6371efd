#include "tests/sim/operation.h"

namespace sessionmesh::sim {

absl::string_view KindName(Command::Kind kind) {
  switch (kind) {
    case Command::Kind::kCreate:
      return "create";
    case Command::Kind::kGet:
      return "get";
    case Command::Kind::kUpdate:
      return "update";
    case Command::Kind::kTouch:
      return "touch";
    case Command::Kind::kDelete:
      return "delete";
    case Command::Kind::kRotate:
      return "rotate";
  }
  return "unknown";
}

absl::string_view OutcomeName(Operation::Outcome outcome) {
  switch (outcome) {
    case Operation::Outcome::kPending:
      return "pending";
    case Operation::Outcome::kOk:
      return "ok";
    case Operation::Outcome::kFailed:
      return "failed";
    case Operation::Outcome::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace sessionmesh::sim
