#include "node/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "node/config_file.h"
#include "node/options_table.h"
#include "node/socket_address.h"
#include "node/version.h"

namespace sessionmesh::node {
namespace {

constexpr char kHelpEnd[] = R"(
Every option can also be given as a key of the TOML file (name = "value") or as
the environment variable SESSIOND_NAME (capitals, underscores). Flag beats
environment beats file.

Examples:
  sessiond
      one node on loopback, ready for work
  sessiond --name b --client-address 127.0.0.1:7410 \
           --peer-address 127.0.0.1:7411 --state-dir /tmp/b --join 127.0.0.1:7401
      a second node on the same machine
  sessiond --peer-address 10.0.0.7:7401 --join sessions.internal:7401 \
           --key-file /etc/sessiond/key
      one node of many; the name resolves to some or all of them

When it serves, one line on standard output says so:
  ready name=NAME client=HOST:PORT peer=HOST:PORT generation=N slots=N
SIGTERM and SIGINT leave the cluster and end the process; a second one ends it
at once. SIGHUP changes nothing: options are read at the start only.
Exit codes: 0 left as asked, 1 failed at run time, 2 wrong options or
configuration, 130 ended by a second signal.
)";

// What one source says about one option.
struct Given {
  std::vector<std::string> texts;
  std::string source;  // "--slots", "SESSIOND_SLOTS", "sessiond.toml line 3"
};

// The values of all options, each from the strongest source that names it; and
// everything that is wrong so far.
struct Sources {
  std::map<std::string, Given> values;
  std::vector<std::string> problems;

