#ifndef NODE_CLI_EXIT_CODE_H_
#define NODE_CLI_EXIT_CODE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::cli {

// What sessionctl returns to the shell; the help prints the same list.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,        // refused or failed, for a reason that has no code below
  kUsage = 2,         // the command line is wrong; nothing was sent
  kNotFound = 3,      // no such session, or no such attribute
  kUnavailable = 4,   // no node answers, it is not ready, or the token is ahead
  kPrecondition = 5,  // the session exists already, or a condition did not hold
  kMayBeApplied = 6,  // the write failed, and is or may be applied all the same
};

ExitCode ExitCodeOf(const absl::Status& status);

// The lines of the help.
absl::string_view ExitCodeHelp();

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_EXIT_CODE_H_
