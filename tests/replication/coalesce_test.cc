#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "replication/delta.h"
#include "tests/replication/delta_writer.h"
#include "tests/replication/slot_spec.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoalesceTest : public ::testing::Test {
 protected:
  CoalesceTest() { Apply(writer_.Create("session", {{"a", "0"}})); }

  DeltaPtr Apply(const DeltaPtr& delta) {
    SlotChanges changes;
    slot_.Receive(delta, "n", &changes);
    applied_.push_back(delta);
    return delta;
  }
  DeltaPtr Update(const AttributeChanges& changes) {
    return Apply(writer_.Update(slot_, "session", changes));
  }
  static PlainState StateAfter(const std::vector<DeltaPtr>& deltas) {
    Slot slot{Slot::Limits()};
    SlotChanges changes;
    for (const DeltaPtr& delta : deltas) slot.Receive(delta, "n", &changes);
    EXPECT_EQ(CheckDerived(slot), "");
    return StateOf(slot);
  }
  static DeltaPtr Group(const DeltaPtr& a, const DeltaPtr& b) {
    EXPECT_TRUE(MayCoalesce(*a, *b));
    return std::make_shared<const Delta>(Coalesce(*a, *b));
  }

  Slot slot_{Slot::Limits()};
  DeltaWriter writer_{TestActor(1)};
  std::vector<DeltaPtr> applied_;  // [0] is the CREATE
};

TEST_F(CoalesceTest, AHotAttributeTravelsOnce) {
  const DeltaPtr first = Update({{"a", "1"}});
  const DeltaPtr second = Update({{"a", "2"}});
  const DeltaPtr group = Group(first, second);

  ASSERT_EQ(group->ops.size(), 2u);
  EXPECT_EQ(group->ops[0].kind, Op::Kind::kVoid);
  EXPECT_EQ(group->ops[0].value, "");
  EXPECT_EQ(group->ops[0].superseded, first->ops[0].superseded);
  EXPECT_EQ(group->ops[1].kind, Op::Kind::kPut);
  EXPECT_EQ(group->ops[1].value, "2");
  // What the first replaced, too: who has the first op already skips it.
  EXPECT_THAT(group->ops[1].superseded,
              ElementsAre(applied_[0]->last(), first->last()));
  EXPECT_EQ(group->deps, first->deps);
  EXPECT_THAT(group->inner_heads, ElementsAre(first->last()));
  EXPECT_EQ(group->last(), second->last());
  EXPECT_EQ(group->hlc, second->hlc);
  EXPECT_EQ(group->ops[0].hlc, first->hlc);
  EXPECT_EQ(StateAfter({applied_[0], group}), StateOf(slot_));
}

TEST_F(CoalesceTest, AGroupAppliesOverWhatCameBefore) {
  const DeltaPtr first = Update({{"a", "1"}, {"b", "1"}});
  const DeltaPtr second = Update({{"a", std::nullopt}});
  const DeltaPtr third = Update({{"a", "3"}, {"b", "3"}});
  const DeltaPtr group = Group(Group(first, second), third);
  EXPECT_THAT(group->inner_heads, ElementsAre(first->last(), second->last()));
  const PlainState state = StateOf(slot_);
  EXPECT_EQ(StateAfter({applied_[0], group}), state);
  EXPECT_EQ(StateAfter({applied_[0], first, group}), state);
  EXPECT_EQ(StateAfter({applied_[0], first, second, group}), state);
  EXPECT_EQ(StateAfter({applied_[0], group, first, second, third}), state);
  EXPECT_EQ(StateAfter({group, applied_[0]}), state);
}

TEST_F(CoalesceTest, AGroupMayBeginWithTheCreate) {
  const DeltaPtr update = Update({{"a", "1"}});
  const DeltaPtr group = Group(applied_[0], update);
  EXPECT_EQ(group->kind, Delta::Kind::kCreate);
  const PlainState state = StateOf(slot_);
  EXPECT_EQ(StateAfter({group}), state);
  EXPECT_EQ(StateAfter({applied_[0], group}), state);
  EXPECT_EQ(StateAfter({group, applied_[0], update}), state);
}

TEST_F(CoalesceTest, AGroupWithACreateDoesNotBringADeadLifeBack) {
  const DeltaPtr update = Update({{"a", "1"}});
  const DeltaPtr group = Group(applied_[0], update);
  const DeltaPtr kill = Apply(writer_.Kill(slot_, "session"));
  EXPECT_THAT(StateAfter({kill, group}), IsEmpty());
  EXPECT_THAT(StateAfter({applied_[0], kill, group}), IsEmpty());
}

