#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Datagram From(const NodeName& name, const Address& address,
              Generation generation, DatagramBody body,
              Incarnation incarnation = 0) {
  Datagram datagram;
  datagram.from = Sender{name, address, generation, incarnation};
  datagram.body = std::move(body);
  return datagram;
}

TEST(SwimAdmitTest, WhoeverSpeaksIsKnown) {
  LoneSwim lone;
  lone.Hear("a", Ping{1, "somebody", 1}, {}, 3, 2);
  EXPECT_EQ(lone.Find("a")->claim, (Claim{3, 2, State::kAlive}));
  EXPECT_EQ(lone.Find("a")->address, "a:7401");
  EXPECT_THAT(lone.EventsOf(EventKind::kJoined), SizeIs(1));
}

TEST(SwimAdmitTest, OwnPacketsThatCameBackAreIgnored) {
  LoneSwim lone;
  lone.Hear("me", Ping{1, "me", 5}, {}, 5, 7);
  EXPECT_TRUE(lone.effects.empty());
  EXPECT_EQ(lone.Self().claim.incarnation, 0u);
}

TEST(SwimAdmitTest, RestartElsewhereReplacesTheOldProcessAtOnce) {
  LoneSwim lone;
  lone.Meet("a", 1);
  lone.Step(DatagramReceived{From("a", "elsewhere:7401", 2, Gossip())});
  EXPECT_EQ(lone.Find("a")->claim, (Claim{2, 0, State::kAlive}));
  EXPECT_EQ(lone.Find("a")->address, "elsewhere:7401");
  ASSERT_THAT(lone.EventsOf(EventKind::kRejoined), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kRejoined)[0].previous,
            (Claim{1, 0, State::kAlive}));
}

TEST(SwimAdmitTest, SameNameAndGenerationElsewhereIsAConflict) {
  LoneSwim lone;
  lone.Meet("a", 2);
  lone.Step(
      DatagramReceived{From("a", "elsewhere:7401", 2, Ping{1, "me", 5}, 9)});
  EXPECT_THAT(lone.effects.sends, IsEmpty()) << "no Ack for a twin";
  EXPECT_EQ(lone.Find("a")->address, "a:7401");
  EXPECT_EQ(lone.Find("a")->claim.incarnation, 0u);
  ASSERT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kNameConflict)[0].member.address,
            "a:7401");
  EXPECT_EQ(lone.EventsOf(EventKind::kNameConflict)[0].detail,
            "elsewhere:7401");
}

TEST(SwimAdmitTest, ConflictIsReportedOnceAMinute) {
  LoneSwim lone;
  lone.Meet("a", 2);
  for (int i = 0; i < 10; ++i) {
    lone.Step(DatagramReceived{From("a", "elsewhere:7401", 2, Gossip())});
  }
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(1));
  lone.Advance(absl::Minutes(1));
  lone.Meet("a", 2);
  lone.Hear("a", Gossip(), {}, 2, 5);  // lives again
  lone.Step(DatagramReceived{From("a", "elsewhere:7401", 2, Gossip())});
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(2));
}

TEST(SwimAdmitTest, ConflictingCallerIsToldWhoHoldsTheName) {
  LoneSwim lone;
  lone.Meet("a", 2);
  lone.Step(RequestReceived{
      1, Request{Sender{"a", "elsewhere:7401", 2, 0}, SyncRequest()}});
  ASSERT_THAT(lone.effects.answers, SizeIs(1));
  EXPECT_EQ(std::get<Refusal>(lone.effects.answers[0].reply.body),
            (Refusal{RefusalReason::kNameConflict, "a:7401", 2}));
}

TEST(SwimAdmitTest, ConflictInGossipIsRefused) {
  LoneSwim lone;
  lone.Meet("a", 2);
  Update twin = Alive("a", 2, 4);
  twin.address = "elsewhere:7401";
  lone.HearOf(twin);
  EXPECT_EQ(lone.Find("a")->address, "a:7401");
  EXPECT_EQ(lone.Find("a")->claim.incarnation, 0u);
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(1));
}

