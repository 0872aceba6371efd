#include "replication/slot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/replication/delta_writer.h"
#include "tests/replication/slot_spec.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Outcome = Slot::Outcome;

constexpr absl::string_view kId = "session";

// Two replicas of one slot with a writer each.
class SlotTest : public ::testing::Test {
 protected:
  // Applies the delta at `slot`; what changed is in changes_.
  Outcome Receive(Slot* slot, const DeltaPtr& delta,
                  const membership::NodeName& from = "n") {
    changes_ = SlotChanges();
    const Outcome outcome = slot->Receive(delta, from, &changes_);
    EXPECT_EQ(CheckDerived(*slot), "");
    return outcome;
  }
  DeltaPtr Apply(const DeltaPtr& delta) {
    EXPECT_EQ(Receive(&a_, delta), Outcome::kApplied);
    return delta;
  }
  void Join(Slot* slot, const Snapshot& snapshot,
            absl::Time now = TestStart()) {
    changes_ = SlotChanges();
    slot->Join(snapshot, "source", now, &changes_);
    EXPECT_EQ(CheckDerived(*slot), "");
  }
  static std::vector<Dot> Births(
      const std::vector<const Slot::Holding*>& some) {
    std::vector<Dot> births;
    for (const Slot::Holding* holding : some) {
      births.push_back(holding->life->birth);
    }
    return births;
  }
  static std::string ValueOf(const Slot& slot, absl::string_view id,
                             absl::string_view name) {
    const auto found = slot.Lookup(id);
    if (found.size() != 1) return "<no session>";
    const auto siblings = found[0]->life->attributes.Find(name);
    return siblings.empty() ? "<none>" : std::string(Winner(siblings).value);
  }

  Slot a_{Slot::Limits()};
  Slot b_{Slot::Limits()};
  DeltaWriter writer_a_{TestActor(1)};
  DeltaWriter writer_b_{TestActor(2)};
  SlotChanges changes_;
};

// --- applying

TEST_F(SlotTest, ACreatedSessionIsFoundByItsId) {
  const DeltaPtr create = Apply(writer_a_.Create(kId, {{"cart", "1"}}));
  EXPECT_TRUE(changes_.any);
  EXPECT_THAT(changes_.changed, ElementsAre(create->dot(0)));
  EXPECT_THAT(Births(a_.Lookup(kId)), ElementsAre(create->dot(0)));
  EXPECT_EQ(ValueOf(a_, kId, "cart"), "1");
  EXPECT_EQ(a_.Find(create->dot(0)), a_.Lookup(kId)[0]);
  EXPECT_EQ(a_.payload_bytes(), 3u + kId.size() + 4u + 1u);
  EXPECT_THAT(a_.Lookup("other"), IsEmpty());
}

TEST_F(SlotTest, ADuplicateChangesNothing) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  EXPECT_EQ(Receive(&a_, create), Outcome::kDuplicate);
  EXPECT_FALSE(changes_.any);
  EXPECT_THAT(changes_.changed, IsEmpty());
}

TEST_F(SlotTest, ConcurrentWritesStayAsSiblingsUntilAWriteThatSawBoth) {
  const DeltaPtr create = Apply(writer_a_.Create(kId, {{"cart", "0"}}));
  Receive(&b_, create);
  const DeltaPtr one = writer_a_.Update(a_, kId, {{"cart", "1"}});
  const DeltaPtr two = writer_b_.Update(b_, kId, {{"cart", "2"}});
  Apply(one);
  Apply(two);
  const Life& life = *a_.Lookup(kId)[0]->life;
  EXPECT_THAT(life.attributes.Find("cart"), SizeIs(2));
  EXPECT_THAT(life.heads, ElementsAre(one->last(), two->last()));
  Apply(writer_a_.Update(a_, kId, {{"cart", "3"}}));
  EXPECT_THAT(a_.Lookup(kId)[0]->life->attributes.Find("cart"), SizeIs(1));
  EXPECT_THAT(a_.Lookup(kId)[0]->life->heads, SizeIs(1));
}

