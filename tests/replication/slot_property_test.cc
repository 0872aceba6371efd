#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/replication/slot_world.h"

namespace sessionmesh::replication {
namespace {

// The checks cost more than what they check; without optimisation four times
// as much.
#ifdef NDEBUG
constexpr uint64_t kRuns = 4000;
#else
constexpr uint64_t kRuns = 1000;
#endif

TEST(SlotPropertyTest, StateIsAFunctionOfTheSetOfAppliedDeltas) {
  std::map<std::string, int> counts;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    SlotWorld world(seed, Mutant::kNone);
    const std::string failure = world.Run();
    ASSERT_EQ(failure, "") << "seed " << seed;
    for (const auto& [what, count] : world.counts) counts[what] += count;
  }
  // The runs must have met what they are for.
  for (const char* what :
       {"create", "update", "rotate", "kill", "two lives", "rotate retried",
        "kill by ended id", "coalesced", "parked", "settled", "log", "join",
        "late snapshot", "restart", "equal contexts"}) {
    EXPECT_GT(counts[what], 100) << what;
    RecordProperty(what, counts[what]);
  }
}

struct MutantCase {
  Mutant mutant;
  const char* name;
};

class SlotMutantTest : public ::testing::TestWithParam<MutantCase> {};

// The checks above mean something only if they notice a broken rule.
TEST_P(SlotMutantTest, IsCaught) {
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    if (!SlotWorld(seed, GetParam().mutant).Run().empty()) {
      RecordProperty("runs", static_cast<int>(seed));
      return;
    }
  }
  FAIL() << "4000 runs saw nothing";
}

INSTANTIATE_TEST_SUITE_P(
    All, SlotMutantTest,
    ::testing::Values(MutantCase{Mutant::kTornSnapshot, "TornSnapshot"},
                      MutantCase{Mutant::kNonAtomic, "NonAtomic"},
                      MutantCase{Mutant::kForeignFilter, "ForeignFilter"},
                      MutantCase{Mutant::kNoDeps, "NoDeps"},
                      MutantCase{Mutant::kCounterReset, "CounterReset"},
                      MutantCase{Mutant::kRotateKeepsOld, "RotateKeepsOld"},
                      MutantCase{Mutant::kRotateRebirth, "RotateRebirth"},
                      MutantCase{Mutant::kNameOne, "NameOne"},
                      MutantCase{Mutant::kMergeAnyDeps, "MergeAnyDeps"},
                      MutantCase{Mutant::kMergeRotate, "MergeRotate"},
                      MutantCase{Mutant::kEarlyCover, "EarlyCover"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace sessionmesh::replication