  void Offer(const std::string& name, Given given) {
    values.emplace(name, std::move(given));  // whoever comes first wins
  }
};

const OptionSpec* FindSpec(const std::vector<OptionSpec>& table,
                           absl::string_view name) {
  for (const OptionSpec& spec : table) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

// The option whose name is nearest to a wrong one, for "did you mean".
std::string Suggestion(const std::vector<OptionSpec>& table,
                       absl::string_view wrong) {
  size_t best = 4;  // further than three letters apart is another word
  std::string nearest;
  for (const OptionSpec& spec : table) {
    // Levenshtein distance, row by row.
    std::vector<size_t> row(spec.name.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= wrong.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j < row.size(); ++j) {
        const size_t replaced =
            diagonal + (wrong[i - 1] == spec.name[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best) {
      best = row.back();
      nearest = spec.name;
    }
  }
  return nearest;
}

// CLI11 with every option of the table as plain text: it splits the command
// line and writes the help; what the texts mean is decided later, so that every
// problem is found and not only the first.
class CommandLine {
 public:
  CommandLine(const std::vector<OptionSpec>& table,
              const Environment& environment)
      : app_(
            "sessiond: one node of a Sessionmesh cluster, which replicates the "
            "sessions of web applications.",
            "sessiond") {
    app_.set_help_flag();
    app_.allow_extras();
    app_.footer(kHelpEnd);
    const auto config = environment.find("SESSIOND_CONFIG");
    if (config != environment.end()) config_path = config->second;
    for (const OptionSpec& spec : table) AddOption(spec);
    app_.add_option("--config", config_path, "TOML file with options.")
        ->type_name("FILE")
        ->group("Process");
    app_.add_flag("--check-config", check,
                  "Say whether the options and the file are good, and end.")
        ->group("Process");
    app_.add_flag("-h,--help", help, "Print this text.")->group("Process");
    app_.add_flag("--version", version, "Print the version.")->group("Process");
  }

  void Parse(const std::vector<OptionSpec>& table,
             std::vector<std::string> arguments, Sources* sources) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants it
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      sources->problems.push_back(error.what());
      return;
    }
    for (const std::string& extra : app_.remaining()) {
      absl::string_view name = extra;
      if (!absl::ConsumePrefix(&name, "--")) {
        sources->problems.push_back(
            absl::StrCat("\"", extra, "\" is not an option; see --help"));
        continue;
      }
      name = name.substr(0, name.find('='));
      const std::string near = Suggestion(table, name);
      sources->problems.push_back(absl::StrCat(
          "--", name, " is not an option; ",
          near.empty() ? "see --help"
                       : absl::StrCat("did you mean --", near, "?")));
    }
    for (const OptionSpec& spec : table) {
      const CLI::Option* option = app_.get_option("--" + spec.name);
      if (option->count() == 0) continue;
      // As they were written: a switch that stands alone is "true", and CLI11
      // has not applied the policy for what is given twice.
      std::vector<std::string> texts = option->results();
      if (spec.kind != OptionSpec::Kind::kList) {
        texts.erase(texts.begin(), texts.end() - 1);
      }
      sources->Offer(spec.name, {std::move(texts), "--" + spec.name});
    }
  }

  std::string Help() const { return app_.help(); }

  std::string config_path;
  bool check = false;
  bool help = false;
  bool version = false;

 private:
  void AddOption(const OptionSpec& spec) {
    CLI::Option* option = nullptr;
    if (spec.kind == OptionSpec::Kind::kSwitch) {
      option = app_.add_flag("--" + spec.name, spec.help);
    } else {
      option = app_.add_option("--" + spec.name, spec.help);
      option->type_name(spec.value_name);
      option->type_size(1);
      option->expected(1);
      // A value that is given twice is a list's next one, or replaces.
      option->multi_option_policy(spec.kind == OptionSpec::Kind::kList
                                      ? CLI::MultiOptionPolicy::TakeAll
                                      : CLI::MultiOptionPolicy::TakeLast);
    }
    option->group(spec.group);
    if (!spec.fallback.empty()) {
      option->default_str(absl::StrJoin(spec.fallback, ","));
    }
  }

  CLI::App app_;
};

// Kubernetes puts addresses of a service called "sessiond" into the environment
// of every container; they are not ours.
bool IsFromKubernetes(absl::string_view variable) {
  return absl::StartsWith(variable, "SESSIOND_SERVICE_") ||
         variable == "SESSIOND_PORT" ||
         absl::StartsWith(variable, "SESSIOND_PORT_");
}

void ReadEnvironment(const std::vector<OptionSpec>& table,
                     const Environment& environment, Sources* sources) {
  std::set<std::string> known = {"SESSIOND_CONFIG"};
  for (const OptionSpec& spec : table) {
    const std::string variable = VariableName(spec.name);
    known.insert(variable);
    const auto found = environment.find(variable);
    if (found != environment.end()) {
      sources->Offer(spec.name, {{found->second}, variable});
    }
  }
  for (const auto& [variable, value] : environment) {
    if (!absl::StartsWith(variable, "SESSIOND_")) continue;
    if (known.count(variable) > 0 || IsFromKubernetes(variable)) continue;
    sources->problems.push_back(absl::StrCat("environment variable ", variable,
                                             " is not an option; see --help"));
  }
}

void ReadFile(const std::vector<OptionSpec>& table, const std::string& path,
              Sources* sources) {
  std::string text(kConfigFileBytesMax + 1, '\0');
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    sources->problems.push_back(absl::StrCat("cannot open configuration file ",
                                             path, ": ", strerror(errno)));
    return;
  }
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed || text.size() > kConfigFileBytesMax) {
    sources->problems.push_back(
        absl::StrCat("cannot read configuration file ", path,
                     failed ? "" : ": it is larger than 1 MiB"));
    return;
  }
  ConfigFile config = ParseConfig(text);
  for (const std::string& problem : config.problems) {
    sources->problems.push_back(absl::StrCat(path, " ", problem));
  }
  for (ConfigEntry& entry : config.entries) {
    const std::string where = absl::StrCat(path, " line ", entry.line);
    const OptionSpec* spec = FindSpec(table, entry.key);
    if (spec == nullptr) {
      const std::string near = Suggestion(table, entry.key);
      sources->problems.push_back(absl::StrCat(
          where, ": \"", entry.key, "\" is not an option",
          near.empty() ? "" : absl::StrCat("; did you mean \"", near, "\"?")));
    } else if (spec->kind != OptionSpec::Kind::kList &&
               entry.values.size() != 1) {
      sources->problems.push_back(absl::StrCat(where, ": \"", entry.key,
                                               "\" takes one value, got ",
                                               entry.values.size()));
    } else {
      sources->Offer(entry.key, {std::move(entry.values), where});
    }
  }
}

