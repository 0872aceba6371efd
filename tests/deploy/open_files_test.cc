#include "deploy/demo/driver/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::driver {
namespace {

using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

class OpenFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { getrlimit(RLIMIT_NOFILE, &before_); }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

  rlimit before_{};
};

TEST_F(OpenFilesTest, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit low = before_;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  ASSERT_THAT(AllowOpenFiles(65), IsOk());
  rlimit now{};
  getrlimit(RLIMIT_NOFILE, &now);
  EXPECT_EQ(now.rlim_cur, before_.rlim_max);
}

TEST_F(OpenFilesTest, AHardLimitThatIsTooLowIsNamed) {
  if (before_.rlim_max == RLIM_INFINITY) GTEST_SKIP() << "there is no limit";
  const auto needed = static_cast<std::uint64_t>(before_.rlim_max) + 1;
  EXPECT_THAT(AllowOpenFiles(needed),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr(absl::StrCat(needed)),
                             HasSubstr(absl::StrCat(before_.rlim_max)))));
}

}  // namespace
}  // namespace sessionmesh::driver
