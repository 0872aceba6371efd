#include "membership/member_table.h"

#include <gtest/gtest.h>

#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

Member MemberOf(const Update& update) {
  Member member;
  member.name = update.name;
  member.address = update.address;
  member.claim = update.claim;
  member.accuser = update.accuser;
  return member;
}

Instant At(int seconds) {
  return Instant{absl::UnixEpoch() + absl::Seconds(seconds),
                 absl::FromUnixSeconds(1700000000 + seconds)};
}

class MemberTableTest : public ::testing::Test {
 protected:
  MemberTable table_{MemberOf(Alive("me", 5, 0)), At(0)};
};

TEST_F(MemberTableTest, CountsTheLivingAndItself) {
  EXPECT_EQ(table_.live(), 1u);
  table_.Insert(MemberOf(Alive("a", 1, 0)), At(0));
  table_.Insert(MemberOf(Suspected("b", 1, 0, "a")), At(0));
  table_.Insert(MemberOf(Dead("c", 1, 0, "a")), At(0));
  table_.Insert(MemberOf(Left("d", 1, 0)), At(0));
  EXPECT_EQ(table_.live(), 3u);
  EXPECT_EQ(table_.size(), 5u);
  EXPECT_EQ(table_.dead(), (std::set<NodeName>{"c"}));
}

TEST_F(MemberTableTest, DigestDoesNotDependOnTheOrderOfLearning) {
  MemberTable other(MemberOf(Alive("a", 1, 3)), At(0));
  other.Insert(MemberOf(Alive("me", 5, 0)), At(7));
  table_.Insert(MemberOf(Alive("a", 1, 0)), At(1));
  EXPECT_NE(table_.digest(), other.digest());
  table_.Change(table_.Find("a"), Alive("a", 1, 3), At(2));
  EXPECT_EQ(table_.digest(), other.digest());
}

TEST_F(MemberTableTest, DigestDependsOnEveryPartOfAClaim) {
  Record* a = table_.Insert(MemberOf(Alive("a", 1, 0)), At(0));
  std::set<uint64_t> digests{table_.digest()};
  Update elsewhere = Alive("a", 1, 0);
  elsewhere.address = "b:7401";
  Update zoned = Alive("a", 1, 0);
  zoned.zone = "z";
  for (const Update& update : {Alive("a", 2, 0), Alive("a", 1, 1),
                               Suspected("a", 1, 0, "x"), elsewhere, zoned}) {
    table_.Change(a, update, At(0));
    digests.insert(table_.digest());
  }
  EXPECT_EQ(digests.size(), 6u);
}

TEST_F(MemberTableTest, DigestIgnoresThoseThatLeft) {
  const uint64_t before = table_.digest();
  table_.Insert(MemberOf(Left("a", 1, 0)), At(0));
  EXPECT_EQ(table_.digest(), before);
}

TEST_F(MemberTableTest, SinceMovesOnlyWithTheState) {
  Record* a = table_.Insert(MemberOf(Dead("a", 1, 0, "x")), At(10));
  table_.Change(a, Dead("a", 1, 4, "x"), At(20));
  EXPECT_EQ(a->member.since, At(10).wall);
  table_.Change(a, Alive("a", 1, 5), At(30));
  EXPECT_EQ(a->member.since, At(30).wall);
}

TEST_F(MemberTableTest, DeathKeepsTheConfirmationsThatLedToIt) {
  Record* a = table_.Insert(MemberOf(Suspected("a", 1, 0, "x")), At(0));
  table_.AddConfirmation(a);
  table_.Change(a, Dead("a", 1, 0, "x"), At(1));
  EXPECT_EQ(a->member.confirmations, 1);
  table_.Change(a, Alive("a", 1, 1), At(2));
  EXPECT_EQ(a->member.confirmations, 0);
}

TEST_F(MemberTableTest, ViewIsTheSamePointerUntilSomethingChanges) {
  const ViewPtr first = table_.view();
  EXPECT_EQ(first, table_.view());
  EXPECT_EQ(first->version(), table_.version());
  table_.Insert(MemberOf(Alive("a", 1, 0)), At(0));
  const ViewPtr second = table_.view();
  EXPECT_NE(first, second);
  EXPECT_EQ(second->version(), first->version() + 1);
  EXPECT_EQ(first->Find("a"), nullptr);
  EXPECT_NE(second->Find("a"), nullptr);
}

TEST_F(MemberTableTest, IsolationIsPartOfTheView) {
  const uint64_t version = table_.version();
  table_.set_isolated(true);
  EXPECT_TRUE(table_.view()->isolated());
  EXPECT_EQ(table_.version(), version + 1);
  table_.set_isolated(true);
  EXPECT_EQ(table_.version(), version + 1);
}

TEST_F(MemberTableTest, LongestGoneIsTheOneThatDiedOrLeftFirst) {
  EXPECT_EQ(table_.LongestGone(), std::nullopt);
  table_.Insert(MemberOf(Alive("a", 1, 0)), At(0));
  table_.Insert(MemberOf(Left("c", 1, 0)), At(2));
  table_.Insert(MemberOf(Dead("b", 1, 0, "a")), At(3));
  EXPECT_EQ(table_.LongestGone(), "c");
  table_.Erase("c");
  EXPECT_EQ(table_.LongestGone(), "b");
}

}  // namespace
}  // namespace sessionmesh::membership
