#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "glog/logging.h"
#include "replication/live_hash.h"
#include "tests/sim/mutant.h"
#include "tests/sim/run.h"
#include "tests/sim/schedule.h"
#include "tests/sim/totals.h"

// sim: whole clusters in virtual time, one per seed. See DESIGN.md.

namespace sessionmesh::sim {
namespace {

constexpr uint64_t kSeedsMax = 10000000;
constexpr size_t kNodesMax = 100;
constexpr int kReplicasMax = 16;

struct Arguments {
  uint64_t first = 1;
  uint64_t last = 1;
  RunOptions run;
  int jobs = 1;
};

bool ParseSeeds(const std::string& text, Arguments* arguments) {
  const std::vector<std::string> parts = absl::StrSplit(text, "..");
  if (parts.empty() || parts.size() > 2) return false;
  if (!absl::SimpleAtoi(parts.front(), &arguments->first)) return false;
  if (!absl::SimpleAtoi(parts.back(), &arguments->last)) return false;
  return arguments->first <= arguments->last &&
         arguments->last - arguments->first < kSeedsMax;
}

std::string NamesOfSchedules() {
  return absl::StrJoin(Schedules(), ", ",
                       [](std::string* out, const Schedule& schedule) {
                         absl::StrAppend(out, schedule.name);
                       });
}

RunOptions ForSeed(const Arguments& arguments, uint64_t seed) {
  RunOptions options = arguments.run;
  options.seed = seed;
  return options;
}

// Runs seeds first, first + step, ... and adds them up; stops at the first that
// fails.
Totals RunSeeds(const Arguments& arguments, uint64_t first, uint64_t step) {
  Totals totals;
  const bool progress =
      step == 1 && !arguments.run.trace && isatty(STDERR_FILENO) != 0;
  for (uint64_t seed = first; seed <= arguments.last && !totals.failed_seed;
       seed += step) {
    if (progress)
      std::fprintf(stderr, "\rseed %llu",
                   static_cast<unsigned long long>(seed));
    totals.Add(seed, RunSeed(ForSeed(arguments, seed)));
  }
  if (progress) std::fprintf(stderr, "\r%40s\r", "");
  return totals;
}

// The same on several processes: a seed is a run of its own, so nothing is
// shared but the sums.
Totals RunInParallel(const Arguments& arguments) {
  std::vector<int> results;
  std::vector<pid_t> children;
  std::fflush(stdout);
  for (int job = 0; job < arguments.jobs; ++job) {
    int ends[2];
    PCHECK(pipe(ends) == 0);
    const pid_t child = fork();
    PCHECK(child >= 0);
    if (child == 0) {
      close(ends[0]);
      const Totals totals =
          RunSeeds(arguments, arguments.first + static_cast<uint64_t>(job),
                   static_cast<uint64_t>(arguments.jobs));
      const std::string text = totals.Serialize();
      size_t written = 0;
      while (written < text.size()) {
        const ssize_t n =
            write(ends[1], text.data() + written, text.size() - written);
        PCHECK(n > 0);
        written += static_cast<size_t>(n);
      }
      _exit(0);
    }
    close(ends[1]);
    results.push_back(ends[0]);
    children.push_back(child);
  }
  Totals totals;
  for (size_t job = 0; job < children.size(); ++job) {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(results[job], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(n));
    }
    close(results[job]);
    int status = 0;
    waitpid(children[job], &status, 0);
    if (status != 0) {
      std::fprintf(stderr,
                   "sim: job %zu of %d crashed; run the seeds with --jobs 1\n",
                   job + 1, arguments.jobs);
      std::exit(1);
    }
    totals.Merge(Totals::Parse(text));
  }
  return totals;
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Runs whole clusters in virtual time and checks that no promise is "
      "broken.",
      "sim");
  app.footer(
      "Examples:\n"
      "  sim --seeds 1..500                      a swarm of schedules and "
      "sizes\n"
      "  sim --seeds 7..7 --trace                everything that happens in "
      "seed 7\n"
      "  sim --seeds 1..100 --schedule crash --nodes 5 --minutes 2\n"
      "Exit code: 0 all checks held, 1 one did not, 2 bad arguments.");
  std::string seeds;
  double minutes = 0;
  int nodes = 0;
  int replicas = 0;
  Arguments arguments;
  app.add_option("--seeds", seeds, "the seeds to run, A..B or A")
      ->required()
      ->type_name("A..B");
  app.add_option(
      "--schedule", arguments.run.schedule,
      absl::StrCat("mix of faults, else by the seed: ", NamesOfSchedules()));
  app.add_option("--nodes", nodes,
                 "nodes in the cluster, 1 to 100, else by the seed");
  app.add_option("--replicas", replicas,
                 "owners of each slot, 1 to 16, else by the schedule");
  app.add_option("--minutes", minutes,
                 "virtual minutes with faults, else by the seed");
  app.add_flag("--trace", arguments.run.trace, "print the conversation");
  app.add_option("--jobs", arguments.jobs, "processes that share the seeds");
  app.add_option("--mutant", arguments.run.mutant,
                 "run with a fault in the simulator")
      ->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto refuse = [](const std::string& why) {
    std::fprintf(stderr, "sim: %s\nTry sim --help.\n", why.c_str());
    return 2;
  };
  if (!ParseSeeds(seeds, &arguments)) {
    return refuse(absl::StrCat("--seeds takes A..B with A <= B and at most ",
                               kSeedsMax, " seeds, got \"", seeds, "\""));
  }
  if (!arguments.run.schedule.empty() &&
      FindSchedule(arguments.run.schedule) == nullptr) {
    return refuse(absl::StrCat("there is no schedule \"",
                               arguments.run.schedule, "\"; there are ",
                               NamesOfSchedules()));
  }
  if (app.count("--nodes") > 0 &&
      (nodes < 1 || nodes > static_cast<int>(kNodesMax))) {
    return refuse(absl::StrCat("--nodes must be between 1 and ", kNodesMax,
                               ", got ", nodes));
  }
  if (app.count("--replicas") > 0 &&
      (replicas < 1 || replicas > kReplicasMax)) {
    return refuse(absl::StrCat("--replicas must be between 1 and ",
                               kReplicasMax, ", got ", replicas));
  }
  if (app.count("--minutes") > 0 && !(minutes > 0 && minutes <= 1440)) {
    return refuse(absl::StrCat(
        "--minutes must be more than 0 and at most 1440, got ", minutes));
  }
  if (arguments.jobs < 1 || arguments.jobs > 256) {
    return refuse(
        absl::StrCat("--jobs must be between 1 and 256, got ", arguments.jobs));
  }
  if (!arguments.run.mutant.empty() &&
      FindMutant(arguments.run.mutant) == nullptr) {
    return refuse(
        absl::StrCat("there is no mutant \"", arguments.run.mutant, "\""));
  }
  arguments.run.nodes = static_cast<size_t>(nodes);
  arguments.run.replicas = static_cast<uint32_t>(replicas);
  arguments.run.length =
      absl::Milliseconds(static_cast<int64_t>(minutes * 60000));
  if (arguments.run.trace) arguments.jobs = 1;
  const Totals totals = arguments.jobs == 1
                            ? RunSeeds(arguments, arguments.first, 1)
                            : RunInParallel(arguments);
  std::printf("%s\n", totals.Line().c_str());
  if (totals.failed_seed.has_value()) {
    std::printf("FAILED seed %llu: %s\nSee it again: %s\n",
                static_cast<unsigned long long>(*totals.failed_seed),
                totals.failure.c_str(),
                ReplayCommand(ForSeed(arguments, *totals.failed_seed)).c_str());
    return 1;
  }
  std::printf("hash=%016llx\n", static_cast<unsigned long long>(totals.hash));
  return 0;
}

}  // namespace
}  // namespace sessionmesh::sim

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  return sessionmesh::sim::Main(argc, argv);
}
