#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "membership/limits.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Enough members that suspicions wait for confirmations: with 10, minimum 4 s,
// maximum 24 s.
void MeetTen(LoneSwim* lone) {
  for (int i = 0; i < 9; ++i) lone->Meet(absl::StrCat("n", i));
}

TEST(SwimMergeTest, NewsIsTakenOverAndPassedOn) {
  LoneSwim lone;
  lone.HearOf(Alive("a", 1, 4));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{1, 4, State::kAlive}));
  lone.Advance(absl::Milliseconds(200));
  EXPECT_THAT(lone.SentAbout("a"), Contains(Alive("a", 1, 4)));
}

TEST(SwimMergeTest, OldNewsChangesNothing) {
  LoneSwim lone;
  lone.HearOf(Alive("a", 2, 4));
  const uint64_t version = lone.swim.view_version();
  lone.HearOf(Alive("a", 2, 4));
  lone.HearOf(Suspected("a", 2, 3, "b"));
  lone.HearOf(Dead("a", 1, 9, "b"));
  EXPECT_EQ(lone.swim.view_version(), version);
}

// memberlist b63166c: an alive at the suspected incarnation, or below, must not
// stop the timer.
TEST(SwimMergeTest, OldAliveDoesNotCancelASuspicion) {
  LoneSwim lone;
  lone.HearOf(Alive("a", 1, 2));
  lone.HearOf(Suspected("a", 1, 2, "b"));
  lone.HearOf(Alive("a", 1, 1));
  lone.HearOf(Alive("a", 1, 2));
  lone.Hear("a", Gossip(), {}, 1, 2);
  EXPECT_EQ(lone.StateOf("a"), State::kSuspect);
  lone.Advance(absl::Seconds(5));
  EXPECT_EQ(lone.StateOf("a"), State::kDead);
}

TEST(SwimMergeTest, HigherIncarnationRefutesASuspicion) {
  LoneSwim lone;
  lone.HearOf(Suspected("a", 1, 2, "b"));
  EXPECT_EQ(lone.Find("a")->accuser, "b");
  lone.HearOf(Alive("a", 1, 3));
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  EXPECT_EQ(lone.Find("a")->accuser, "");
  ASSERT_THAT(lone.EventsOf(EventKind::kRefuted), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kRefuted)[0].accuser, "b");
}

TEST(SwimMergeTest, UnknownSuspectJoinsFirst) {
  LoneSwim lone;
  lone.HearOf(Suspected("a", 1, 2, "b"));
  EXPECT_THAT(lone.EventsOf(EventKind::kJoined), SizeIs(2));  // "told" and "a"
  ASSERT_THAT(lone.EventsOf(EventKind::kSuspected), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kSuspected)[0].previous,
            (Claim{1, 2, State::kAlive}));
}

TEST(SwimMergeTest, SuspicionEndsInDeathAfterTheMaximumWithoutConfirmations) {
  LoneSwim lone;
  MeetTen(&lone);
  lone.HearOf(Suspected("n0", 1, 0, "n1"));
  lone.effects.clear();
  const absl::Time start = lone.now.steady;
  // log10(11) = 1.041: minimum 4.164 s, maximum six times that.
  while (lone.StateOf("n0") == State::kSuspect) {
    lone.Live(absl::Milliseconds(4));
  }
  EXPECT_EQ(lone.now.steady - start, absl::Milliseconds(24984));
  const std::vector<Event> deaths = lone.EventsOf(EventKind::kDied);
  ASSERT_FALSE(deaths.empty());
  EXPECT_EQ(deaths[0].member.name, "n0");
  EXPECT_EQ(deaths[0].accuser, "n1");
}

