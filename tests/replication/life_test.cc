#include "replication/life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "membership/random.h"
#include "replication/life_merge.h"
#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Life LifeWith(const std::vector<EntryView>& entries) {
  Life life;
  life.birth = {1, 1};
  life.heads = {{1, 1}};
  life.attributes = AttributeTable::Pack(entries);
  return life;
}

TEST(LifeTest, TwoRotationsThatRacedLeaveTwoIds) {
  const Life life = LifeWith({{kIdAttribute, {1, 5}, 1, "id-b"},
                              {kIdAttribute, {2, 5}, 1, "id-a"},
                              {"a", {1, 2}, 1, "id-c"}});
  EXPECT_THAT(life.Ids(), ElementsAre("id-a", "id-b"));
  EXPECT_TRUE(life.HoldsId("id-a"));
  EXPECT_TRUE(life.HoldsId("id-b"));
  EXPECT_FALSE(life.HoldsId("id-c"));
}

TEST(LifeTest, ARetriedRotationLeavesOneId) {
  const Life life = LifeWith(
      {{kIdAttribute, {1, 5}, 1, "id"}, {kIdAttribute, {2, 5}, 1, "id"}});
  EXPECT_THAT(life.Ids(), ElementsAre("id"));
}

TEST(LifeTest, LiveDotsAreBirthHeadsAndEntriesOnce) {
  Life life = LifeWith({{kIdAttribute, {1, 1}, 1, "id"},
                        {"a", {1, 4}, 1, "y"},
                        {"a", {2, 3}, 1, "x"}});
  life.heads = {{1, 4}, {3, 1}};
  EXPECT_THAT(life.LiveDots(),
              ElementsAre(Dot{1, 1}, Dot{1, 4}, Dot{2, 3}, Dot{3, 1}));
}

TEST(LifeTest, EndedIdsAreFoundByHash) {
  Life life = LifeWith({});
  life.ended = {{{1, 1}, HashId("old")}};
  EXPECT_TRUE(life.HeldIdOnce(HashId("old")));
  EXPECT_FALSE(life.HeldIdOnce(HashId("new")));
}

TEST(LifeTest, MemoryCountsTheTableAndEndedIds) {
  Life life = LifeWith({{"a", {1, 2}, 1, std::string(1000, 'x')}});
  const size_t before = life.memory_bytes();
  EXPECT_GE(before, sizeof(Life) + 1000);
  life.ended = {{{1, 1}, 1}};
  EXPECT_EQ(life.memory_bytes(), before + sizeof(EndedId));
  life.heads = {{1, 1}, {1, 2}};
  EXPECT_GE(life.memory_bytes(), before + sizeof(EndedId) + 2 * sizeof(Dot));
}

TEST(JoinEndedTest, KeepsTheGreatestOfBoth) {
  std::vector<EndedId> a;
  std::vector<EndedId> b;
  for (uint64_t i = 1; i <= 12; ++i) {
    a.push_back({{1, 2 * i}, i});
    b.push_back({{1, 2 * i + 1}, i});
  }
  const std::vector<EndedId> joined = JoinEnded(a, b);
  ASSERT_THAT(joined, SizeIs(kEndedIdsMax));
  EXPECT_EQ(joined.front().dot, (Dot{1, 10}));
  EXPECT_EQ(joined.back().dot, (Dot{1, 25}));
}

TEST(JoinEndedTest, IsAJoinAlthoughItIsBounded) {
  Random random(1);
  const auto some = [&random] {
    std::vector<EndedId> ids;
    for (int i = 0; i < 12; ++i) {
      ids = JoinEnded(ids, {{{1, 1 + random.Below(40)}, 7}});
    }
    return ids;
  };
  for (int i = 0; i < 500; ++i) {
    const auto a = some();
    const auto b = some();
    const auto c = some();
    ASSERT_EQ(JoinEnded(a, b), JoinEnded(b, a));
    ASSERT_EQ(JoinEnded(JoinEnded(a, b), c), JoinEnded(a, JoinEnded(b, c)));
    ASSERT_EQ(JoinEnded(a, a), a);
  }
}

// --- what deltas and joins make of a life (life_merge.h)

class LifeMergeTest : public ::testing::Test {
 protected:
  // CREATE "id" with a=1 and, seen from it, a rotation to "new".
  LifeMergeTest() {
    Delta create;
    create.kind = Delta::Kind::kCreate;
    create.actor = kActor;
    create.first = 1;
    create.births = {{kActor, 1}};
    create.deadline = TestStart() + absl::Hours(1);
    create.idle = absl::Minutes(5);
    create.ops = {Put(std::string(kIdAttribute), "id"), Put("a", "1")};
    life_ = CreatedLife(create, {});
    covered_.AddRange({kActor, 1, 2});

    rotate_.kind = Delta::Kind::kRotate;
    rotate_.actor = kActor;
    rotate_.first = 3;
    rotate_.births = {{kActor, 1}};
    rotate_.deps = {{kActor, 2}};
    rotate_.ops = {Put(std::string(kIdAttribute), "new", {{kActor, 1}})};
  }