// A node that others cannot reach must not join those that are elsewhere.
void CheckReachableBySeeds(const Options& options,
                           std::vector<std::string>* problems) {
  const bool by_flag = !options.advertise_address.empty();
  const std::string& advertised =
      by_flag ? options.advertise_address : options.peer_address;
  const auto address = ParseSocketAddress(advertised);
  if (!address.ok() || !address->is_loopback()) return;
  for (const std::string& seed : options.join) {
    const auto numeric = ParseSocketAddress(seed);
    if (!numeric.ok() || numeric->is_loopback()) continue;
    problems->push_back(absl::StrCat(
        by_flag ? "advertise-address" : "peer-address", " = ", advertised,
        ": the seed ", seed,
        " and other nodes could not call back; use an address of this "
        "machine's network, or 0.0.0.0:7401 for all"));
    return;
  }
}

// What two options together must not say.
void CheckTogether(const Options& options, std::vector<std::string>* problems) {
  const auto client = ParseSocketAddress(options.client_address);
  if (client.ok() && !client->is_loopback() &&
      !options.allow_insecure_client_address) {
    problems->push_back(absl::StrCat(
        "client-address = ", options.client_address,
        ": other machines could read and change every session without "
        "encryption or a credential; use a loopback address, --client-socket, "
        "or --allow-insecure-client-address if the network itself is "
        "protected"));
  }
  const auto peer = ParseSocketAddress(options.peer_address);
  if (client.ok() && peer.ok() && client->port() != 0 &&
      client->port() == peer->port() &&
      options.client_address == options.peer_address) {
    problems->push_back(
        absl::StrCat("client-address and peer-address are both ",
                     options.peer_address, "; give them different ports"));
  }
  CheckReachableBySeeds(options, problems);
  const replication::Config& sessions = options.replication;
  if (sessions.absolute_lifetime_default > sessions.absolute_lifetime_max) {
    problems->push_back(
        absl::StrCat("absolute-lifetime = ",
                     absl::FormatDuration(sessions.absolute_lifetime_default),
                     " must not exceed absolute-lifetime-max = ",
                     absl::FormatDuration(sessions.absolute_lifetime_max)));
  }
}

// Numbers that follow from others.
void Derive(Options* options) {
  replication::Config& config = options->replication;
  config.lane_count = std::min(config.lane_count, config.slot_count);
  config.lane_bytes_max /= config.lane_count;
  config.value_bytes_max =
      std::min(config.value_bytes_max, config.session_bytes_max);
}

}  // namespace

Environment ProcessEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    environment.insert(pair);
  }
  return environment;
}

absl::StatusOr<Invocation> ParseOptions(
    const std::vector<std::string>& arguments, const Environment& environment) {
  const std::vector<OptionSpec> table = OptionTable(environment);
  Sources sources;
  CommandLine command_line(table, environment);
  command_line.Parse(table, arguments, &sources);
  if (command_line.help) {
    return Invocation{Invocation::Action::kPrint, command_line.Help(), {}};
  }
  if (command_line.version) {
    return Invocation{Invocation::Action::kPrint,
                      absl::StrCat("sessiond ", kVersion, "\n"),
                      {}};
  }
  ReadEnvironment(table, environment, &sources);
  if (!command_line.config_path.empty()) {
    ReadFile(table, command_line.config_path, &sources);
  }

  Invocation invocation;
  Options& options = invocation.options;
  for (const OptionSpec& spec : table) {
    const auto given = sources.values.find(spec.name);
    if (given == sources.values.end()) {
      if (spec.fallback.empty()) continue;
      const absl::Status status = spec.apply(spec.fallback, &options);
      if (!status.ok()) {
        sources.problems.push_back(
            absl::StrCat("the default of --", spec.name, ", ",
                         spec.fallback.front(), ", does not do here: it ",
                         status.message(), "; set --", spec.name));
      }
      continue;
    }
    const absl::Status status = spec.apply(given->second.texts, &options);
    if (!status.ok()) {
      sources.problems.push_back(absl::StrCat(
          given->second.source, " = ", absl::StrJoin(given->second.texts, ","),
          ": ", status.message()));
    }
  }
  if (sources.problems.empty()) {
    CheckTogether(options, &sources.problems);
    Derive(&options);
    for (const absl::Status& status :
         {options.membership.Validate(), options.replication.Validate()}) {
      if (!status.ok()) sources.problems.emplace_back(status.message());
    }
  }
  if (!sources.problems.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(sources.problems, "\n"));
  }
  if (command_line.check) invocation.action = Invocation::Action::kCheck;
  return invocation;
}

}  // namespace sessionmesh::node