TEST(SwimMergeTest, ConfirmationsShortenTheSuspicionAndArePassedOn) {
  LoneSwim lone;
  MeetTen(&lone);
  lone.HearOf(Suspected("n0", 1, 0, "n1"));
  lone.HearOf(Suspected("n0", 1, 0, "n2"));
  lone.HearOf(Suspected("n0", 1, 0, "n3"));
  EXPECT_EQ(lone.Find("n0")->confirmations, 2);
  EXPECT_EQ(lone.Find("n0")->accuser, "n1");
  lone.Advance(absl::Milliseconds(200));
  EXPECT_THAT(lone.SentAbout("n0"), Contains(Suspected("n0", 1, 0, "n3")));
  lone.Advance(absl::Milliseconds(4000));
  EXPECT_EQ(lone.StateOf("n0"), State::kDead);
  EXPECT_EQ(lone.Find("n0")->confirmations, 2);
}

// memberlist 59781de
TEST(SwimMergeTest, OwnSuspicionGossipedBackIsNoConfirmation) {
  LoneSwim lone;
  MeetTen(&lone);
  lone.HearOf(Suspected("n0", 1, 0, "n1"));
  lone.HearOf(Suspected("n0", 1, 0, "n1"));
  EXPECT_EQ(lone.Find("n0")->confirmations, 0);
}

// memberlist 63ef41a
TEST(SwimMergeTest, ReplayedAliveDoesNotReviveTheDead) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 3, "b"));
  lone.HearOf(Alive("a", 1, 3));
  lone.HearOf(Alive("a", 1, 2));
  EXPECT_EQ(lone.StateOf("a"), State::kDead);
  lone.HearOf(Alive("a", 1, 4));
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  EXPECT_THAT(lone.EventsOf(EventKind::kRejoined), SizeIs(1));
}

// al8n#197: the incarnation of a later death counts although the member is dead
// already.
TEST(SwimMergeTest, LaterDeathRaisesTheBarForComingBack) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 1, "b"));
  lone.HearOf(Dead("a", 1, 10, "b"));
  lone.HearOf(Alive("a", 1, 2));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{1, 10, State::kDead}));
}

TEST(SwimMergeTest, GoodbyeOutranksDeathAtTheSameIncarnation) {
  LoneSwim lone;
  lone.HearOf(Left("a", 1, 3));
  lone.HearOf(Dead("a", 1, 3, "b"));
  lone.HearOf(Suspected("a", 1, 3, "b"));
  EXPECT_EQ(lone.StateOf("a"), State::kLeft);
  EXPECT_THAT(lone.EventsOf(EventKind::kDied), IsEmpty());
}

// memberlist#253: those that left must not fill tables for ever.
TEST(SwimMergeTest, LeftMemberIsForgottenAfterTheRetention) {
  Config config;
  config.left_retention = absl::Minutes(2);
  LoneSwim lone(config);
  lone.HearOf(Left("a", 1, 3));
  lone.Live(absl::Seconds(119));
  EXPECT_EQ(lone.StateOf("a"), State::kLeft);
  lone.Live(absl::Seconds(31));
  EXPECT_EQ(lone.Find("a"), nullptr);
  EXPECT_THAT(lone.EventsOf(EventKind::kForgotten), SizeIs(1));
}

TEST(SwimMergeTest, DeadMemberIsNeverForgottenForItsAge) {
  Config config;
  config.left_retention = absl::Minutes(2);
  LoneSwim lone(config);
  lone.HearOf(Dead("a", 1, 3, "b"));
  lone.Live(absl::Hours(1));
  EXPECT_EQ(lone.StateOf("a"), State::kDead);
}

TEST(SwimMergeTest, AccusedNodeRefutesAtOnce) {
  LoneSwim lone;
  lone.HearOf(Suspected("me", 5, 0, "b"));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 1, State::kAlive}));
  ASSERT_THAT(lone.EventsOf(EventKind::kSelfAccused), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kSelfAccused)[0].accuser, "b");
  lone.Advance(absl::Milliseconds(200));
  EXPECT_THAT(lone.SentAbout("me"), Contains(Alive("me", 5, 1)));
}

