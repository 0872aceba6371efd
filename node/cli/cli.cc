#include "node/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "node/cli/arguments.h"
#include "node/cli/commands.h"
#include "node/cli/exit_code.h"

namespace sessionmesh::cli {
namespace {

constexpr std::size_t kNativeIdSize = 30;

void AddGlobals(CLI::App* app, Shell* shell) {
  app->add_option("--address", shell->addresses,
                  "Nodes to ask, first to last: HOST:PORT or unix:/PATH, "
                  "separated by commas")
      ->envname("SESSIONCTL_ADDRESS")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str(std::string(client::kDefaultAddress))
      ->check([](const std::string& address) {
        return std::string(client::CheckAddress(address).message());
      });
  AddDuration(app, "--timeout", &shell->timeout,
              "Budget of a call, retries included (default 2s)");
  app->add_option_function<std::string>(
         "-o,--output",
         [shell](const std::string& format) { shell->json = format == "json"; },
         "Text for people, or JSON with keys that never change")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}));
}

}  // namespace

std::vector<std::string> ProtectIds(std::vector<std::string> args) {
  for (std::string& arg : args) {
    const bool native =
        arg.size() == kNativeIdSize &&
        std::all_of(arg.begin(), arg.end(), [](char c) {
          return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                 c == '-' || c == '_';
        });
    if (native && arg.front() == '-') {
      arg.insert(arg.begin(), kIdMark);
    }
  }
  return args;
}

int Run(const std::vector<std::string>& args, const Io& io) {
  Shell shell(io);
  CLI::App app("Looks at and works on a Sessionmesh cluster and its sessions.",
               "sessionctl");
  app.set_version_flag("--version", "sessionctl " SESSIONMESH_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // global options may also stand after the subcommand
  app.footer(
      absl::StrCat("Examples:\n"
                   "  sessionctl status\n"
                   "  sessionctl create cart='3 apples'\n"
                   "  sessionctl --address app2:7400 get ID\n"
                   "  sessionctl SUBCOMMAND --help\n\n",
                   kExitCodeHelp));
  AddGlobals(&app, &shell);
  AddSessionCommands(&app, &shell);
  AddClusterCommands(&app, &shell);

  std::vector<std::string> reversed = ProtectIds(args);  // as CLI11 wants them
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      return app.exit(error, *io.out, *io.err);
    }
    *io.err << "sessionctl: " << error.what() << "\n  try: sessionctl --help\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(shell.action());
}

}  // namespace sessionmesh::cli
