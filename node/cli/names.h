#ifndef NODE_CLI_NAMES_H_
#define NODE_CLI_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/cluster.pb.h"
#include "proto/session.pb.h"

namespace sessionmesh::cli {

// Enumerators of the protocol as people write them: lower case, without the
// prefix. "unknown" for those that a newer node may send.
std::string MemberStateName(v1::MemberState state);            // "alive"
std::string EndedReasonName(v1::SessionEnded::Reason reason);  // "id_rotated"
std::string ReasonName(v1::Reason reason);                     // "stale"

// "local", "session", "quorum", "default".
std::optional<v1::Consistency> ParseConsistency(absl::string_view name);
// "local", "one", "quorum", "all", "default".
std::optional<v1::Durability> ParseDurability(absl::string_view name);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_NAMES_H_
