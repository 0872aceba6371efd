#include "node/cli/exit_code.h"

#include "client/error.h"

namespace sessionmesh::cli {

absl::string_view ExitCodeHelp() {
  return "Exit codes:\n"
         "  0  done\n"
         "  1  refused or failed\n"
         "  2  wrong command line, nothing was sent\n"
         "  3  no such session or attribute\n"
         "  4  no node answers in time, it is not ready, or the token is ahead "
         "of "
         "it\n"
         "  5  the session exists already, or --if-version or --if-absent did "
         "not "
         "hold\n"
         "  6  the write failed but is, or may be, applied\n";
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) {
    return ExitCode::kOk;
  }
  if (client::MayBeApplied(status)) {
    return ExitCode::kMayBeApplied;
  }
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnavailable;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kPrecondition;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace sessionmesh::cli
