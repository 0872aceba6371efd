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
// Pure. `command` is the subcommand ("": none yet), `addresses` those that were
// asked, `with_token` whether the command presented a token. An error that has
// no ErrorInfo counts as one of the transport unless it is WithAnswered.
std::string Explain(absl::string_view command, const absl::Status& status,
                    absl::string_view addresses, bool with_token);

// Marks an error without an ErrorInfo as the word of a node.
absl::Status WithAnswered(absl::Status status);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_EXPLAIN_H_