TEST_F(SlotTest, DeletingOneAttributeLeavesTheConcurrentWrite) {
  const DeltaPtr create = Apply(writer_a_.Create(kId, {{"cart", "0"}}));
  Receive(&b_, create);
  const DeltaPtr erase = writer_a_.Update(a_, kId, {{"cart", std::nullopt}});
  const DeltaPtr write = writer_b_.Update(b_, kId, {{"cart", "2"}});
  Apply(erase);
  EXPECT_EQ(ValueOf(a_, kId, "cart"), "<none>");
  Apply(write);
  EXPECT_EQ(ValueOf(a_, kId, "cart"), "2");
}

// --- parking

TEST_F(SlotTest, AnUpdateWaitsForWhatItDependsOn) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));

  EXPECT_EQ(Receive(&b_, two, "x"), Outcome::kParked);
  EXPECT_TRUE(changes_.any);
  EXPECT_EQ(Receive(&b_, one, "y"), Outcome::kParked);
  EXPECT_EQ(Receive(&b_, two, "z"), Outcome::kParked);
  EXPECT_FALSE(changes_.any);
  EXPECT_EQ(b_.parked_count(), 2u);
  EXPECT_TRUE(b_.context().empty());

  EXPECT_EQ(Receive(&b_, create), Outcome::kApplied);
  EXPECT_EQ(b_.parked_count(), 0u);
  EXPECT_EQ(ValueOf(b_, kId, "cart"), "2");
  EXPECT_THAT(changes_.changed, ElementsAre(create->dot(0)));
  std::vector<std::string> settled;
  for (const auto& s : changes_.settled) {
    settled.push_back(s.from + " " + DotName(s.last));
  }
  EXPECT_THAT(settled, ElementsAre("y " + DotName(one->last()),
                                   "x " + DotName(two->last()),
                                   "z " + DotName(two->last())));
}

TEST_F(SlotTest, AGroupThatHoldsTheDependencySettlesWhatWaits) {
  Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  const DeltaPtr three = Apply(writer_a_.Update(a_, kId, {{"cart", "3"}}));
  Receive(&b_, three);
  ASSERT_EQ(b_.parked_count(), 1u);
  Join(&b_, Slot(Slot::Limits()).TakeSnapshot({}));
  EXPECT_EQ(b_.parked_count(), 1u);
  // The CREATE comes in a group with the first two updates.
  Slot fresh{Slot::Limits()};
  DeltaWriter writer(TestActor(1));
  const DeltaPtr create = writer.Create(kId);
  const auto group =
      std::make_shared<const Delta>(Coalesce(Coalesce(*create, *one), *two));
  EXPECT_EQ(Receive(&b_, group), Outcome::kApplied);
  EXPECT_EQ(b_.parked_count(), 0u);
  EXPECT_EQ(StateOf(b_), StateOf(a_));
}

// Simulator, seed 9013868: what follows a change of a forgotten actor must not
// wait for it.
TEST_F(SlotTest, WhatIsCoveredAsOverBringsNoLifeAndHoldsNothingUp) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr update = Apply(writer_b_.Update(a_, kId, {{"k", "v"}}));
  ASSERT_EQ(Receive(&b_, update), Outcome::kParked);

  changes_ = SlotChanges();
  b_.CoverAsOver(create, &changes_);

  EXPECT_EQ(CheckDerived(b_), "");
  EXPECT_TRUE(b_.context().Contains(create->last()));
  EXPECT_TRUE(b_.context().Contains(update->last()));
  EXPECT_THAT(changes_.settled, SizeIs(1));
  EXPECT_THAT(b_.Lookup(kId), IsEmpty());
  EXPECT_EQ(b_.parked_count(), 0u);
  EXPECT_EQ(Receive(&b_, create), Outcome::kDuplicate);
  EXPECT_FALSE(b_.LogSince(Context()).has_value())
      << "the log lacks the CREATE";
}

