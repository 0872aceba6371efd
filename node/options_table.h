#ifndef NODE_OPTIONS_TABLE_H_
#define NODE_OPTIONS_TABLE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "node/options.h"

namespace sessionmesh::node {

// One option: its name is the flag --NAME, the key NAME of the file and the
// variable SESSIOND_NAME with underscores.
struct OptionSpec {
  enum class Kind : uint8_t { kValue, kList, kSwitch };

  std::string name;
  Kind kind = Kind::kValue;
  std::string value_name;  // what the help calls the value, with its unit
  std::string group;
  std::string help;
  // Applied when nobody says anything, and shown in the help; empty: nothing.
  std::vector<std::string> fallback;
  // Checks the texts and puts them into the options. The error says what is
  // allowed; the caller adds where the value came from.
  std::function<absl::Status(const std::vector<std::string>&, Options*)> apply;
};

// Every option, in the order of the help. `environment` gives the defaults that
// depend on the machine.
std::vector<OptionSpec> OptionTable(const Environment& environment);

// The variable of an option: "client-address" -> "SESSIOND_CLIENT_ADDRESS".
std::string VariableName(const std::string& option);

}  // namespace sessionmesh::node

#endif  // NODE_OPTIONS_TABLE_H_
