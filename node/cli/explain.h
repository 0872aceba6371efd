#ifndef NODE_CLI_EXPLAIN_H_
#define NODE_CLI_EXPLAIN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::cli {

// An error for people: what failed, why if the node said so, what to try.
//
//   sessionctl get: no such session
//     why: the node has seen everything that the token names
//     try: ...
//
// Pure. `command` is the subcommand, `addresses` those that were asked.
std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view addresses);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_EXPLAIN_H_