TEST_F(SlotTest, AKillThatIsCoveredAsOverEndsWhatItNames) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr kill = writer_b_.Kill(a_, kId);

  a_.CoverAsOver(kill, &changes_);
  b_.CoverAsOver(kill, &changes_);

  EXPECT_THAT(a_.Lookup(kId), IsEmpty());
  EXPECT_EQ(Receive(&b_, create), Outcome::kDuplicate);
}

TEST_F(SlotTest, TheNewestIsRefusedWhenTheParkingPlaceIsFull) {
  Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Slot::Limits limits;
  limits.parked_bytes_max = 700;
  Slot small(limits);
  EXPECT_EQ(Receive(&small, one), Outcome::kParked);
  EXPECT_EQ(Receive(&small, two), Outcome::kRefused);
  EXPECT_FALSE(changes_.any);
  EXPECT_EQ(small.parked_count(), 1u);
}

TEST_F(SlotTest, AJoinParksNoMoreThanItsCallerAllows) {
  Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Slot source{Slot::Limits()};
  Receive(&source, one);
  Receive(&source, two);
  ASSERT_EQ(source.parked_count(), 2u);
  SlotChanges changes;
  b_.Join(source.TakeSnapshot(b_.context()), "source", TestStart(), &changes,
          source.parked_bytes() - 1);
  EXPECT_EQ(b_.parked_count(), 1u);
}

TEST_F(SlotTest, TheOldestParkedIsTheOneWithTheLeastClock) {
  membership::NodeName from;
  EXPECT_EQ(b_.OldestParked(&from), nullptr);
  Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Receive(&b_, two, "x");
  Receive(&b_, one, "y");
  ASSERT_NE(b_.OldestParked(&from), nullptr);
  EXPECT_EQ(*b_.OldestParked(&from), one);
  EXPECT_EQ(from, "y");
}

// --- ends

TEST_F(SlotTest, AKillIsFinal) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr update = writer_a_.Update(a_, kId, {{"cart", "1"}});
  Apply(writer_a_.Kill(a_, kId, EndReason::kIdle));
  ASSERT_THAT(changes_.ended, SizeIs(1));
  EXPECT_EQ(changes_.ended[0].birth, create->dot(0));
  EXPECT_EQ(changes_.ended[0].reason, EndReason::kIdle);
  EXPECT_THAT(changes_.ended[0].ids, ElementsAre(kId));
  EXPECT_THAT(changes_.changed, IsEmpty());
  EXPECT_EQ(Receive(&a_, update), Outcome::kApplied);
  EXPECT_THAT(a_.Lookup(kId), IsEmpty());
  EXPECT_EQ(a_.live_hash(), LiveHash());
  EXPECT_EQ(a_.payload_bytes(), 0u);
  EXPECT_EQ(a_.LastAccessHash(), 0u);
}

TEST_F(SlotTest, AKillThatComesBeforeItsCreateVoidsIt) {
  const DeltaPtr create = Apply(writer_a_.Create(kId, {{"cart", "1"}}));
  const DeltaPtr kill = writer_a_.Kill(a_, kId);
  EXPECT_EQ(Receive(&b_, kill), Outcome::kApplied);
  EXPECT_TRUE(changes_.any);
  EXPECT_TRUE(b_.context().Contains(create->dot(0)));
  EXPECT_EQ(Receive(&b_, create), Outcome::kApplied);
  EXPECT_THAT(b_.Lookup(kId), IsEmpty());
}

TEST_F(SlotTest, AKillWakesWhatWaitedForTheLifeOnlyToBury) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr update = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  EXPECT_EQ(Receive(&b_, update), Outcome::kParked);
  EXPECT_EQ(Receive(&b_, writer_a_.Kill(a_, kId)), Outcome::kApplied);
  EXPECT_EQ(b_.parked_count(), 0u);
  EXPECT_THAT(changes_.settled, SizeIs(1));
  EXPECT_TRUE(b_.lives().empty());
}

