#include "membership/scaling.h"

#include <gtest/gtest.h>

namespace sessionmesh::membership {
namespace {

TEST(ScalingTest, RetransmitLimitGrowsWithTheDecimalDigits) {
  EXPECT_EQ(RetransmitLimit(4, 0), 4);
  EXPECT_EQ(RetransmitLimit(4, 1), 4);
  EXPECT_EQ(RetransmitLimit(4, 9), 4);
  EXPECT_EQ(RetransmitLimit(4, 10), 8);
  EXPECT_EQ(RetransmitLimit(4, 99), 8);
  EXPECT_EQ(RetransmitLimit(4, 100), 12);
  EXPECT_EQ(RetransmitLimit(4, 9999), 16);
  EXPECT_EQ(RetransmitLimit(2, 100), 6);
}

TEST(ScalingTest, SuspicionMinGrowsWithTheLogarithm) {
  const absl::Duration second = absl::Seconds(1);
  EXPECT_EQ(SuspicionMin(4, 1, second), absl::Seconds(4));
  EXPECT_EQ(SuspicionMin(4, 10, second), absl::Seconds(4));
  EXPECT_EQ(SuspicionMin(4, 100, second), absl::Seconds(8));
  EXPECT_EQ(SuspicionMin(4, 128, second), absl::Milliseconds(8428));
  EXPECT_EQ(SuspicionMin(4, 1000, second), absl::Seconds(12));
}

// tarantool 0e02bf5edc: the logarithm of an empty table.
TEST(ScalingTest, EmptyTableIsTreatedAsOneMember) {
  EXPECT_EQ(SuspicionMin(4, 0, absl::Seconds(1)), absl::Seconds(4));
  EXPECT_EQ(SyncInterval(absl::Seconds(30), 0), absl::Seconds(30));
  EXPECT_EQ(ExpectedConfirmations(4, 0), 0);
}

TEST(ScalingTest, ConfirmationsAreExpectedOnlyWhereThereAreConfirmers) {
  EXPECT_EQ(ExpectedConfirmations(4, 3), 0);
  EXPECT_EQ(ExpectedConfirmations(4, 4), 2);
  EXPECT_EQ(ExpectedConfirmations(4, 1000), 2);
  EXPECT_EQ(ExpectedConfirmations(1, 1000), 0);
}

// The vector of memberlist's suspicion_test.go.
TEST(ScalingTest, SuspicionTimeoutShrinksWithConfirmations) {
  const absl::Duration min = absl::Seconds(2);
  const absl::Duration max = absl::Seconds(30);
  EXPECT_EQ(SuspicionTimeout(0, 3, min, max), absl::Seconds(30));
  EXPECT_EQ(SuspicionTimeout(1, 3, min, max) - absl::Seconds(2),
            absl::Seconds(14));
  EXPECT_EQ(SuspicionTimeout(2, 3, min, max) - absl::Seconds(3),
            absl::Milliseconds(4810));
  EXPECT_EQ(SuspicionTimeout(3, 3, min, max) - absl::Seconds(4),
            absl::Seconds(-2));
  EXPECT_EQ(SuspicionTimeout(0, 0, min, max), min);
}

TEST(ScalingTest, SyncIntervalStretchesAboveThirtyTwoMembers) {
  const absl::Duration base = absl::Seconds(30);
  EXPECT_EQ(SyncInterval(base, 32), base);
  EXPECT_EQ(SyncInterval(base, 33), 2 * base);
  EXPECT_EQ(SyncInterval(base, 64), 2 * base);
  EXPECT_EQ(SyncInterval(base, 65), 3 * base);
  EXPECT_EQ(SyncInterval(base, 128), 3 * base);
  EXPECT_EQ(SyncInterval(base, 1000), 6 * base);
}

}  // namespace
}  // namespace sessionmesh::membership
