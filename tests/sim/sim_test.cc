#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/run.h"
#include "tests/sim/totals.h"

namespace sessionmesh::sim {
namespace {

// As many seeds as SESSIONMESH_SIM_SEEDS says take SESSIONMESH_SIM_SEED_BASE as
// their first, so that every day tries others; without it they are always the
// same.
constexpr uint64_t kDefaultBase = 1000000;
constexpr uint64_t kDefaultSeeds = 200;
constexpr uint64_t kShards = 4;

uint64_t Setting(const char* name, uint64_t value) {
  const char* text = std::getenv(name);
  if (text != nullptr && !absl::SimpleAtoi(text, &value)) {
    ADD_FAILURE() << name << " is a number, not \"" << text << "\"";
  }
  return value;
}

class RandomSeedsTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RandomSeedsTest, EveryCheckHolds) {
  const uint64_t base = Setting("SESSIONMESH_SIM_SEED_BASE", kDefaultBase);
  const uint64_t seeds = Setting("SESSIONMESH_SIM_SEEDS", kDefaultSeeds);
  ASSERT_GE(seeds, kShards) << "SESSIONMESH_SIM_SEEDS";
  std::printf("seeds %llu..%llu, this is part %llu of %llu\n",
              static_cast<unsigned long long>(base),
              static_cast<unsigned long long>(base + seeds - 1),
              static_cast<unsigned long long>(GetParam() + 1),
              static_cast<unsigned long long>(kShards));
  for (uint64_t seed = base + GetParam(); seed < base + seeds;
       seed += kShards) {
    RunOptions options;
    options.seed = seed;
    const RunResult result = RunSeed(options);
    ASSERT_EQ(result.failure, "") << ReplayCommand(options);
  }
}

INSTANTIATE_TEST_SUITE_P(Part, RandomSeedsTest,
                         ::testing::Range(uint64_t{0}, kShards));

// Schedules that no seed picks.
Counts RunSchedule(absl::string_view schedule) {
  Totals totals;
  const uint64_t base = Setting("SESSIONMESH_SIM_SEED_BASE", kDefaultBase);
  const uint64_t seeds = std::max<uint64_t>(
      5, Setting("SESSIONMESH_SIM_SEEDS", kDefaultSeeds) / 8);
  for (uint64_t seed = base; seed < base + seeds; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.schedule = std::string(schedule);
    const RunResult result = RunSeed(options);
    EXPECT_EQ(result.failure, "") << ReplayCommand(options);
    if (!result.failure.empty()) break;
    totals.Add(seed, result);
  }
  return totals.counts;
}

TEST(SimTest, MemoryForSessionsIsRefusedAndBounded) {
  Counts counts = RunSchedule("memory");
  EXPECT_GT(counts["limit_node_memory_for_sessions"], 0u);
  EXPECT_GT(counts["checked_bounds"], 0u);
}

TEST(SimTest, QuorumReadsAreJudged) {
  Counts counts = RunSchedule("quorum");
  EXPECT_GT(counts["checked_quorum_reads"], 0u);
}

TEST(SimTest, SlotsAreHandedOver) {
  for (const char* schedule : {"placement", "handover"}) {
    Counts counts = RunSchedule(schedule);
    EXPECT_GT(counts["event_slot_dropped"], 0u) << schedule;
    EXPECT_GT(counts["checked_last_copies"], 0u) << schedule;
    EXPECT_GT(counts["forwarded"], 0u) << schedule;
  }
}

TEST(SimTest, SameSeedSameTrace) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    RunOptions options;
    options.seed = seed;
    const RunResult first = RunSeed(options);
    const RunResult second = RunSeed(options);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << ReplayCommand(options);
    EXPECT_EQ(first.counts, second.counts) << ReplayCommand(options);
  }
}

TEST(SimTest, NamingWhatASeedChoseRepeatsItsRun) {
  RunOptions options;
  options.seed = 3;
  const RunResult chosen = RunSeed(options);
  options.schedule = std::string(chosen.plan.schedule.name);
  options.nodes = chosen.plan.nodes;
  options.length = chosen.plan.length;
  EXPECT_EQ(RunSeed(options).trace_hash, chosen.trace_hash);
}

TEST(TotalsTest, OrderOfAddingDoesNotMatter) {
  RunResult one;
  one.trace_hash = 1;
  one.counts = {{"a", 1}, {"settle_ms", 7}};
  one.plan = MakePlan(1, "calm", 3, absl::Seconds(1));
  RunResult two = one;
  two.trace_hash = 2;
  two.counts["settle_ms"] = 5;
  Totals all;
  all.Add(1, one);
  all.Add(2, two);
  Totals second;
  second.Add(2, two);
  Totals first;
  first.Add(1, one);
  second.Merge(Totals::Parse(first.Serialize()));
  EXPECT_EQ(second.hash, all.hash);
  EXPECT_EQ(second.Line(), all.Line());
}

// A run that once found something: "SEED SCHEDULE NODES MINUTES" (a dash: by
// the seed), then what it was.
class ScenarioTest : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> Scenarios() {
  std::vector<std::string> lines;
  std::ifstream file(SIM_SCENARIOS);
  EXPECT_TRUE(file.good()) << SIM_SCENARIOS;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

TEST_P(ScenarioTest, StaysFixed) {
  const std::vector<std::string> fields =
      absl::StrSplit(GetParam(), ' ', absl::SkipWhitespace());
  ASSERT_GE(fields.size(), 4u) << GetParam();
  RunOptions options;
  ASSERT_TRUE(absl::SimpleAtoi(fields[0], &options.seed)) << GetParam();
  if (fields[1] != "-") {
    ASSERT_NE(FindSchedule(fields[1]), nullptr) << GetParam();
    options.schedule = fields[1];
  }
  if (fields[2] != "-") {
    ASSERT_TRUE(absl::SimpleAtoi(fields[2], &options.nodes)) << GetParam();
  }
  double minutes = 0;
  if (fields[3] != "-") {
    ASSERT_TRUE(absl::SimpleAtod(fields[3], &minutes)) << GetParam();
  }
  options.length = absl::Milliseconds(static_cast<int64_t>(minutes * 60000));
  EXPECT_EQ(RunSeed(options).failure, "") << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    All, ScenarioTest, ::testing::ValuesIn(Scenarios()), [](const auto& each) {
      std::vector<std::string> fields =
          absl::StrSplit(each.param, ' ', absl::SkipWhitespace());
      fields.resize(4);
      std::string name;
      for (const std::string& field : fields) {
        for (const char c : field) {
          if (absl::ascii_isalnum(static_cast<unsigned char>(c))) name += c;
        }
        name += '_';
      }
      return absl::StrCat(name, each.index);
    });

}  // namespace
}  // namespace sessionmesh::sim