TEST_F(SlotTest, ADeadlineDropsWithoutADelta) {
  writer_a_.set_deadline(TestStart() + absl::Hours(1));
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const Dot birth = create->dot(0);
  SlotChanges changes;
  const absl::Time deadline = TestStart() + absl::Hours(1);
  EXPECT_FALSE(a_.DropPastDeadline(birth, deadline, &changes));
  EXPECT_TRUE(
      a_.DropPastDeadline(birth, deadline + absl::Milliseconds(1), &changes));
  ASSERT_THAT(changes.ended, SizeIs(1));
  EXPECT_EQ(changes.ended[0].reason, EndReason::kDeadline);
  EXPECT_FALSE(a_.DropPastDeadline(birth, absl::InfiniteFuture(), &changes));
  EXPECT_EQ(Receive(&a_, create), Outcome::kDuplicate);
  EXPECT_TRUE(a_.lives().empty());
}

// --- ids

TEST_F(SlotTest, ARotatedIdOpensNothingButEndsTheSession) {
  const DeltaPtr create = Apply(writer_a_.Create(kId, {{"cart", "1"}}));
  const DeltaPtr late = writer_a_.Update(a_, kId, {{"cart", "2"}});
  Apply(writer_b_.Rotate(a_, kId, "new-id"));
  EXPECT_THAT(a_.Lookup(kId), IsEmpty());
  EXPECT_THAT(Births(a_.LookupForDelete(kId)), ElementsAre(create->dot(0)));
  EXPECT_EQ(ValueOf(a_, "new-id", "cart"), "1");
  // An update on its way to the old id stays with the life.
  Apply(late);
  EXPECT_EQ(ValueOf(a_, "new-id", "cart"), "2");
  Apply(writer_a_.Kill(a_, kId));
  EXPECT_THAT(a_.Lookup("new-id"), IsEmpty());
  EXPECT_THAT(a_.LookupForDelete(kId), IsEmpty());
}

TEST_F(SlotTest, AnEndedIdIsLookedAtOnlyWhenNobodyHoldsIt) {
  Apply(writer_a_.Create(kId));
  Apply(writer_a_.Rotate(a_, kId, "new-id"));
  const DeltaPtr again = Apply(writer_a_.Create(kId));
  EXPECT_THAT(Births(a_.LookupForDelete(kId)), ElementsAre(again->dot(0)));
}

TEST_F(SlotTest, RotationsThatRacedLeaveBothIds) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  const DeltaPtr one = writer_a_.Rotate(a_, kId, "id-1");
  const DeltaPtr two = writer_b_.Rotate(b_, kId, "id-2");
  for (const DeltaPtr& rotate : {one, two}) {
    Receive(&a_, rotate);
  }
  for (const DeltaPtr& rotate : {two, one}) {
    Receive(&b_, rotate);
  }
  EXPECT_EQ(StateOf(a_), StateOf(b_));
  EXPECT_EQ(a_.live_hash(), b_.live_hash());
  EXPECT_THAT(a_.Lookup("id-1")[0]->life->Ids(), ElementsAre("id-1", "id-2"));
  Apply(writer_a_.Rotate(a_, "id-1", "id-3"));
  EXPECT_THAT(a_.Lookup("id-2"), IsEmpty());
  EXPECT_THAT(a_.LookupForDelete("id-2"), SizeIs(1));
}

TEST_F(SlotTest, OnlyTheLatestEndedIdsAreKept) {
  Apply(writer_a_.Create("id-0"));
  for (int i = 0; i < 20; ++i) {
    Apply(writer_a_.Rotate(a_, "id-" + std::to_string(i),
                           "id-" + std::to_string(i + 1)));
  }
  EXPECT_THAT(a_.Lookup("id-20")[0]->life->ended, SizeIs(kEndedIdsMax));
  EXPECT_THAT(a_.LookupForDelete("id-3"), IsEmpty());
  EXPECT_THAT(a_.LookupForDelete("id-4"), SizeIs(1));
}