TEST(SwimMergeTest, RefutationIsOneAboveTheAccusation) {
  LoneSwim lone;
  lone.HearOf(Dead("me", 5, 7, "b"));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 8, State::kAlive}));
  lone.HearOf(Suspected("me", 5, 7, "b"));
  EXPECT_EQ(lone.Self().claim.incarnation, 8u)
      << "an old accusation needs no new answer";
}

TEST(SwimMergeTest, GoodbyeSaidInOurNameIsRefuted) {
  LoneSwim lone;
  lone.HearOf(Left("me", 5, 0));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 1, State::kAlive}));
}

TEST(SwimMergeTest, GoodbyeWithAnAccuserIsNotBelieved) {
  LoneSwim lone;
  lone.Meet("a");
  Update forged = Left("a", 1, 0);
  forged.accuser = "b";
  lone.HearOf(forged);
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
}

// A state file may be lost without the name getting a new generation. The
// memory of others wins.
TEST(SwimMergeTest, OwnForgottenIncarnationIsOvertaken) {
  LoneSwim lone;
  lone.HearOf(Alive("me", 5, 4));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 5, State::kAlive}));
}

TEST(SwimMergeTest, AccusationOfTheProcessBeforeThisOneIsIgnored) {
  LoneSwim lone;
  lone.HearOf(Dead("me", 4, 9, "b"));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 0, State::kAlive}));
}

// memberlist#358: an accusation at the largest incarnation would evict for
// ever.
TEST(SwimMergeTest, AbsurdIncarnationsAreRefused) {
  LoneSwim lone;
  lone.Meet("a");
  lone.HearOf(Dead("me", 5, ~uint64_t{0}, "b"));
  lone.HearOf(Dead("me", 5, kIncarnationMax, "b"));
  lone.HearOf(Dead("me", 5, kSelfIncarnationJumpMax + 1, "b"));
  EXPECT_EQ(lone.Self().claim.incarnation, 0u);
  lone.HearOf(Dead("a", 1, ~uint64_t{0}, "b"));
  lone.HearOf(Dead("a", 1, kIncarnationJumpMax + 1, "b"));
  lone.HearOf(Alive("a", 1, kIncarnationJumpMax + 1));
  lone.Hear("a", Gossip(), {}, 1, kFirstHandIncarnationJumpMax + 1);
  EXPECT_EQ(lone.Find("a")->claim, (Claim{1, 0, State::kAlive}));
}

TEST(SwimMergeTest, WhatOthersBelieveOfAnIncarnationItsSubjectAnswers) {
  LoneSwim witness;
  witness.Meet("a", 5);
  LoneSwim accused;
  // Several accusations, each as far ahead of the last as it may be; only the
  // last one reaches the accused.
  uint64_t last = 0;
  for (int i = 0; i < 256; ++i) {
    last += kIncarnationJumpMax;
    witness.HearOf(Suspected("a", 5, last, "b"));
  }
  ASSERT_EQ(witness.Find("a")->claim, (Claim{5, last, State::kSuspect}));
  accused.HearOf(Suspected("me", 5, last, "b"));
  ASSERT_EQ(accused.Self().claim, (Claim{5, last + 1, State::kAlive}));

  witness.HearOf(Alive("a", 5, last + 1));

  EXPECT_EQ(witness.Find("a")->claim, (Claim{5, last + 1, State::kAlive}));
}

TEST(SwimMergeTest, AnAnswerFarAheadIsBelievedOfItsSenderByEverybody) {
  LoneSwim witness;  // has heard no accusation
  witness.Meet("a", 5);
  witness.HearOf(Alive("a", 5, kSelfIncarnationJumpMax + 1));
  EXPECT_EQ(witness.Find("a")->claim.incarnation, 0u);

  witness.Hear("a", Gossip(), {}, 5, kSelfIncarnationJumpMax + 1);

  EXPECT_EQ(witness.Find("a")->claim.incarnation, kSelfIncarnationJumpMax + 1);
}

