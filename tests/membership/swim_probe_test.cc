#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// Runs until the first ping leaves, and returns it.
std::pair<Address, Ping> FirstPing(LoneSwim* lone) {
  for (int i = 0; i < 20000; ++i) {
    lone->Advance(absl::Milliseconds(1));
    const auto pings = lone->Sent<Ping>();
    if (!pings.empty()) return pings[0];
  }
  ADD_FAILURE() << "no ping was sent";
  return {};
}

TEST(SwimProbeTest, PingNamesItsTargetAndGeneration) {
  LoneSwim lone;
  lone.Meet("a", 3);
  const auto [to, ping] = FirstPing(&lone);
  EXPECT_EQ(to, "a:7401");
  EXPECT_EQ(ping.target, "a");
  EXPECT_EQ(ping.target_generation, 3u);
}

TEST(SwimProbeTest, OneMemberIsPingedInEachInterval) {
  LoneSwim lone;
  for (int i = 0; i < 5; ++i) lone.Meet(absl::StrCat("n", i));
  FirstPing(&lone);
  for (int i = 0; i < 10; ++i) {
    lone.Advance(absl::Seconds(1));
    EXPECT_THAT(lone.Sent<Ping>(), SizeIs(1));
  }
}

TEST(SwimProbeTest, AnsweredProbeHasNoConsequences) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Meet("b");
  const auto [to, ping] = FirstPing(&lone);
  lone.Hear(ping.target, Ack{ping.sequence, ping.target, 1});
  lone.Advance(absl::Milliseconds(990));
  EXPECT_THAT(lone.Sent<PingReq>(), IsEmpty());
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
  EXPECT_THAT(lone.EventsOf(EventKind::kSuspected), IsEmpty());
}

TEST(SwimProbeTest, TimeoutAsksHelpersAndCallsOnTheReliablePlane) {
  LoneSwim lone;
  for (int i = 0; i < 6; ++i) lone.Meet(absl::StrCat("n", i));
  const auto [to, ping] = FirstPing(&lone);
  lone.Advance(absl::Milliseconds(500));
  const auto requests = lone.Sent<PingReq>();
  ASSERT_THAT(requests, SizeIs(3));
  std::set<Address> helpers;
  for (const auto& [helper, request] : requests) {
    helpers.insert(helper);
    EXPECT_NE(helper, to);
    EXPECT_EQ(request, (PingReq{ping.sequence, ping.target, 1}));
  }
  EXPECT_THAT(helpers, SizeIs(3));
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_EQ(lone.effects.exchanges[0].to, to);
  EXPECT_EQ(lone.effects.exchanges[0].timeout, absl::Milliseconds(500));
  EXPECT_EQ(std::get<ReliablePing>(lone.effects.exchanges[0].request.body),
            (ReliablePing{ping.target, 1}));
}

// memberlist 8c0d992: in a cluster of three there is exactly one helper, and it
// must be found.
TEST(SwimProbeTest, TheOnlyHelperIsAlwaysFound) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Meet("b");
  for (int round = 0; round < 50; ++round) {
    const auto [to, ping] = FirstPing(&lone);
    lone.Advance(absl::Milliseconds(500));
    const NodeName helper = ping.target == "a" ? "b" : "a";
    ASSERT_THAT(lone.Sent<PingReq>(), SizeIs(1));
    EXPECT_EQ(lone.Sent<PingReq>()[0].first, AddressOf(helper));
    lone.Hear(helper, Ack{ping.sequence, ping.target, 1});
  }
}

TEST(SwimProbeTest, AckThroughAHelperCounts) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Meet("b");
  const auto [to, ping] = FirstPing(&lone);
  lone.Advance(absl::Milliseconds(600));
  lone.Hear(ping.target == "a" ? "b" : "a", Ack{ping.sequence, ping.target, 1});
  lone.Advance(absl::Milliseconds(900));
  EXPECT_THAT(lone.EventsOf(EventKind::kSuspected), IsEmpty());
}

TEST(SwimProbeTest, AckOnTheReliablePlaneCounts) {
  LoneSwim lone;
  lone.Meet("a");
  FirstPing(&lone);
  lone.Advance(absl::Milliseconds(500));
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  lone.Reply(lone.effects.exchanges[0].op, "a", ReliableAck());
  lone.Advance(absl::Milliseconds(900));
  EXPECT_THAT(lone.EventsOf(EventKind::kSuspected), IsEmpty());
}

TEST(SwimProbeTest, BlockedDatagramsAreReportedOncePerChange) {
  LoneSwim lone;
  lone.Meet("a");
  for (int round = 0; round < 5; ++round) {
    FirstPing(&lone);
    lone.Advance(absl::Milliseconds(500));
    lone.Reply(lone.effects.exchanges[0].op, "a", ReliableAck());
    EXPECT_THAT(lone.EventsOf(EventKind::kDatagramsBlocked),
                SizeIs(round < 2 ? 0 : 1));
  }
  const auto [to, ping] = FirstPing(&lone);
  lone.Hear("a", Ack{ping.sequence, "a", 1});
  EXPECT_THAT(lone.EventsOf(EventKind::kDatagramsWork), SizeIs(1));
}