TEST_F(SlotTest, AForeignIdCreatedTwiceHasTwoLives) {
  const DeltaPtr one = writer_a_.Create(kId, {{"cart", "1"}});
  const DeltaPtr two = writer_b_.Create(kId, {{"cart", "2"}});
  Apply(two);
  Apply(one);
  EXPECT_THAT(Births(a_.Lookup(kId)), ElementsAre(one->dot(0), two->dot(0)));
  Apply(writer_a_.Update(a_, kId, {{"cart", "3"}}));
  EXPECT_THAT(changes_.changed, ElementsAre(one->dot(0), two->dot(0)));
  for (const Slot::Holding* holding : a_.Lookup(kId)) {
    EXPECT_EQ(holding->life->attributes.Find("cart")[0].value, "3");
  }
  Apply(writer_a_.Kill(a_, kId));
  EXPECT_THAT(changes_.ended, SizeIs(2));
}

TEST_F(SlotTest, AKillSparesALifeThatItDidNotSee) {
  Receive(&b_, writer_b_.Create(kId));
  const DeltaPtr kill = writer_b_.Kill(b_, kId);
  const DeltaPtr own = Apply(writer_a_.Create(kId));
  Apply(kill);
  EXPECT_THAT(Births(a_.Lookup(kId)), ElementsAre(own->dot(0)));
}

// --- state transfer

TEST_F(SlotTest, AJoinEqualsApplying) {
  Apply(writer_a_.Create(kId, {{"cart", "1"}, {"seen", "x"}}));
  Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Apply(writer_a_.Rotate(a_, kId, "new-id"));
  Apply(writer_a_.Create("gone"));
  Apply(writer_a_.Kill(a_, "gone"));
  Join(&b_, a_.TakeSnapshot(b_.context()));
  EXPECT_TRUE(changes_.any);
  EXPECT_EQ(StateOf(b_), StateOf(a_));
  EXPECT_EQ(b_.context(), a_.context());
  EXPECT_EQ(b_.live_hash(), a_.live_hash());
  EXPECT_EQ(b_.LastAccessHash(), a_.LastAccessHash());
  EXPECT_THAT(b_.LookupForDelete(kId), SizeIs(1));
  Join(&b_, a_.TakeSnapshot({}));
  EXPECT_FALSE(changes_.any);
  EXPECT_THAT(changes_.changed, IsEmpty());
}

TEST_F(SlotTest, OnlyLivesThatThePeerLacksTravelWhole) {
  const DeltaPtr one = Apply(writer_a_.Create("one"));
  const DeltaPtr two = Apply(writer_a_.Create("two"));
  Join(&b_, a_.TakeSnapshot({}));
  Apply(writer_a_.Update(a_, "two", {{"a", "1"}}));
  const Snapshot snapshot = a_.TakeSnapshot(b_.context());
  ASSERT_THAT(snapshot.lives, SizeIs(2));
  EXPECT_EQ(snapshot.lives[0].birth, one->dot(0));
  EXPECT_EQ(snapshot.lives[0].full, nullptr);
  EXPECT_THAT(snapshot.lives[0].live_dots, ElementsAre(one->dot(0)));
  EXPECT_EQ(snapshot.lives[1].birth, two->dot(0));
  EXPECT_EQ(snapshot.lives[1].full, a_.Find(two->dot(0))->life);
  LiveHash sum;
  for (const SnapshotLife& life : snapshot.lives) {
    for (const Dot& dot : life.live_dots) sum.Add(dot);
  }
  EXPECT_EQ(sum, snapshot.live_hash);
  Join(&b_, snapshot);
  EXPECT_THAT(changes_.changed, ElementsAre(two->dot(0)));
  EXPECT_EQ(StateOf(b_), StateOf(a_));
}

TEST_F(SlotTest, ASnapshotPinsTheStateOfItsMoment) {
  Apply(writer_a_.Create(kId, {{"cart", "1"}}));
  const Snapshot snapshot = a_.TakeSnapshot({});
  const PlainState before = StateOf(a_);
  Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Join(&b_, snapshot);
  EXPECT_EQ(StateOf(b_), before);
}

