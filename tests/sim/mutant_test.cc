#include "tests/sim/mutant.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/sim/run.h"

// The tests of the tests: each mutant breaks a promise, and the checker of that
// promise alone must notice.

namespace sessionmesh::sim {
namespace {

constexpr uint64_t kSeedsMax = 40;

class MutantTest : public ::testing::TestWithParam<MutantInfo> {};

TEST_P(MutantTest, IsCaughtByItsChecker) {
  const MutantInfo& mutant = GetParam();
  RunOptions options;
  options.mutant = std::string(mutant.name);
  options.schedule = std::string(mutant.schedule);
  for (options.seed = 1; options.seed <= kSeedsMax; ++options.seed) {
    const RunResult result = RunSeed(options);
    if (result.failure.empty()) continue;
    EXPECT_EQ(result.checker, mutant.caught_by);
    RecordProperty("seeds", static_cast<int>(options.seed));
    return;
  }
  FAIL() << mutant.what << ": not noticed by " << mutant.caught_by << " in "
         << kSeedsMax << " seeds";
}

INSTANTIATE_TEST_SUITE_P(All, MutantTest, ::testing::ValuesIn(Mutants()),
                         [](const auto& each) {
                           return std::string(each.param.name);
                         });

TEST(MutantsTest, EveryCheckerHasOne) {
  for (const auto& checker : MakeCheckers()) {
    bool has_one = false;
    for (const MutantInfo& mutant : Mutants())
      has_one |= mutant.caught_by == checker->name();
    EXPECT_TRUE(has_one) << checker->name();
  }
}

}  // namespace
}  // namespace sessionmesh::sim
