#include "node/options_table.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "node/keys.h"
#include "node/option_values.h"
#include "node/socket_address.h"

namespace sessionmesh::node {
namespace {

using Texts = std::vector<std::string>;
using Kind = OptionSpec::Kind;

constexpr char kIdentity[] = "Identity";
constexpr char kNetwork[] = "Network";
constexpr char kCluster[] = "Cluster constants, equal on every node";
constexpr char kSessions[] = "Sessions";
constexpr char kProcess[] = "Process";

constexpr size_t kSessionBytesLow = size_t{1} << 10;
constexpr size_t kSessionBytesHigh = size_t{1} << 20;
constexpr size_t kMemoryLow = size_t{1} << 20;
constexpr size_t kMemoryHigh = size_t{1} << 42;

std::string HostName() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
    return "node";
  }
  return name;
}

std::string Find(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// Where the state file lives when nobody says: systemd's choice, the user's, or
// the system's.
std::string DefaultStateDir(const Environment& environment) {
  const std::string systemd = Find(environment, "STATE_DIRECTORY");
  if (!systemd.empty()) return systemd.substr(0, systemd.find(':'));
  const std::string xdg = Find(environment, "XDG_STATE_HOME");
  if (!xdg.empty()) return absl::StrCat(xdg, "/sessiond");
  if (geteuid() == 0) return "/var/lib/sessiond";
  const std::string home = Find(environment, "HOME");
  if (!home.empty()) return absl::StrCat(home, "/.local/state/sessiond");
  return absl::StrCat("/tmp/sessiond-", geteuid());
}

absl::Status CheckHostPort(const std::string& text) {
  return ParseHostPort(text).status();
}

// An address to listen on: numeric, so that there is exactly one of it.
absl::Status CheckListenAddress(const std::string& text) {
  if (const auto address = ParseSocketAddress(text); !address.ok()) {
    return absl::InvalidArgumentError(
        "must be a numeric address and a port, like 127.0.0.1:7400, [::1]:7400 "
        "or 0.0.0.0:0 (port 0: any free one)");
  }
  return absl::OkStatus();
}

// Wraps a reader of one value and the place where the value goes.
template <typename Parse, typename Store>
std::function<absl::Status(const Texts&, Options*)> One(Parse parse,
                                                        Store store) {
  return [parse, store](const Texts& texts, Options* options) {
    auto value = parse(texts.front());
    if (!value.ok()) return value.status();
    store(*value, options);
    return absl::OkStatus();
  };
}

// A text that is kept as it is if `check` likes it.
template <typename Check>
std::function<absl::Status(const Texts&, Options*)> Text(
    std::string Options::*field, Check check) {
  return [field, check](const Texts& texts, Options* options) {
    absl::Status status = check(texts.front());
    if (status.ok()) options->*field = texts.front();
    return status;
  };
}

// More copies are what "all" is for.
constexpr uint32_t kReplicasMost = 16;

absl::Status Anything(const std::string&) { return absl::OkStatus(); }

std::function<absl::Status(const Texts&, Options*)> DurationOption(
    absl::Duration low, absl::Duration high,
    absl::Duration replication::Config::*field) {
  return One(
      [low, high](const std::string& text) {
        return ParseDurationBetween(text, low, high);
      },
      [field](absl::Duration value, Options* options) {
        options->replication.*field = value;
      });
}

absl::Status ApplySlots(const Texts& texts, Options* options) {
  uint32_t slots = 0;
  if (!absl::SimpleAtoi(texts.front(), &slots) || slots == 0 || slots > 65536 ||
      (slots & (slots - 1)) != 0) {
    return absl::InvalidArgumentError(
        "must be a power of two from 1 to 65536, the same on every node");
  }
  options->replication.slot_count = slots;
  return absl::OkStatus();
}

absl::Status ApplyReplicas(const Texts& texts, Options* options) {
  uint32_t replicas = 0;
  if (texts.front() == "all") {
    replicas = replication::kReplicasAll;
  } else if (!absl::SimpleAtoi(texts.front(), &replicas) || replicas == 0 ||
             replicas > kReplicasMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a number from 1 to ", kReplicasMost,
                     ", or \"all\"; the same on every node"));
  }
  options->replication.replicas = replicas;
  return absl::OkStatus();
}