TEST(SwimMergeTest, AGenerationThatNoRestartCouldReachIsNotBelieved) {
  LoneSwim lone;
  lone.Meet("a");
  const auto newest = static_cast<Generation>(
      absl::ToUnixMillis(lone.now.wall + kGenerationAheadMax));
  lone.HearOf(Dead("a", newest + 1, 0, "b"));
  lone.HearOf(Alive("stranger", newest + 1, 0));
  lone.Hear("a", Gossip(), {}, newest + 1);
  lone.Hear("stranger", Gossip(), {}, newest + 1);
  lone.Hear("me", Gossip(), {}, newest + 1);
  lone.HearOf(Alive("me", newest + 1, 0));

  EXPECT_EQ(lone.Find("a")->claim, (Claim{1, 0, State::kAlive}));
  EXPECT_EQ(lone.Find("stranger"), nullptr);
  EXPECT_THAT(lone.EventsOf(EventKind::kSuperseded), IsEmpty());

  lone.HearOf(Dead("a", newest, 0, "b"));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{newest, 0, State::kDead}));
}

// memberlist#311: after a mass restart, accusations of the old processes meet
// the new ones.
TEST(SwimMergeTest, AccusationOfAnOldGenerationDoesNotTouchTheNewOne) {
  LoneSwim lone;
  lone.Meet("a", 2);
  lone.HearOf(Suspected("a", 1, 50, "b"));
  lone.HearOf(Dead("a", 1, 50, "b"));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{2, 0, State::kAlive}));
}

TEST(SwimMergeTest, DeathOfAnUnknownMemberIsKeptAndPassedOn) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 2, "b"));
  EXPECT_EQ(lone.StateOf("a"), State::kDead);
  lone.Advance(absl::Milliseconds(200));
  EXPECT_THAT(lone.SentAbout("a"), Contains(Dead("a", 1, 2, "b")));
}

TEST(SwimMergeTest, NewGenerationEndsTheSuspicionOfTheOld) {
  LoneSwim lone;
  lone.HearOf(Suspected("a", 1, 2, "b"));
  lone.HearOf(Alive("a", 2, 0));
  lone.Hear("a", Gossip(), {}, 2, 0);
  lone.Advance(absl::Milliseconds(900));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{2, 0, State::kAlive}));
}

TEST(SwimMergeTest, FullTableRefusesNewcomersOnceEverybodyLives) {
  Config config;
  config.members_max = 4;
  LoneSwim lone(config);
  lone.Meet("told");
  lone.Meet("a");
  lone.Meet("b");
  lone.Meet("c");
  EXPECT_EQ(lone.Find("c"), nullptr);
  lone.Meet("d");
  ASSERT_THAT(lone.EventsOf(EventKind::kTableFull), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kTableFull)[0].detail, "c:7401");
  lone.Call("c", SyncRequest());
  EXPECT_EQ(std::get<Refusal>(lone.effects.answers[0].reply.body).reason,
            RefusalReason::kTableFull);
  lone.Call("c", ReliablePing{"me", 5});
  EXPECT_TRUE(
      std::holds_alternative<ReliableAck>(lone.effects.answers[0].reply.body));
}

TEST(SwimMergeTest, LongestGoneMakesRoomForALivingNewcomer) {
  Config config;
  config.members_max = 4;
  LoneSwim lone(config);
  lone.HearOf(Dead("a", 1, 0, "told"));
  lone.HearOf(Alive("b", 1, 0));
  lone.HearOf(Dead("x", 1, 0, "told"));
  EXPECT_EQ(lone.Find("x"), nullptr) << "the dead make no room for the dead";
  lone.Meet("c");
  EXPECT_EQ(lone.Find("a"), nullptr);
  EXPECT_EQ(lone.StateOf("c"), State::kAlive);
}

}  // namespace
}  // namespace sessionmesh::membership
