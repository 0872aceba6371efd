#ifndef NODE_OPTIONS_H_
#define NODE_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "membership/config.h"
#include "replication/command.h"
#include "replication/config.h"

namespace sessionmesh::node {

// Everything an operator can say to sessiond, checked. What each means stands
// in the help text (options_table.cc).
struct Options {
  std::string name;
  std::string zone;  // or empty
  std::string cluster_id;
  std::string client_address;
  std::string client_socket;  // path, or empty
  bool allow_insecure_client_address = false;
  std::string peer_address;
  std::string advertise_address;  // empty: the peer address
  std::vector<std::string> join;
  std::string state_dir;
  std::string key_file;  // empty: the key derives from the cluster id

  // SESSION or another level for calls that name none.
  replication::Consistency default_consistency =
      replication::Consistency::kSession;
  replication::Durability default_durability = replication::Durability::kOne;

  std::string log_level;  // "debug", "info", "warning", "error"

  membership::Config membership;
  // For every lane; `lane` and `bootstrap` are filled in by Node.
  replication::Config replication;
};

// What a command line asks for.
struct Invocation {
  enum class Action : uint8_t {
    kRun,
    kCheck,  // --check-config: the options are good, say so and end
    kPrint,  // --help, --version: print `text` and end
  };
  Action action = Action::kRun;
  std::string text;
  Options options;
};

using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment ProcessEnvironment();

// Reads `arguments` (without the program's name), the SESSIOND_* variables of
// `environment` and the file named by --config or SESSIOND_CONFIG. Flag beats
// environment beats file beats default.
//
// INVALID_ARGUMENT lists every problem of all three on a line of its own: where
// it stands, the value, what is allowed.
absl::StatusOr<Invocation> ParseOptions(
    const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace sessionmesh::node

#endif  // NODE_OPTIONS_H_
