#ifndef NODE_CLI_ARGUMENTS_H_
#define NODE_CLI_ARGUMENTS_H_

#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sessionmesh::cli {

// "NAME=VALUE", "NAME=@FILE" (the bytes of a file), "NAME=-" (those of `in`, at
// most once). With `literal`, '@' and '-' have no meaning. INVALID_ARGUMENT
// says which item is wrong and why; nothing was sent then.
absl::StatusOr<client::Attributes> ParseAttributes(
    const std::vector<std::string>& items, bool literal, std::istream& in);

// Options whose values the parser checks, so that a mistake is a usage error.
// The targets outlive the parse.
CLI::Option* AddDuration(CLI::App* app, const std::string& name,
                         absl::Duration* target, const std::string& help);
CLI::Option* AddConsistency(CLI::App* app, v1::Consistency* target);
CLI::Option* AddDurability(CLI::App* app, v1::Durability* target);

// A session id as the parser delivers it, without the mark of ProtectIds().
std::string UnprotectId(const std::string& argument);

// The mark: no argument of a shell begins with it by accident.
inline constexpr char kIdMark = '\x01';

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_ARGUMENTS_H_
