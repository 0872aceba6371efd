#include "membership/view.h"

#include <gtest/gtest.h>

namespace sessionmesh::membership {
namespace {

Member Named(const NodeName& name) {
  Member member;
  member.name = name;
  return member;
}

TEST(ViewTest, MembersAreSortedByName) {
  const View view("b", {Named("c"), Named("a"), Named("b")}, 7, false);
  ASSERT_EQ(view.members().size(), 3u);
  EXPECT_EQ(view.members()[0].name, "a");
  EXPECT_EQ(view.members()[2].name, "c");
  EXPECT_EQ(view.self(), "b");
  EXPECT_EQ(view.version(), 7u);
  EXPECT_FALSE(view.isolated());
}

TEST(ViewTest, FindsMembersByName) {
  const View view("a", {Named("a"), Named("c")}, 1, true);
  ASSERT_NE(view.Find("c"), nullptr);
  EXPECT_EQ(view.Find("c")->name, "c");
  EXPECT_EQ(view.Find("b"), nullptr);
  EXPECT_EQ(view.Find("d"), nullptr);
  EXPECT_TRUE(view.isolated());
}

TEST(ViewDeathTest, ViewWithoutItsOwnNodeIsABug) {
  EXPECT_DEATH(View("x", {Named("a")}, 1, false), "missing in its own view");
  EXPECT_DEATH(View("a", {Named("a"), Named("a")}, 1, false),
               "two members of one name");
}

}  // namespace
}  // namespace sessionmesh::membership
