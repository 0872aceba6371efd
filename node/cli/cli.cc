#include "node/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "node/cli/arguments.h"
#include "node/cli/commands.h"
#include "node/cli/exit_code.h"

namespace sessionmesh::cli {
namespace {

constexpr std::size_t kNativeIdSize = 30;

constexpr char kGlobalsHelp[] =
    "Options of every command:\n"
    "  --address HOST:PORT,...    nodes to ask, first to last (default "
    "localhost:7400; SESSIONCTL_ADDRESS)\n"
    "  --timeout DURATION         budget of a call, retries included (default "
    "2s)\n"
    "  -o,--output text|json      text for people, or JSON with keys that "
    "never change\n\n";

// Whether the arguments ask for JSON; for mistakes that end the parse before it
// has seen to its options.
bool AskForJson(const std::vector<std::string>& args) {
  bool json = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    absl::string_view value = args[i];
    if (value == "-o" || value == "--output") {
      value = i + 1 < args.size() ? absl::string_view(args[i + 1]) : "";
    } else if (!absl::ConsumePrefix(&value, "--output=") &&
               !absl::ConsumePrefix(&value, "-o")) {
      continue;
    }
    json = value == "json";
  }
  return json;
}

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

// A result that could not be written, for instance to a full disk, is none; but
// what the nodes have done counts for more than that.
int Finish(const Shell& shell, ExitCode code) {
  if (shell.Flush()) {
    return static_cast<int>(code);
  }
  const ExitCode failed = shell.Fail(absl::InternalError(
      "the output could not be written in full; is the disk full?"));
  return static_cast<int>(code == ExitCode::kOk ? failed : code);
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
                   ExitCodeHelp()));
  AddGlobals(&app, &shell);
  AddSessionCommands(&app, &shell);
  AddClusterCommands(&app, &shell);
  for (CLI::App* command : app.get_subcommands(/*filter=*/{})) {
    command->footer(absl::StrCat(command->get_footer(), "\n", kGlobalsHelp,
                                 ExitCodeHelp()));
  }

  std::vector<std::string> reversed = ProtectIds(args);  // as CLI11 wants them
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      app.exit(error, *io.out, *io.err);
      return Finish(shell, ExitCode::kOk);
    }
    shell.command.clear();  // the advice is that of the whole program
    shell.json = AskForJson(args);
    std::string what = error.what();
    if (app.get_subcommands().empty()) {
      for (const std::string& word : app.remaining()) {
        if (word.front() == '-') continue;
        what = absl::StrCat("there is no command \"", word, "\"");
        break;
      }
    }
    return static_cast<int>(shell.Usage(what));
  }
  return Finish(shell, shell.action());
}

}  // namespace sessionmesh::cli
