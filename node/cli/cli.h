#ifndef NODE_CLI_CLI_H_
#define NODE_CLI_CLI_H_

#include <string>
#include <vector>

#include "node/cli/shell.h"

namespace sessionmesh::cli {

// All of sessionctl but the process: parses `args` (without the program name),
// runs the command, and returns the exit code (exit_code.h). Results go to
// io.out, everything else to io.err. Reads SESSIONCTL_ADDRESS.
int Run(const std::vector<std::string>& args, const Io& io);

// Ids that nodes choose are base64url, and 1 in 64 begins with '-', which the
// option parser would take for options. Marks them, so that they pass as
// positional arguments; UnprotectId() takes the mark off. Exactly 30 base64url
// characters are an id: no option of sessionctl is that long.
std::vector<std::string> ProtectIds(std::vector<std::string> args);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_CLI_H_