TEST(SwimAdmitTest, DeadMemberMayComeBackElsewhereInTheSameGeneration) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 2, 3, "told"));
  lone.Step(DatagramReceived{From("a", "elsewhere:7401", 2, Gossip(), 4)});
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  EXPECT_EQ(lone.Find("a")->address, "elsewhere:7401");
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), IsEmpty());
}

TEST(SwimAdmitTest, FormerProcessIsNotAdmittedButHearsOfItsSuccessor) {
  LoneSwim lone;
  lone.Meet("a", 4);
  lone.Hear("a", Ping{1, "me", 5}, {Dead("b", 1, 0, "a")}, 3);
  EXPECT_THAT(lone.Sent<Ack>(), IsEmpty());
  EXPECT_EQ(lone.Find("b"), nullptr);
  ASSERT_THAT(lone.SentAbout("a"), SizeIs(1));
  EXPECT_EQ(lone.SentAbout("a")[0], Alive("a", 4, 0));
}

// foca#25: answers to answers must not flood.
TEST(SwimAdmitTest, FormerProcessIsToldAtMostOnceInAProbeInterval) {
  LoneSwim lone;
  lone.Meet("a", 4);
  int told = 0;
  for (int i = 0; i < 100; ++i) {
    lone.Hear("a", Gossip(), {}, 3);
    told += static_cast<int>(lone.effects.sends.size());
  }
  EXPECT_EQ(told, 1);
}

TEST(SwimAdmitTest, HigherGenerationOfOwnNameEndsThisProcess) {
  LoneSwim lone;
  lone.Meet("a");
  lone.HearOf(Alive("me", 6, 0));
  ASSERT_THAT(lone.EventsOf(EventKind::kSuperseded), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kSuperseded)[0].detail,
            "generation 6 at me:7401");
  EXPECT_EQ(lone.swim.NextDeadline(), absl::InfiniteFuture());
  lone.HearOf(Alive("me", 7, 0));
  lone.Hear("a", Ping{1, "me", 5});
  EXPECT_TRUE(lone.effects.empty());
  EXPECT_THAT(lone.EventsOf(EventKind::kSuperseded), SizeIs(1));
}

TEST(SwimAdmitTest, OwnSuccessorSpeakingEndsThisProcess) {
  LoneSwim lone;
  lone.Step(DatagramReceived{From("me", "elsewhere:7401", 6, Gossip())});
  EXPECT_THAT(lone.EventsOf(EventKind::kSuperseded), SizeIs(1));
}

TEST(SwimAdmitTest, RefusalAsSupersededEndsThisProcess) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  lone.Reply(lone.effects.exchanges[0].op, "seed",
             Refusal{RefusalReason::kSuperseded, "elsewhere:7401", 8});
  ASSERT_THAT(lone.EventsOf(EventKind::kSuperseded), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kSuperseded)[0].detail,
            "generation 8 at elsewhere:7401");
}

TEST(SwimAdmitTest, OwnPredecessorHearsOfThisProcess) {
  LoneSwim lone;
  lone.Step(DatagramReceived{From("me", "elsewhere:7401", 4, Gossip())});
  ASSERT_THAT(lone.Sent<Gossip>(), SizeIs(1));
  EXPECT_EQ(lone.Sent<Gossip>()[0].first, "elsewhere:7401");
  EXPECT_EQ(lone.SentAbout("me")[0], Alive("me", 5, 0));
}

TEST(SwimAdmitTest, TwinOfOwnNameIsAConflictNotARaceOfIncarnations) {
  LoneSwim lone;
  lone.Step(DatagramReceived{From("me", "elsewhere:7401", 5, Gossip(), 3)});
  Update twin = Alive("me", 5, 9);
  twin.address = "elsewhere:7401";
  lone.HearOf(twin);
  EXPECT_EQ(lone.Self().claim.incarnation, 0u);
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(1));
}

}  // namespace
}  // namespace sessionmesh::membership
