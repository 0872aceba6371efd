#include "membership/redial.h"

#include <gtest/gtest.h>

#include <set>

namespace sessionmesh::membership {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

TEST(RedialTest, NewTargetIsDueAtOnce) {
  Random random(1);
  Redial redial(absl::Seconds(5), absl::Seconds(20));
  EXPECT_EQ(redial.Pick({"a"}, kStart, &random), "a");
}

TEST(RedialTest, NobodyIsPickedWhileAllBackOff) {
  Random random(1);
  Redial redial(absl::Seconds(5), absl::Seconds(20));
  EXPECT_EQ(redial.Pick({}, kStart, &random), std::nullopt);
  ASSERT_EQ(redial.Pick({"a"}, kStart, &random), "a");
  EXPECT_EQ(redial.Pick({"a"}, kStart + absl::Seconds(3), &random),
            std::nullopt);
  EXPECT_EQ(redial.Pick({"a"}, kStart + absl::Seconds(7), &random), "a");
}

TEST(RedialTest, BackOffDoublesToTheMaximumAndNeverEnds) {
  Random random(2);
  Redial redial(absl::Seconds(5), absl::Seconds(20));
  absl::Time now = kStart;
  std::vector<absl::Duration> waits;
  absl::Time last = kStart;
  while (waits.size() < 50) {
    if (redial.Pick({"a"}, now, &random).has_value()) {
      waits.push_back(now - last);
      last = now;
    }
    now += absl::Milliseconds(10);
  }
  const absl::Duration slack = absl::Milliseconds(10);
  EXPECT_GE(waits[1], absl::Seconds(5) * 0.75);
  EXPECT_LE(waits[1], absl::Seconds(5) * 1.25 + slack);
  EXPECT_GE(waits[2], absl::Seconds(10) * 0.75);
  EXPECT_LE(waits[2], absl::Seconds(10) * 1.25 + slack);
  for (size_t i = 3; i < waits.size(); ++i) {
    EXPECT_GE(waits[i], absl::Seconds(20) * 0.75);
    EXPECT_LE(waits[i], absl::Seconds(20) * 1.25 + slack);
  }
}

TEST(RedialTest, EveryCandidateGetsItsTurn) {
  Random random(3);
  Redial redial(absl::Seconds(5), absl::Seconds(20));
  std::set<Address> picked;
  for (int i = 0; i < 3; ++i) {
    picked.insert(*redial.Pick({"a", "b", "c"}, kStart, &random));
  }
  EXPECT_EQ(picked.size(), 3u);
}

TEST(RedialTest, TargetThatCameBackStartsAfresh) {
  Random random(4);
  Redial redial(absl::Seconds(5), absl::Seconds(20));
  ASSERT_EQ(redial.Pick({"a"}, kStart, &random), "a");
  EXPECT_EQ(redial.Pick({"b"}, kStart, &random), "b");
  EXPECT_EQ(redial.Pick({"a"}, kStart, &random), "a");
}

}  // namespace
}  // namespace sessionmesh::membership
