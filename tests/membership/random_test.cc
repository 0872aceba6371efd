#include "membership/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sessionmesh {
namespace {

TEST(RandomTest, SameSeedGivesTheSameNumbers) {
  Random a(42);
  Random b(42);
  Random c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = a.Next();
    EXPECT_EQ(number, b.Next());
    differs |= number != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(RandomTest, BelowIsUniformAndInRange) {
  Random random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[random.Below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(RandomTest, BetweenIncludesBothEnds) {
  Random random(2);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const int64_t number = random.Between(-2, 2);
    EXPECT_GE(number, -2);
    EXPECT_LE(number, 2);
    low |= number == -2;
    high |= number == 2;
  }
  EXPECT_TRUE(low && high);
}

TEST(RandomTest, ChanceOfNoneAndOfAllIsCertain) {
  Random random(3);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(random.Chance(0, 100));
    EXPECT_TRUE(random.Chance(100, 100));
  }
}

TEST(RandomTest, ShuffleKeepsEveryItem) {
  Random random(4);
  std::vector<int> items{1, 2, 3, 4, 5};
  random.Shuffle(&items);
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, (std::vector<int>{1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace sessionmesh