TEST(SwimProbeTest, UnansweredProbeEndsInASuspicion) {
  LoneSwim lone;
  lone.Meet("a");
  FirstPing(&lone);
  lone.Advance(absl::Milliseconds(998));
  EXPECT_THAT(lone.EventsOf(EventKind::kSuspected), IsEmpty());
  lone.Advance(absl::Milliseconds(2));
  ASSERT_THAT(lone.EventsOf(EventKind::kSuspected), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kSuspected)[0].accuser, "me");
}

TEST(SwimProbeTest, FailedCallOnTheReliablePlaneIsNoVerdictByItself) {
  LoneSwim lone;
  lone.Meet("a");
  const auto [to, ping] = FirstPing(&lone);
  lone.Advance(absl::Milliseconds(500));
  lone.Step(ExchangeFailed{lone.effects.exchanges[0].op,
                           ExchangeError::kUnreachable, "refused"});
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  lone.Hear("a", Ack{ping.sequence, "a", 1});
  lone.Advance(absl::Milliseconds(499));
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
}

TEST(SwimProbeTest, AckThatDoesNotFitIsIgnored) {
  LoneSwim lone;
  lone.Meet("a", 2);
  const auto [to, ping] = FirstPing(&lone);
  lone.Hear("a", Ack{ping.sequence + 1, "a", 2}, {}, 2);
  lone.Hear("a", Ack{ping.sequence, "b", 2}, {}, 2);
  lone.Hear("a", Ack{ping.sequence, "a", 1}, {}, 2);
  lone.Advance(absl::Seconds(1));
  EXPECT_EQ(lone.StateOf("a"), State::kSuspect);
}

TEST(SwimProbeTest, TheDeadAreNotProbed) {
  LoneSwim lone;
  lone.Meet("a");
  lone.HearOf(Dead("a", 1, 0, "told"));
  lone.Live(absl::Seconds(10));
  for (const auto& [to, ping] : lone.Sent<Ping>()) EXPECT_EQ(to, "told:7401");
}

TEST(SwimProbeTest, OneThatCameBackIsProbedOnceInALap) {
  LoneSwim lone;
  lone.Meet("a");
  lone.HearOf(Dead("a", 1, 0, "told"));
  lone.HearOf(Alive("a", 1, 1));
  lone.Live(absl::Seconds(20));
  int pings = 0;
  for (const auto& [to, ping] : lone.Sent<Ping>()) pings += to == "a:7401";
  EXPECT_NEAR(pings, 10, 1);
}

// al8n#158: the probe was of the old process.
TEST(SwimProbeTest, ExpiredProbeDoesNotAccuseARestartedMember) {
  LoneSwim lone;
  lone.Meet("a", 1);
  FirstPing(&lone);
  lone.Meet("a", 2);
  lone.Advance(absl::Milliseconds(1000));
  EXPECT_EQ(lone.Find("a")->claim, (Claim{2, 0, State::kAlive}));
}

TEST(SwimProbeTest, ExpiredProbeDoesNotAccuseOneThatRefutedMeanwhile) {
  LoneSwim lone;
  lone.Meet("a");
  FirstPing(&lone);
  lone.Hear("a", Gossip(), {}, 1, 1);
  lone.Advance(absl::Milliseconds(1000));
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
}

// foca no_indirect_cycle_if_probed_disappears
TEST(SwimProbeTest, ProbeEndsWhenItsTargetLeaves) {
  LoneSwim lone;
  lone.Meet("told");
  lone.Meet("a");
  auto [to, ping] = FirstPing(&lone);
  while (ping.target != "a") {
    lone.Hear(ping.target, Ack{ping.sequence, ping.target, 1});
    std::tie(to, ping) = FirstPing(&lone);
  }
  lone.HearOf(Left("a", 1, 0));
  lone.Advance(absl::Milliseconds(600));
  EXPECT_THAT(lone.Sent<PingReq>(), IsEmpty());
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
  EXPECT_EQ(lone.StateOf("a"), State::kLeft);
}

// scylla efe0e39d85: a node whose own loop was late convicted others.
TEST(SwimProbeTest, LateTickGivesHelpersTheirTimeFirst) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Meet("b");
  const auto [to, ping] = FirstPing(&lone);
  lone.now.steady += absl::Seconds(3);
  lone.effects.clear();
  lone.swim.Tick(lone.now, &lone.effects);
  EXPECT_THAT(lone.Sent<PingReq>(), SizeIs(1));
  EXPECT_EQ(lone.StateOf(ping.target), State::kAlive);
  lone.Advance(absl::Milliseconds(499));
  EXPECT_EQ(lone.StateOf(ping.target), State::kAlive);
  lone.Advance(absl::Milliseconds(1));
  EXPECT_EQ(lone.StateOf(ping.target), State::kSuspect);
}