absl::Status ApplyJoin(const Texts& texts, Options* options) {
  options->join.clear();
  for (const std::string& text : texts) {
    for (absl::string_view seed :
         absl::StrSplit(text, ',', absl::SkipWhitespace())) {
      seed = absl::StripAsciiWhitespace(seed);
      if (const auto parts = ParseHostPort(seed); !parts.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("must be host:port or a list of them with commas; ",
                         parts.status().message()));
      }
      options->join.emplace_back(seed);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSocketPath(const std::string& path) {
  // sockaddr_un has room for 108 bytes with the zero at the end.
  if (path.empty() || path.front() != '/' || path.size() > 107) {
    return absl::InvalidArgumentError(
        "must be an absolute path of at most 107 bytes");
  }
  return absl::OkStatus();
}

absl::Status CheckLogLevel(const std::string& level) {
  if (level == "debug" || level == "info" || level == "warning" ||
      level == "error") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("must be debug, info, warning or error");
}

std::vector<OptionSpec> IdentityOptions(const Environment& environment) {
  return {
      {"name",
       Kind::kValue,
       "NAME",
       kIdentity,
       "Name of this node: unique in the cluster, the same after a restart.",
       {HostName()},
       Text(&Options::name, CheckName)},
      {"zone",
       Kind::kValue,
       "NAME",
       kIdentity,
       "What fails together with this node: a rack, a room, an availability "
       "zone. The copies of a session are spread over zones first.",
       {""},
       Text(&Options::zone, CheckZone)},
      {"state-dir",
       Kind::kValue,
       "DIR",
       kIdentity,
       "Directory for the node's identity (a few lines, no sessions). Two "
       "nodes on one machine need two.",
       {DefaultStateDir(environment)},
       Text(&Options::state_dir, Anything)},
      {"key-file",
       Kind::kValue,
       "FILE",
       kIdentity,
       absl::StrCat("File with the cluster's key for tokens and session ids: ",
                    kKeyBytesMin,
                    " bytes or more, mode 0600, the same on every node. "
                    "Without it tokens are safe from damage, not from "
                    "forgery."),
       {},
       Text(&Options::key_file, Anything)},
  };
}

std::vector<OptionSpec> NetworkOptions() {
  return {
      {"client-address",
       Kind::kValue,
       "HOST:PORT",
       kNetwork,
       "Where applications and sessionctl connect (gRPC). Port 0: any free "
       "one.",
       {"127.0.0.1:7400"},
       Text(&Options::client_address, CheckListenAddress)},
      {"client-socket",
       Kind::kValue,
       "PATH",
       kNetwork,
       "A Unix socket for applications, beside the address.",
       {},
       Text(&Options::client_socket, CheckSocketPath)},
      {"allow-insecure-client-address",
       Kind::kSwitch,
       "",
       kNetwork,
       "Permit a client address that other machines can reach. There is "
       "neither encryption nor a credential: whoever connects can read and "
       "change every session.",
       {},
       One(ParseBool,
           [](bool value, Options* options) {
             options->allow_insecure_client_address = value;
           })},
      {"peer-address",
       Kind::kValue,
       "HOST:PORT",
       kNetwork,
       "Where other nodes connect: gossip (UDP) and gRPC (TCP) on one port "
       "number. Port 0: any free one.",
       {"127.0.0.1:7401"},
       Text(&Options::peer_address, CheckListenAddress)},
      {"advertise-address",
       Kind::kValue,
       "HOST:PORT",
       kNetwork,
       "Where other nodes find this one, if that is not the peer address: "
       "behind address translation, or when it listens on 0.0.0.0. Port 0: "
       "the peer port.",
       {},
       Text(&Options::advertise_address, CheckHostPort)},
      {"join",
       Kind::kList,
       "HOST:PORT,...",
       kNetwork,
       "Other nodes of the cluster, any of them, repeatable. Names are "
       "resolved "
       "again at every try. Its own address may be in the list.",
       {},
       ApplyJoin},
  };
}

std::vector<OptionSpec> ClusterOptions() {
  const replication::Config defaults;
  return {
      {"cluster-id",
       Kind::kValue,
       "NAME",
       kCluster,
       "Nodes of different clusters refuse each other.",
       {"sessionmesh"},
       Text(&Options::cluster_id, CheckName)},
      {"slots",
       Kind::kValue,
       "COUNT",
       kCluster,
       "Parts that the sessions are divided into; a power of two.",
       {absl::StrCat(defaults.slot_count)},
       ApplySlots},
      {"replicas",
       Kind::kValue,
       "COUNT",
       kCluster,
       "Nodes that hold each session, or \"all\". Every node serves every "
       "session, by asking one of them if it must.",
       {"3"},
       ApplyReplicas},
      {"absolute-lifetime-max",
       Kind::kValue,
       "DURATION",
       kCluster,
       "No session lives longer, whatever it asks for.",
       {absl::FormatDuration(defaults.absolute_lifetime_max)},
       DurationOption(absl::Minutes(1), absl::Hours(24 * 365),
                      &replication::Config::absolute_lifetime_max)},
      {"profile",
       Kind::kValue,
       "PROFILE",
       kCluster,
       "How fast failures are noticed: lan (one data centre), wan, local (one "
       "machine) or fast (one data centre, five times the packets of lan).",
       {"lan"},
       One(membership::Config::FromProfile,
           [](const membership::Config& value, Options* options) {
             options->membership = value;
           })},
  };
}

std::vector<OptionSpec> SessionOptions() {
  const replication::Config defaults;
  return {
      {"idle-timeout",
       Kind::kValue,
       "DURATION",
       kSessions,
       "Sessions that ask for nothing else end when nobody used them so long.",
       {absl::FormatDuration(defaults.idle_default)},
       DurationOption(absl::Seconds(1), absl::Hours(24 * 365),
                      &replication::Config::idle_default)},
      {"absolute-lifetime",
       Kind::kValue,
       "DURATION",
       kSessions,
       "Sessions that ask for nothing else end so long after their creation.",
       {absl::FormatDuration(defaults.absolute_lifetime_default)},
       DurationOption(absl::Seconds(1), absl::Hours(24 * 365),
                      &replication::Config::absolute_lifetime_default)},
      {"max-session-bytes",
       Kind::kValue,
       "BYTES",
       kSessions,
       "Names and values of one session together.",
       {FormatBytes(defaults.session_bytes_max)},
       One(
           [](const std::string& text) {
             return ParseBytesBetween(text, kSessionBytesLow,
                                      kSessionBytesHigh);
           },
           [](size_t value, Options* options) {
             options->replication.session_bytes_max = value;
           })},
      {"max-memory",
       Kind::kValue,
       "BYTES",
       kSessions,
       "Payload of all sessions of this node; beyond it new data is refused.",
       {FormatBytes(defaults.lane_bytes_max * defaults.lane_count)},
       One(
           [](const std::string& text) {
             return ParseBytesBetween(text, kMemoryLow, kMemoryHigh);
           },
           [](size_t value, Options* options) {
             options->replication.lane_bytes_max = value;
           })},
      {"default-consistency",
       Kind::kValue,
       "LEVEL",
       kSessions,
       "Of reads that name none: local, session or quorum.",
       {"session"},
       One(ParseConsistency,
           [](replication::Consistency value, Options* options) {
             options->default_consistency = value;
           })},
      {"default-durability",
       Kind::kValue,
       "LEVEL",
       kSessions,
       "Of writes that name none: local, one (one more node holds it), quorum "
       "or all. A Delete that names none always takes quorum.",
       {"one"},
       One(ParseDurability,
           [](replication::Durability value, Options* options) {
             options->default_durability = value;
           })},
      {"orphan-grace",
       Kind::kValue,
       "DURATION",
       kSessions,
       "A restarted node that reaches nobody of its cluster serves what it has "
       "after so long, and says that it is degraded.",
       {absl::FormatDuration(defaults.orphan_grace)},
       DurationOption(absl::Seconds(1), absl::Hours(24),
                      &replication::Config::orphan_grace)},
  };
}

}  // namespace

std::vector<OptionSpec> OptionTable(const Environment& environment) {
  std::vector<OptionSpec> table;
  for (std::vector<OptionSpec> part :
       {IdentityOptions(environment), NetworkOptions(), ClusterOptions(),
        SessionOptions()}) {
    for (OptionSpec& spec : part) table.push_back(std::move(spec));
  }
  table.push_back({"log-level",
                   Kind::kValue,
                   "LEVEL",
                   kProcess,
                   "Least important messages in the log on standard error: "
                   "debug, info, warning or error.",
                   {"info"},
                   Text(&Options::log_level, CheckLogLevel)});
  return table;
}

std::string VariableName(const std::string& option) {
  return absl::StrCat("SESSIOND_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                       option, {{"-", "_"}})));
}

}  // namespace sessionmesh::node