TEST_F(CoalesceTest, OnlyAChainOnExactlyTheLastDotMerges) {
  const DeltaPtr first = Update({{"a", "1"}});
  const DeltaPtr second = Update({{"a", "2"}});
  Delta next = *second;
  next.deps = {};
  EXPECT_FALSE(MayCoalesce(*first, next));
  next.deps = {first->last(), {TestActor(2), 1}};
  EXPECT_FALSE(MayCoalesce(*first, next));
  next.deps = applied_[0]->births;
  EXPECT_FALSE(MayCoalesce(*first, next));
}

TEST_F(CoalesceTest, RotationsAndKillsStayAlone) {
  const DeltaPtr update = Update({{"a", "1"}});
  const DeltaPtr rotate = Apply(writer_.Rotate(slot_, "session", "new"));
  const DeltaPtr after = Apply(writer_.Update(slot_, "new", {{"a", "2"}}));
  const DeltaPtr kill = Apply(writer_.Kill(slot_, "new"));
  EXPECT_FALSE(MayCoalesce(*update, *rotate));
  EXPECT_FALSE(MayCoalesce(*rotate, *after));
  EXPECT_FALSE(MayCoalesce(*after, *kill));
  Delta next = *after;
  next.deps = {kill->last()};
  next.first = kill->last().counter + 1;
  EXPECT_FALSE(MayCoalesce(*kill, next));
}

TEST_F(CoalesceTest, ActorSlotAndBirthsMustBeEqual) {
  const DeltaPtr first = Update({{"a", "1"}});
  const DeltaPtr second = Update({{"a", "2"}});
  ASSERT_TRUE(MayCoalesce(*first, *second));
  Delta next = *second;
  next.actor = TestActor(2);
  EXPECT_FALSE(MayCoalesce(*first, next));
  next = *second;
  next.slot = 5;
  EXPECT_FALSE(MayCoalesce(*first, next));
  next = *second;
  next.births.push_back({TestActor(3), 1});
  EXPECT_FALSE(MayCoalesce(*first, next));
}

TEST_F(CoalesceTest, DotsOfAnotherSessionInBetweenKeepThemApart) {
  const DeltaPtr first = Update({{"a", "1"}});
  Apply(writer_.Create("another"));
  const DeltaPtr second = Update({{"a", "2"}});
  EXPECT_THAT(second->deps, ElementsAre(first->last()));
  EXPECT_FALSE(MayCoalesce(*first, *second));
}

// An update of {b2}, written after b1 was killed, must not ride in a group that
// names {b1, b2}: the receiver does not know the KILL yet (rule B5).
TEST_F(CoalesceTest, AnUpdateOfFewerLivesDoesNotRideInAGroupForMore) {
  Slot a{Slot::Limits()};
  Slot b{Slot::Limits()};
  Slot c{Slot::Limits()};
  DeltaWriter writer_a(TestActor(11));
  DeltaWriter writer_b(TestActor(12));
  DeltaWriter writer_c(TestActor(13));
  SlotChanges changes;
  const DeltaPtr one = writer_a.Create("foreign-session", {{"a", "1"}});
  const DeltaPtr two = writer_b.Create("foreign-session");
  for (const DeltaPtr& create : {one, two}) {
    a.Receive(create, "n", &changes);
    b.Receive(create, "n", &changes);
  }
  c.Receive(one, "n", &changes);
  const DeltaPtr both = writer_a.Update(a, "foreign-session", {{"b", "2"}});
  a.Receive(both, "n", &changes);
  a.Receive(writer_c.Kill(c, "foreign-session"), "n", &changes);
  const DeltaPtr rest = writer_a.Update(a, "foreign-session", {{"c", "3"}});
  a.Receive(rest, "n", &changes);

  ASSERT_THAT(rest->deps, ElementsAre(both->last()));
  ASSERT_EQ(rest->first, both->last().counter + 1);
  EXPECT_FALSE(MayCoalesce(*both, *rest));
  b.Receive(both, "n", &changes);
  b.Receive(rest, "n", &changes);
  EXPECT_THAT(b.Find(one->dot(0))->life->attributes.Find("c"), IsEmpty());
  EXPECT_EQ(StateOf(b), Spec({one, two, both, rest}));
}

}  // namespace
}  // namespace sessionmesh::replication
