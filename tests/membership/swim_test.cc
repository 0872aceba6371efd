#include "membership/swim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "membership/limits.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SwimTest, LoneNodeSeesItselfAndHasNothingToDo) {
  LoneSwim lone;
  EXPECT_THAT(lone.swim.view()->members(), SizeIs(1));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 0, State::kAlive}));
  EXPECT_EQ(lone.Self().address, "me:7401");
  EXPECT_EQ(lone.swim.NextDeadline(), absl::InfiniteFuture());
  lone.Advance(absl::Hours(1));
  EXPECT_TRUE(lone.effects.empty());
}

TEST(SwimTest, TickWithNothingDueDoesNothing) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Advance(absl::Milliseconds(1));
  Effects effects;
  lone.swim.Tick(lone.now, &effects);
  EXPECT_TRUE(effects.empty());
}

TEST(SwimTest, SilenceForTwoProbeIntervalsIsIsolation) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Advance(absl::Milliseconds(1999));
  EXPECT_FALSE(lone.swim.view()->isolated());
  lone.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(lone.swim.view()->isolated());
  EXPECT_THAT(lone.EventsOf(EventKind::kIsolated), SizeIs(1));
  lone.Advance(absl::Seconds(60));
  EXPECT_EQ(lone.StateOf("a"), State::kDead);
  EXPECT_TRUE(lone.swim.view()->isolated())
      << "to declare the others dead is no company";
  lone.Meet("a");
  EXPECT_FALSE(lone.swim.view()->isolated());
  EXPECT_THAT(lone.EventsOf(EventKind::kIsolated), SizeIs(1));
  EXPECT_THAT(lone.EventsOf(EventKind::kNotIsolated), SizeIs(1));
}

TEST(SwimTest, AnyMessageEndsIsolation) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Advance(absl::Seconds(2));
  ASSERT_TRUE(lone.swim.view()->isolated());
  lone.Call("b", SyncRequest());
  EXPECT_FALSE(lone.swim.view()->isolated());
}

TEST(SwimTest, MalformedSenderIsIgnored) {
  LoneSwim lone;
  lone.Hear("", Ping{1, "me", 5});
  lone.Hear("a", Gossip(), {}, kGenerationMax + 1);
  lone.Hear(NodeName(kNameBytesMax + 1, 'x'), Gossip());
  EXPECT_TRUE(lone.effects.empty());
  EXPECT_THAT(lone.swim.view()->members(), SizeIs(1));
}

TEST(SwimTest, MalformedCallerIsRefused) {
  LoneSwim lone;
  lone.Call("", SyncRequest());
  ASSERT_THAT(lone.effects.answers, SizeIs(1));
  EXPECT_TRUE(
      std::holds_alternative<Refusal>(lone.effects.answers[0].reply.body));
}

TEST(SwimTest, LoneNodeLeavesAtOnce) {
  LoneSwim lone;
  lone.Leave();
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaving), SizeIs(1));
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaveCompleted), SizeIs(1));
  lone.Leave();
  EXPECT_TRUE(lone.effects.empty());
}

TEST(SwimTest, GoodbyeGoesByGossipAndOnTheReliablePlane) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Leave();
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  const auto& push =
      std::get<SyncRequest>(lone.effects.exchanges[0].request.body);
  EXPECT_THAT(push.push, ::testing::ElementsAre(Left("me", 5, 0)));
  const OpId op = lone.effects.exchanges[0].op;
  lone.Reply(op, "a", SyncReply());
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaveCompleted), IsEmpty());
  lone.Advance(absl::Seconds(1));
  EXPECT_THAT(lone.SentAbout("me"), ::testing::Each(Left("me", 5, 0)));
  EXPECT_THAT(lone.SentAbout("me"), SizeIs(4)) << "the retransmit limit";
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaveCompleted), SizeIs(1));
  EXPECT_EQ(lone.swim.NextDeadline(), absl::InfiniteFuture());
}

// serf#638: a goodbye that nobody hears must not keep the process.
TEST(SwimTest, LeaveCompletesAtTheTimeoutEvenIfNobodyAnswers) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Leave();
  lone.Advance(absl::Milliseconds(4999));
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaveCompleted), IsEmpty());
  lone.Advance(absl::Milliseconds(1));
  EXPECT_THAT(lone.EventsOf(EventKind::kLeaveCompleted), SizeIs(1));
}

TEST(SwimTest, LeavingNodeAnswersPingsButDoesNotProbe) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Leave();
  lone.Hear("a", Ping{9, "me", 5});
  EXPECT_THAT(lone.Sent<Ack>(), SizeIs(1));
  lone.Advance(absl::Seconds(4));
  EXPECT_THAT(lone.Sent<Ping>(), IsEmpty());
}

// memberlist 2330e4f: an old alive in somebody's queue must not bring a leaving
// node back, nor must an accusation make it refute its own goodbye.
TEST(SwimTest, LeavingNodeDoesNotRefute) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Leave();
  lone.HearOf(Alive("me", 5, 3));
  lone.HearOf(Dead("me", 5, 7, "a"));
  EXPECT_EQ(lone.Self().claim, (Claim{5, 0, State::kLeft}));
  EXPECT_THAT(lone.EventsOf(EventKind::kSelfAccused), IsEmpty());
}

TEST(SwimTest, NodeThatHasLeftIsSilentAndRefusesCalls) {
  LoneSwim lone;
  lone.Leave();
  lone.Hear("a", Ping{9, "me", 5});
  EXPECT_TRUE(lone.effects.empty());
  lone.Call("a", SyncRequest());
  ASSERT_THAT(lone.effects.answers, SizeIs(1));
  EXPECT_EQ(std::get<Refusal>(lone.effects.answers[0].reply.body).reason,
            RefusalReason::kLeft);
}

TEST(SwimDeathTest, InvalidConfigIsACallersBug) {
  Config config;
  config.probe_interval = absl::ZeroDuration();
  EXPECT_DEATH(LoneSwim lone(config), "probe_interval = 0 must be positive");
}

}  // namespace
}  // namespace sessionmesh::membership
