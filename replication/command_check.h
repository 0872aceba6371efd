#ifndef REPLICATION_COMMAND_CHECK_H_
#define REPLICATION_COMMAND_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "replication/command.h"
#include "replication/config.h"

namespace sessionmesh::replication {

// Whether a command is well formed and within the limits that need no look at
// the session: names, values, counts, lifetimes, request id. INVALID_ARGUMENT
// says the field, the value and the limit; `failure` says it to machines. The
// session id and the tokens are checked elsewhere.
absl::Status CheckCommand(const Command& command, const Config& config,
                          Failure* failure);

// INVALID_ARGUMENT about a named limit, with the machine-readable part filled
// in.
absl::Status OverLimit(absl::string_view what, uint64_t value, uint64_t limit,
                       Failure* failure);

// Why SessionIds has refused the id with this status, for machines. The limit
// is filled in when the length is at fault; a value below it says that it is
// the least.
Failure FailureOfId(absl::string_view id, const absl::Status& refused);

// Why DecodeToken has refused the token, likewise. A forged one exceeds
// nothing.
Failure FailureOfToken(absl::string_view token);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_COMMAND_CHECK_H_
