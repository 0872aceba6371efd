#include "tests/sim/mutant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "absl/strings/string_view.h"
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
    EXPECT_THAT(result.failure, ::testing::HasSubstr(mutant.says));
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

TEST(MutantsTest, EveryCheckHasOne) {
  std::vector<absl::string_view> checks(kWorldChecks.begin(),
                                        kWorldChecks.end());
  const Checkers checkers = MakeCheckers();
  for (const auto& checker : checkers) checks.push_back(checker->name());
  std::set<absl::string_view> caught_by;
  for (const MutantInfo& mutant : Mutants()) caught_by.insert(mutant.caught_by);
  for (const absl::string_view check : checks) {
    EXPECT_TRUE(caught_by.contains(check)) << check;
  }
  EXPECT_EQ(caught_by.size(), checks.size()) << "a mutant of no check";
}

}  // namespace
}  // namespace sessionmesh::sim
