#include "tests/sim/run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "membership/random.h"
#include "tests/sim/faults.h"
#include "tests/sim/workload.h"

namespace sessionmesh::sim {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(200);

// The order of events of one run.
class Story {
 public:
  Story(const Plan& plan, World* world)
      : plan_(plan),
        world_(world),
        random_(plan.seed + 0x5851f42d4c957f2d),
        faults_(plan.schedule, random_.Next(), world),
        workload_(plan.schedule, random_.Next(), world) {}

  void Tell() {
    StartHosts();
    faults_.Begin();
    workload_.Begin();
    const absl::Time end = world_->now() + plan_.length;
    world_->RunUntil(end);
    if (world_->failed()) return;
    faults_.End();
    if (world_->mutant() != nullptr && world_->mutant()->NeverHeals() &&
        plan_.nodes > 1) {
      world_->net().Cut(0, 1);
      world_->net().Cut(1, 0);
    }
    const absl::Time healed = world_->now();
    // The clients go on a little: the first moments after a heal are the most
    // interesting.
    world_->RunUntil(healed + absl::Seconds(2));
    workload_.End();
    Settle(healed);
    if (world_->failed()) return;
    workload_.Audit();
    // Every call has a deadline of five seconds, and most are answered at once.
    const absl::Time limit = world_->now() + absl::Minutes(5);
    while (!workload_.idle() && !world_->failed() && world_->now() < limit) {
      world_->RunUntil(world_->now() + kPoll);
    }
    if (plan_.schedule.name == "expiry") LeaveAlone();
    if (!world_->failed()) world_->Finish();
  }

 private:
  void StartHosts() {
    for (HostId id = 0; id < world_->host_count(); ++id) {
      world_->Start(id);
      world_->RunUntil(world_->now() +
                       absl::Milliseconds(random_.Between(0, 1500)));
    }
    world_->RunUntil(world_->now() + absl::Seconds(1));
  }

  // Liveness: within the bound the cluster is one again.
  void Settle(absl::Time healed) {
    const absl::Time limit =
        healed + ConvergenceBound(MembershipConfig(), world_->config());
    std::string why = "calls are waiting";
    while (!world_->failed()) {
      world_->RunUntil(world_->now() + kPoll);
      if (workload_.idle()) why = world_->Unsettled();
      if (why.empty()) break;
      if (world_->now() >= limit) {
        world_->Fail(WorldCheck::kLiveness,
                     absl::StrCat("not healed after ",
                                  absl::FormatDuration(world_->now() - healed),
                                  ": ", why));
        break;  // a mutant whose checker is another one goes on
      }
    }
    world_->Count("settle_ms", static_cast<uint64_t>(absl::ToInt64Milliseconds(
                                   world_->now() - healed)));
    world_->set_settled();
  }

  // Long enough for every session to expire.
  void LeaveAlone() {
    world_->RunUntil(world_->now() + plan_.schedule.idle_max +
                     absl::Seconds(12));
  }

  const Plan plan_;
  World* const world_;
  Random random_;
  Faults faults_;
  Workload workload_;
};

}  // namespace

RunResult RunSeed(const RunOptions& options) {
  RunResult result;
  result.plan =
      MakePlan(options.seed, options.schedule, options.nodes, options.length);
  if (options.replicas > 0) result.plan.schedule.replicas = options.replicas;
  const std::unique_ptr<Mutant> mutant =
      options.mutant.empty() ? nullptr : MakeMutant(options.mutant);
  Trace trace(absl::FromUnixSeconds(1767225600));
  if (options.trace) trace.Print();
  const MutantInfo* info = FindMutant(options.mutant);
  World world(result.plan, mutant.get(), &trace,
              info == nullptr ? "" : info->caught_by);
  const absl::Time begin = world.now();
  Story(result.plan, &world).Tell();
  result.failure = world.failure();
  result.checker = world.failed_checker();
  result.trace_hash = trace.hash();
  result.virtual_time = world.now() - begin;
  result.counts = world.Summary();
  return result;
}

std::string ReplayCommand(const RunOptions& options) {
  std::string command =
      absl::StrCat("sim --seeds ", options.seed, "..", options.seed);
  if (!options.schedule.empty())
    absl::StrAppend(&command, " --schedule ", options.schedule);
  if (options.nodes != 0) absl::StrAppend(&command, " --nodes ", options.nodes);
  if (options.replicas != 0)
    absl::StrAppend(&command, " --replicas ", options.replicas);
  if (options.length != absl::ZeroDuration()) {
    absl::StrAppend(&command, " --minutes ",
                    absl::ToDoubleMinutes(options.length));
  }
  if (!options.mutant.empty())
    absl::StrAppend(&command, " --mutant ", options.mutant);
  return absl::StrCat(command, " --trace");
}

}  // namespace sessionmesh::sim
