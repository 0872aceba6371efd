// Real nodes in network namespaces, hurt at random, used by many clients, and
// judged afterwards. tests/e2e/faults/run builds and calls it.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "tests/e2e/faults/audit.h"
#include "tests/e2e/faults/faults.h"
#include "tests/e2e/faults/fleet.h"
#include "tests/e2e/faults/history.h"
#include "tests/e2e/faults/judge.h"
#include "tests/e2e/faults/load.h"
#include "tests/e2e/faults/network.h"
#include "tests/e2e/faults/report.h"
#include "tests/e2e/faults/session_book.h"

namespace sessionmesh::e2e {
namespace {

constexpr int kBroken = 1;
constexpr int kCannot = 2;
constexpr int kInterrupted = 130;
constexpr absl::Duration kStartMax = absl::Seconds(60);
// Clients go on for so long when all faults are over.
constexpr absl::Duration kAfter = absl::Seconds(15);
constexpr absl::Duration kSettleMax = absl::Seconds(90);
constexpr int kAuditRounds = 6;
constexpr int kProofsEach = 3;

struct Settings {
  double minutes = 1;
  uint64_t seed = std::random_device()();
  int nodes = 5;
  int replicas = 3;
  int clients = 16;
  bool json = false;
  bool double_crashes = false;
  bool keep = false;
  std::string mutant;
};

// What the judge must notice: clients that do not present the tokens that they
// say they present; crashes that he is not told of, with --double-crashes.
constexpr char kNoTokens[] = "no_tokens";
constexpr char kHiddenCrashes[] = "hidden_crashes";

volatile sig_atomic_t interrupted = 0;

// What the parts take.
uint32_t Short(uint64_t seed) {
  return static_cast<uint32_t>(seed ^ (seed >> 32));
}

bool Interrupted() { return interrupted != 0; }

void Interrupt(int) { interrupted = 1; }

void Sleep(absl::Duration time) {
  const absl::Time until = SteadyNow() + time;
  while (SteadyNow() < until && !Interrupted()) {
    absl::SleepFor(absl::Milliseconds(50));
  }
}

std::vector<std::string> NamesOf(int nodes) {
  std::vector<std::string> names;
  for (int i = 0; i < nodes; ++i) {
    names.emplace_back(1, static_cast<char>('a' + i));
  }
  return names;
}

// Everything from the start of the nodes to the last look at their sessions.
// False: the nodes did not come up, or somebody does not want to wait.
bool Play(const Settings& settings, const std::vector<std::string>& names,
          const std::string& directory, Network* network, History* history,
          bool* settled) {
  Fleet fleet(names, settings.replicas, directory, network, history);
  std::vector<Door> doors;
  for (const std::string& name : names) {
    fleet.Start(name);
    doors.push_back({name, fleet.ClientAddress(name)});
  }
  if (!fleet.AwaitWhole(kStartMax, Interrupted)) return false;
  SessionBook book;
  Load load(settings.clients, doors, Short(settings.seed), history, &book);
  Faults faults(&fleet, network, history, Short(settings.seed),
                settings.double_crashes, Interrupted);
  const bool whole =
      faults.Run(SteadyNow() + absl::Minutes(1) * settings.minutes);
  history->SetHealed(SteadyNow());
  Sleep(kAfter);
  load.Stop();
  if (Interrupted()) return false;
  LOG(INFO) << "looking at " << book.All().size() << " sessions";
  *settled = fleet.AwaitWhole(kSettleMax, Interrupted) && whole;
  Audit(doors, book, kAuditRounds, Short(settings.seed), history);
  return !Interrupted();
}

void Keep(const Story& story, const std::string& directory) {
  std::ofstream file(absl::StrCat(directory, "/history.jsonl"));
  WriteJsonLines(story, &file);
  std::cerr << "history and logs are in " << directory << "\n";
}

int Run(const Settings& settings) {
  const std::vector<std::string> names = NamesOf(settings.nodes);
  Network network;
  if (const absl::Status opened = network.Open(names); !opened.ok()) {
    std::cerr << "\n*** NO FAULTS WERE TESTED: network namespaces cannot be "
                 "made here. Root, or CAP_NET_ADMIN and CAP_SYS_ADMIN, and a "
                 "kernel with bridge, veth, iptables and NFQUEUE are needed.\n"
                 "*** "
              << opened.message() << "\n\n";
    return kCannot;
  }
  std::string directory =
      (std::filesystem::temp_directory_path() / "sessionmesh-faults-XXXXXX")
          .string();
  PCHECK(mkdtemp(directory.data()) != nullptr) << directory;
  if (settings.mutant == kNoTokens) Caller::ForgetTokens();
  LOG(INFO) << "seed " << settings.seed << ", logs in " << directory;
  History history;
  bool settled = false;
  const bool played =
      Play(settings, names, directory, &network, &history, &settled);
  Story story = history.Take();
  story.replicas = std::min(settings.replicas, settings.nodes);
  story.settled = settled;
  if (!played) {
    Keep(story, directory);
    if (Interrupted()) return kInterrupted;
    std::cerr << "the nodes did not come up\n";
    return kBroken;
  }
  if (settings.mutant == kHiddenCrashes) story.ends.clear();
  Report report = MakeReport(story, Judge(story));
  report.seed = settings.seed;
  report.nodes = settings.nodes;
  std::cerr << ProofText(story, report.verdict, kProofsEach);
  std::cout << (settings.json ? ReportJson(report) : ReportText(report));
  if (settings.keep || !report.verdict.good()) {
    Keep(story, directory);
  } else {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  return report.verdict.good() ? 0 : kBroken;
}

int Main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  Settings settings;
  CLI::App app{"Hurts a cluster of real nodes and judges what it promised"};
  app.add_option("--minutes", settings.minutes, "of faults")
      ->check(CLI::Range(0.1, 10000.0))
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "of what is done; default: random");
  app.add_option("--nodes", settings.nodes)
      ->check(CLI::Range(2, 20))
      ->capture_default_str();
  app.add_option("--replicas", settings.replicas, "nodes that hold a session")
      ->check(CLI::Range(2, 16))
      ->capture_default_str();
  app.add_option("--clients", settings.clients)
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  app.add_flag("--json", settings.json, "print one JSON object");
  app.add_flag("--double-crashes", settings.double_crashes,
               "kill two nodes at once, too");
  app.add_flag("--keep", settings.keep, "keep the history and the logs");
  app.add_option("--mutant", settings.mutant,
                 "break something that the judge must notice")
      ->check(CLI::IsMember({kNoTokens, kHiddenCrashes}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCannot;
  }
  struct sigaction action {};
  action.sa_handler = Interrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return Run(settings);
}

}  // namespace
}  // namespace sessionmesh::e2e

int main(int argc, char** argv) { return sessionmesh::e2e::Main(argc, argv); }
