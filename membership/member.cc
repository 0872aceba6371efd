#include "membership/member.h"

namespace sessionmesh::membership {

absl::string_view StateName(State state) {
  switch (state) {
    case State::kAlive:
      return "alive";
    case State::kSuspect:
      return "suspect";
    case State::kDead:
      return "dead";
    case State::kLeft:
      return "left";
  }
  return "unknown";
}

}  // namespace sessionmesh::membership
