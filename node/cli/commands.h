#ifndef NODE_CLI_COMMANDS_H_
#define NODE_CLI_COMMANDS_H_

#include "node/cli/shell.h"

namespace CLI {
class App;
}  // namespace CLI

namespace sessionmesh::cli {

// Add the subcommands to the parser. A subcommand that is chosen stores its
// work in shell->action; nothing is sent while parsing. `shell` outlives both.

// create, get, set, unset, touch, rm, rotate, watch
void AddSessionCommands(CLI::App* app, Shell* shell);
// status, members, lag, where, events, join, leave
void AddClusterCommands(CLI::App* app, Shell* shell);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_COMMANDS_H_
