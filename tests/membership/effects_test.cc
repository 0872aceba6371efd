#include "membership/effects.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sessionmesh::membership {
namespace {

TEST(EffectsTest, EveryEventKindHasItsOwnName) {
  std::set<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(EventKind::kDatagramsWork);
       ++kind) {
    names.insert(std::string(EventKindName(static_cast<EventKind>(kind))));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(EventKind::kDatagramsWork) + 1);
  EXPECT_EQ(names.count("unknown"), 0u);
}

TEST(EffectsTest, ClearLeavesNothingToDo) {
  Effects effects;
  EXPECT_TRUE(effects.empty());
  effects.want_seeds = true;
  EXPECT_FALSE(effects.empty());
  effects.clear();
  EXPECT_TRUE(effects.empty());
}

}  // namespace
}  // namespace sessionmesh::membership