TEST_F(SlotTest, AJoinEndsWhatTheOtherSideHasEnded) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  Receive(&b_, writer_b_.Kill(b_, kId, EndReason::kIdle));
  Join(&a_, b_.TakeSnapshot(a_.context()));
  ASSERT_THAT(changes_.ended, SizeIs(1));
  // The KILL itself did not travel, so its reason is unknown.
  EXPECT_EQ(changes_.ended[0].reason, EndReason::kDeleted);
  EXPECT_THAT(changes_.ended[0].ids, ElementsAre(kId));
  EXPECT_TRUE(a_.lives().empty());
}

TEST_F(SlotTest, AJoinDoesNotBringBackWhatIsDeadHere) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  Receive(&b_, writer_b_.Kill(b_, kId));
  Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  Join(&b_, a_.TakeSnapshot(b_.context()));
  EXPECT_TRUE(b_.lives().empty());
  EXPECT_TRUE(b_.context().Dominates(a_.context()));
}

TEST_F(SlotTest, AJoinEndsTheOldIdAlthoughTheBirthLives) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  Apply(writer_a_.Rotate(a_, kId, "new-id"));
  Join(&b_, a_.TakeSnapshot(b_.context()));
  EXPECT_THAT(b_.Lookup(kId), IsEmpty());
  EXPECT_THAT(b_.LookupForDelete(kId), SizeIs(1));
  EXPECT_THAT(b_.Lookup("new-id"), SizeIs(1));
}

TEST_F(SlotTest, AJoinWakesParkedDeltasOfBothSides) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr one = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr two = Apply(writer_a_.Update(a_, kId, {{"cart", "2"}}));
  Slot c{Slot::Limits()};
  Receive(&c, create);
  Receive(&c, one);
  Receive(&b_, two, "x");  // b holds only a parked one
  Join(&c, b_.TakeSnapshot(c.context()));
  EXPECT_EQ(StateOf(c), StateOf(a_));
  Join(&b_, c.TakeSnapshot(b_.context()));
  EXPECT_EQ(b_.parked_count(), 0u);
  ASSERT_THAT(changes_.settled, SizeIs(1));
  EXPECT_EQ(changes_.settled[0].from, "x");
  EXPECT_EQ(changes_.settled[0].last, two->last());
}

TEST_F(SlotTest, ALifePastItsDeadlineIsCoveredAndNotTaken) {
  writer_a_.set_deadline(TestStart() + absl::Hours(1));
  Apply(writer_a_.Create(kId));
  Join(&b_, a_.TakeSnapshot({}), TestStart() + absl::Hours(2));
  EXPECT_TRUE(b_.lives().empty());
  EXPECT_EQ(b_.context(), a_.context());
}

TEST_F(SlotTest, AJoinThatEndsALifePastItsDeadlineSaysSo) {
  writer_a_.set_deadline(TestStart() + absl::Hours(1));
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  SlotChanges changes;
  const absl::Time now = TestStart() + absl::Hours(2);
  ASSERT_TRUE(b_.DropPastDeadline(create->dot(0), now, &changes));
  Join(&a_, b_.TakeSnapshot(a_.context()), now);
  ASSERT_THAT(changes_.ended, SizeIs(1));
  EXPECT_EQ(changes_.ended[0].reason, EndReason::kDeadline);
}

TEST_F(SlotTest, TheLogBringsAPeerUpToDate) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const DeltaPtr update = Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr kill = Apply(writer_a_.Kill(a_, kId));
  const auto all = a_.LogSince({});
  ASSERT_TRUE(all.has_value());
  EXPECT_THAT(*all, ElementsAre(create, update, kill));
  Context peer;
  peer.Add(create->last());
  EXPECT_THAT(*a_.LogSince(peer), ElementsAre(update, kill));
  EXPECT_THAT(*a_.LogSince(a_.context()), IsEmpty());
}

TEST_F(SlotTest, TheLogDoesNotHoldWhatWasJoined) {
  Apply(writer_a_.Create(kId));
  Join(&b_, a_.TakeSnapshot({}));
  EXPECT_EQ(b_.LogSince({}), std::nullopt);
  Receive(&b_, writer_b_.Update(b_, kId, {{"cart", "1"}}));
  EXPECT_THAT(*b_.LogSince(a_.context()), SizeIs(1));
}