  static Op Put(std::string name, std::string value,
                std::vector<Dot> superseded = {}) {
    return {Op::Kind::kPut, std::move(name), std::move(value),
            std::move(superseded), 1};
  }

  static constexpr ActorId kActor = 7;
  Life life_;
  Context covered_;
  Delta rotate_;
};

TEST_F(LifeMergeTest, CreateGivesBirthHeadDeadlineAndIdle) {
  EXPECT_EQ(life_.birth, (Dot{kActor, 1}));
  EXPECT_THAT(life_.heads, ElementsAre(Dot{kActor, 2}));
  EXPECT_EQ(life_.deadline(), TestStart() + absl::Hours(1));
  EXPECT_EQ(life_.idle_ms, 300000);
  EXPECT_THAT(life_.Ids(), ElementsAre("id"));
  EXPECT_THAT(life_.ended, IsEmpty());
}

TEST_F(LifeMergeTest, ARotationEndsTheIdsItSaw) {
  const Life rotated = UpdatedLife(life_, rotate_, covered_);
  EXPECT_THAT(rotated.Ids(), ElementsAre("new"));
  EXPECT_THAT(rotated.ended, ElementsAre(EndedId{{kActor, 1}, HashId("id")}));
  EXPECT_THAT(rotated.heads, ElementsAre(Dot{kActor, 3}));
  EXPECT_EQ(rotated.birth, life_.birth);
  EXPECT_EQ(rotated.deadline_ms, life_.deadline_ms);
}

// The birth dot is still live as the birth, but no longer as the id's entry.
TEST_F(LifeMergeTest, AJoinEndsTheIdThatTheOtherSideHasRotated) {
  const Life rotated = UpdatedLife(life_, rotate_, covered_);
  Context after = covered_;
  after.Add({kActor, 3});
  const Life joined = JoinedLife(life_, covered_, rotated, after);
  EXPECT_THAT(joined.Ids(), ElementsAre("new"));
  EXPECT_EQ(joined.ended, rotated.ended);
  EXPECT_EQ(joined.heads, rotated.heads);
  EXPECT_EQ(joined.attributes, rotated.attributes);
  // And the other way round nothing comes back.
  const Life back = JoinedLife(rotated, after, life_, covered_);
  EXPECT_EQ(back.attributes, rotated.attributes);
  EXPECT_EQ(back.heads, rotated.heads);
  EXPECT_EQ(back.ended, rotated.ended);
}

// A dot that is still live as an entry must not stay as a head.
TEST_F(LifeMergeTest, AJoinDropsAHeadWhoseEntryLives) {
  Delta update = rotate_;
  update.kind = Delta::Kind::kUpdate;
  update.ops = {Put("b", "2")};
  const Life updated = UpdatedLife(life_, update, covered_);
  Context after = covered_;
  after.Add({kActor, 3});
  const Life joined = JoinedLife(life_, covered_, updated, after);
  EXPECT_THAT(joined.heads, ElementsAre(Dot{kActor, 3}));
  EXPECT_THAT(joined.attributes.Find("a"), SizeIs(1));
}

TEST_F(LifeMergeTest, OpsWhoseDotsAreCoveredAreSkipped) {
  Delta group = rotate_;
  group.kind = Delta::Kind::kUpdate;
  group.ops = {Put("b", "2"), Put("c", "3", {{kActor, 2}})};
  Context covered = covered_;
  covered.Add({kActor, 3});
  const Life updated = UpdatedLife(life_, group, covered);
  EXPECT_THAT(updated.attributes.Find("b"), IsEmpty());
  EXPECT_THAT(updated.attributes.Find("c"), SizeIs(1));
}

TEST_F(LifeMergeTest, AnOpTakesOnlyEntriesOfItsOwnAttribute) {
  Delta update = rotate_;
  update.kind = Delta::Kind::kUpdate;
  update.ops = {{Op::Kind::kDelete, "b", "", {{kActor, 2}}, 1}};
  EXPECT_THAT(UpdatedLife(life_, update, covered_).attributes.Find("a"),
              SizeIs(1));
  update.ops[0].name = "a";
  EXPECT_THAT(UpdatedLife(life_, update, covered_).attributes.Find("a"),
              IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::replication