// swift cd2cd73: missed intervals are not made up for.
TEST(SwimProbeTest, LateTickDoesNotDoubleTheProbes) {
  LoneSwim lone;
  for (int i = 0; i < 5; ++i) lone.Meet(absl::StrCat("n", i));
  const auto [to, ping] = FirstPing(&lone);
  lone.Hear(ping.target, Ack{ping.sequence, ping.target, 1});
  lone.now.steady += absl::Seconds(10);
  lone.Meet("n0");
  lone.Advance(absl::Milliseconds(999));
  EXPECT_THAT(lone.Sent<Ping>(), SizeIs(1));
}

TEST(SwimProbeTest, PingIsAcknowledgedToTheAdvertisedAddress) {
  LoneSwim lone;
  lone.Hear("a", Ping{9, "me", 5});
  EXPECT_THAT(lone.Sent<Ack>(), ElementsAre(Pair("a:7401", Ack{9, "me", 5})));
}

// memberlist fe568fa
TEST(SwimProbeTest, PingForAnotherNameIsNotAnswered) {
  LoneSwim lone;
  lone.Hear("a", Ping{9, "you", 5});
  EXPECT_THAT(lone.effects.sends, IsEmpty());
}

TEST(SwimProbeTest, PingForTheProcessBeforeThisOneIsAnsweredByAnIntroduction) {
  LoneSwim lone;
  lone.Hear("a", Ping{9, "me", 4});
  EXPECT_THAT(lone.Sent<Ack>(), IsEmpty());
  ASSERT_THAT(lone.Sent<Gossip>(), SizeIs(1));
  EXPECT_EQ(lone.effects.sends[0].datagram.from.generation, 5u);
}

TEST(SwimProbeTest, AckCarriesTheRefutationOfWhatThePingSays) {
  LoneSwim lone;
  lone.Hear("a", Ping{9, "me", 5}, {Suspected("me", 5, 0, "a")});
  ASSERT_THAT(lone.Sent<Ack>(), SizeIs(1));
  EXPECT_EQ(lone.effects.sends[0].datagram.from.incarnation, 1u);
  EXPECT_THAT(lone.SentAbout("me"), ElementsAre(Alive("me", 5, 1)));
}

TEST(SwimProbeTest, HelperPingsAndPassesTheAckOn) {
  LoneSwim lone;
  lone.Meet("target", 3);
  lone.Hear("asker", PingReq{70, "target", 3});
  ASSERT_THAT(lone.Sent<Ping>(), SizeIs(1));
  const auto [to, ping] = lone.Sent<Ping>()[0];
  EXPECT_EQ(to, "target:7401");
  EXPECT_EQ(ping.target_generation, 3u);
  lone.Hear("target", Ack{ping.sequence, "target", 3}, {}, 3);
  EXPECT_THAT(lone.Sent<Ack>(),
              ElementsAre(Pair("asker:7401", Ack{70, "target", 3})));
  lone.Hear("target", Ack{ping.sequence, "target", 3}, {}, 3);
  EXPECT_THAT(lone.effects.sends, IsEmpty())
      << "a doubled Ack is passed on once";
}

// foca 0.10.0: the helper must not be asked for, or answer for, another
// identity of the target.
TEST(SwimProbeTest, HelperDropsRequestsForWhomItDoesNotKnow) {
  LoneSwim lone;
  lone.Meet("target", 3);
  lone.Hear("asker", PingReq{70, "target", 2});
  EXPECT_THAT(lone.effects.sends, IsEmpty());
  lone.Hear("asker", PingReq{70, "stranger", 1});
  EXPECT_THAT(lone.effects.sends, IsEmpty());
}

TEST(SwimProbeTest, HelperThatIsItselfTheTargetAnswers) {
  LoneSwim lone;
  lone.Hear("asker", PingReq{70, "me", 5});
  EXPECT_THAT(lone.Sent<Ack>(),
              ElementsAre(Pair("asker:7401", Ack{70, "me", 5})));
}

TEST(SwimProbeTest, ReliablePingIsAnsweredForThisGenerationOnly) {
  LoneSwim lone;
  lone.Call("a", ReliablePing{"me", 5});
  EXPECT_TRUE(
      std::holds_alternative<ReliableAck>(lone.effects.answers[0].reply.body));
  EXPECT_EQ(lone.effects.answers[0].call, 77u);
  lone.Call("a", ReliablePing{"me", 4});
  EXPECT_EQ(std::get<Refusal>(lone.effects.answers[0].reply.body).reason,
            RefusalReason::kNotForMe);
}

}  // namespace
}  // namespace sessionmesh::membership