// --- accesses

TEST_F(SlotTest, TheLastAccessMovesUpOnly) {
  const int64_t start = absl::ToUnixMillis(TestStart());
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  const Dot birth = create->dot(0);
  EXPECT_THAT(a_.LastAccesses(), ElementsAre(LastAccess{birth, start}));
  EXPECT_TRUE(a_.Touch(birth, start + 5));
  EXPECT_FALSE(a_.Touch(birth, start + 5));
  EXPECT_FALSE(a_.Touch(birth, start));
  EXPECT_FALSE(a_.Touch({9, 9}, start + 50));
  EXPECT_EQ(a_.Find(birth)->last_access_ms, start + 5);
  EXPECT_EQ(a_.Find(birth)->last_sent_ms, start);
  a_.MarkSent(birth, start + 5);
  EXPECT_EQ(a_.Find(birth)->last_sent_ms, start + 5);
}

TEST_F(SlotTest, AnUpdateIsAnAccessThatTheOthersLearnOf) {
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  writer_a_.set_wall(TestStart() + absl::Seconds(5));
  Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const Slot::Holding* holding = a_.Find(create->dot(0));
  EXPECT_EQ(holding->last_access_ms,
            absl::ToUnixMillis(TestStart() + absl::Seconds(5)));
  EXPECT_EQ(holding->last_sent_ms, holding->last_access_ms);
}

TEST_F(SlotTest, AJoinTakesTheLaterAccess) {
  const int64_t start = absl::ToUnixMillis(TestStart());
  const DeltaPtr create = Apply(writer_a_.Create(kId));
  Receive(&b_, create);
  a_.Touch(create->dot(0), start + 500);
  EXPECT_NE(a_.LastAccessHash(), b_.LastAccessHash());
  // It comes even with a life that does not travel whole.
  Join(&b_, a_.TakeSnapshot(b_.context()));
  EXPECT_EQ(b_.Find(create->dot(0))->last_access_ms, start + 500);
  EXPECT_EQ(a_.LastAccessHash(), b_.LastAccessHash());
  Slot late{Slot::Limits()};
  Receive(&late, create);
  Join(&b_, late.TakeSnapshot(b_.context()));
  EXPECT_EQ(b_.Find(create->dot(0))->last_access_ms, start + 500);
}

// --- pruning

TEST_F(SlotTest, PruningForgetsActorsAndWhatWaitsForThem) {
  DeltaWriter later(MakeActorId(TestStart() + absl::Hours(24), 1));
  Apply(writer_a_.Create(kId));
  Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr late = later.Update(a_, kId, {{"cart", "2"}});
  EXPECT_EQ(Receive(&b_, late), Outcome::kParked);
  const absl::Time floor = TestStart() + absl::Hours(1);
  EXPECT_EQ(b_.Prune(floor, absl::InfinitePast()), 1u);
  EXPECT_EQ(b_.parked_count(), 0u);
  EXPECT_EQ(b_.context().floor(), floor);
  EXPECT_EQ(a_.Prune(floor, absl::InfinitePast()), 0u);
  EXPECT_TRUE(a_.context().empty());
}

TEST_F(SlotTest, PruningDropsWhatHasBeenParkedForLong) {
  Apply(writer_a_.Create(kId));
  Apply(writer_a_.Update(a_, kId, {{"cart", "1"}}));
  const DeltaPtr update = writer_a_.Update(a_, kId, {{"cart", "2"}});
  EXPECT_EQ(Receive(&b_, update), Outcome::kParked);
  EXPECT_EQ(b_.Prune(absl::InfinitePast(), TestStart()), 0u);
  EXPECT_EQ(b_.Prune(absl::InfinitePast(), TestStart() + absl::Milliseconds(1)),
            1u);
}

}  // namespace
}  // namespace sessionmesh::replication
