#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "membership/limits.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const SyncReply& SyncReplyOf(const LoneSwim& lone) {
  return std::get<SyncReply>(lone.effects.answers.at(0).reply.body);
}

const SyncRequest& SyncRequestOf(const Exchange& exchange) {
  return std::get<SyncRequest>(exchange.request.body);
}

// Lives until the node calls somebody, answering its probes, and returns the
// call.
Exchange NextSync(LoneSwim* lone) {
  for (int i = 0; i < 100000; ++i) {
    lone->Advance(absl::Milliseconds(10));
    for (const Exchange& exchange : lone->effects.exchanges) {
      if (std::holds_alternative<SyncRequest>(exchange.request.body)) {
        return exchange;
      }
    }
    for (const auto& [to, ping] : lone->Sent<Ping>()) {
      lone->Hear(ping.target,
                 Ack{ping.sequence, ping.target, ping.target_generation}, {},
                 ping.target_generation);
    }
  }
  ADD_FAILURE() << "no call was made";
  return {};
}

TEST(SwimSyncTest, DifferentDigestIsAnsweredWithEverybody) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 2, "b"));
  lone.Call("told", SyncRequest{123, {}});
  EXPECT_THAT(SyncReplyOf(lone).members,
              UnorderedElementsAre(Alive("me", 5, 0), Alive("told", 1, 0),
                                   Dead("a", 1, 2, "b")));
}

TEST(SwimSyncTest, SameDigestIsAnsweredWithNobody) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 2, "b"));
  lone.Call("told", SyncRequest{123, {}});
  const uint64_t digest = SyncReplyOf(lone).digest;
  lone.Call("told", SyncRequest{digest, {}});
  EXPECT_THAT(SyncReplyOf(lone).members, IsEmpty());
}

TEST(SwimSyncTest, SyncGoesToALiveMemberAndPushesWhatItLacks) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 2, "b"));
  lone.HearOf(Left("c", 1, 2));
  const Exchange sync = NextSync(&lone);
  lone.Reply(
      sync.op, "told",
      SyncReply{99,
                {Alive("told", 1, 0), Alive("me", 5, 0), Alive("d", 3, 0)}});
  EXPECT_EQ(lone.StateOf("d"), State::kAlive);
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_EQ(lone.effects.exchanges[0].to, sync.to);
  EXPECT_THAT(SyncRequestOf(lone.effects.exchanges[0]).push,
              ElementsAre(Dead("a", 1, 2, "b")));
}

TEST(SwimSyncTest, NothingIsPushedWhenNothingLacks) {
  LoneSwim lone;
  lone.Meet("told");
  const Exchange sync = NextSync(&lone);
  lone.Reply(sync.op, "told",
             SyncReply{99, {Alive("told", 1, 0), Alive("me", 5, 0)}});
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
}

TEST(SwimSyncTest, RefutationOfWhatTheReplySaysIsPushed) {
  LoneSwim lone;
  lone.Meet("told");
  const Exchange sync = NextSync(&lone);
  lone.Reply(sync.op, "told",
             SyncReply{99, {Dead("me", 5, 4, "b"), Alive("told", 1, 0)}});
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_THAT(SyncRequestOf(lone.effects.exchanges[0]).push,
              ElementsAre(Alive("me", 5, 5)));
  EXPECT_EQ(lone.effects.exchanges[0].request.from.incarnation, 5u);
}

// ringpop: healing a partition must not kill the living of either side.
TEST(SwimSyncTest, DeathBySyncIsOnlyASuspicionOfOneThatLivesHere) {
  LoneSwim lone;
  lone.Meet("a");
  lone.Call("b", SyncRequest{1, {Dead("a", 1, 0, "x")}});
  EXPECT_EQ(lone.StateOf("a"), State::kSuspect);
  EXPECT_EQ(lone.Find("a")->accuser, "x");
  lone.HearOf(Alive("a", 1, 1));
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  EXPECT_THAT(lone.EventsOf(EventKind::kDied), IsEmpty());
}

TEST(SwimSyncTest, DeathBySyncOfASuspectIsAConfirmation) {
  LoneSwim lone;
  for (const char* name : {"a", "b", "c", "d"}) lone.Meet(name);
  lone.HearOf(Suspected("a", 1, 0, "b"));
  lone.Call("c", SyncRequest{1, {Dead("a", 1, 0, "x")}});
  EXPECT_EQ(lone.StateOf("a"), State::kSuspect);
  EXPECT_EQ(lone.Find("a")->confirmations, 1);
}

// memberlist 506d18785c (tarantool): memories of those that left do not travel.
TEST(SwimSyncTest, GoodbyeOfAnUnknownMemberIsNotTakenFromSync) {
  LoneSwim lone;
  lone.Call("b", SyncRequest{1, {Left("a", 1, 0)}});
  EXPECT_EQ(lone.Find("a"), nullptr);
  lone.Meet("a");
  lone.Call("b", SyncRequest{1, {Left("a", 1, 0)}});
  EXPECT_EQ(lone.StateOf("a"), State::kLeft);
}

TEST(SwimSyncTest, JoinCallsTheSeedAndSucceedsByItsAnswer) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_EQ(lone.effects.exchanges[0].to, "seed:7401");
  EXPECT_EQ(lone.effects.exchanges[0].timeout, absl::Seconds(10));
  lone.Reply(
      lone.effects.exchanges[0].op, "seed",
      SyncReply{9, {Alive("seed", 1, 0), Alive("a", 1, 0), Alive("me", 5, 0)}});
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
  ASSERT_THAT(lone.EventsOf(EventKind::kJoinSucceeded), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kJoinSucceeded)[0].detail, "seed:7401");
  lone.Advance(absl::Milliseconds(1));
  EXPECT_THAT(lone.SentAbout("a"), IsEmpty())
      << "the seed's cluster knows its members";
  EXPECT_THAT(lone.SentAbout("me"), Contains(Alive("me", 5, 0)));
}

TEST(SwimSyncTest, JoinWithoutAddressesAsksForThem) {
  LoneSwim lone;
  lone.Join({});
  EXPECT_TRUE(lone.effects.want_seeds);
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
  lone.Step(SeedsResolved{{"seed:7401"}});
  EXPECT_THAT(lone.effects.exchanges, SizeIs(1));
}

TEST(SwimSyncTest, FailedJoinIsRetriedForEverWithFreshNames) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  int tries = 0;
  for (int second = 0; second < 600; ++second) {
    for (const Exchange& exchange : lone.Calls()) {
      ++tries;
      lone.Step(ExchangeFailed{exchange.op, ExchangeError::kUnreachable,
                               "connection refused"});
      ASSERT_EQ(lone.effects.events.at(0).kind, EventKind::kJoinFailed);
      EXPECT_EQ(lone.effects.events[0].detail, "seed:7401: connection refused");
    }
    lone.Advance(absl::Seconds(1));
    if (!lone.effects.exchanges.empty()) {
      EXPECT_TRUE(lone.effects.want_seeds);
    }
  }
  // After 1, 2, 4, 8 and 16 seconds, then every 30 seconds, all with jitter.
  EXPECT_GE(tries, 5 + 600 / 38);
  EXPECT_LE(tries, 6 + 600 / 22);
}

// dskit#215: resolvers fail when the network does.
TEST(SwimSyncTest, EmptyAnswerOfTheResolverKeepsTheFormerSeeds) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  lone.Step(ExchangeFailed{lone.effects.exchanges[0].op,
                           ExchangeError::kUnreachable, "x"});
  lone.Step(SeedsResolved{{}});
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_EQ(lone.effects.exchanges[0].to, "seed:7401");
}

// dskit#215: all seeds have moved.
TEST(SwimSyncTest, NewAddressesOfTheResolverAreUsed) {
  LoneSwim lone;
  lone.Join({"old:7401"});
  lone.Step(ExchangeFailed{lone.effects.exchanges[0].op,
                           ExchangeError::kUnreachable, "x"});
  lone.Step(SeedsResolved{{"new:7401"}});
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  EXPECT_EQ(lone.effects.exchanges[0].to, "new:7401");
}

// serf e8481b2: seeds name this node too, perhaps by an address that it does
// not know as its own.
TEST(SwimSyncTest, NodeDoesNotJoinItself) {
  LoneSwim lone;
  lone.Join({"me:7401"});
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
  lone.Step(SeedsResolved{{"me:7401", "alias:7401"}});
  ASSERT_THAT(lone.effects.exchanges, SizeIs(1));
  const OpId op = lone.effects.exchanges[0].op;
  lone.Call("me", SyncRequest(), 5);
  const Reply answer = lone.effects.answers.at(0).reply;
  lone.Step(ReplyReceived{op, answer});
  EXPECT_THAT(lone.EventsOf(EventKind::kJoinSucceeded), IsEmpty());
  ASSERT_THAT(lone.EventsOf(EventKind::kJoinFailed), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kJoinFailed)[0].detail,
            "alias:7401: the seed is this node itself");
  lone.Step(SeedsResolved{{"me:7401", "alias:7401"}});
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
  lone.Advance(absl::Minutes(5));
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
}

TEST(SwimSyncTest, SeedsThatDoNotResolveAreNotTakenForThisNode) {
  LoneSwim lone;
  lone.Join({});
  lone.Step(SeedsResolved{{}});
  ASSERT_THAT(lone.EventsOf(EventKind::kJoinFailed), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kJoinFailed)[0].detail,
            "no seed resolves to an address");
  lone.Step(SeedsResolved{{"me:7401"}});
  ASSERT_THAT(lone.EventsOf(EventKind::kJoinFailed), SizeIs(2));
  EXPECT_EQ(lone.EventsOf(EventKind::kJoinFailed)[1].detail,
            "every seed is this node itself");
}

TEST(SwimSyncTest, NodeThatIsJoinedByOthersHasJoined) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  lone.Call("a", SyncRequest());
  EXPECT_THAT(lone.EventsOf(EventKind::kJoinSucceeded), SizeIs(1));
}

TEST(SwimSyncTest, RefusedJoinSaysWhy) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  lone.Reply(lone.effects.exchanges[0].op, "seed",
             Refusal{RefusalReason::kNameConflict, "elsewhere:7401", 5});
  ASSERT_THAT(lone.EventsOf(EventKind::kJoinFailed), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kJoinFailed)[0].detail,
            "seed:7401: refused: the name is in use at elsewhere:7401");
  EXPECT_THAT(lone.EventsOf(EventKind::kNameConflict), SizeIs(1));
}

TEST(SwimSyncTest, SeedOfAnotherClusterIsReportedOnce) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  for (int second = 0; second < 100; ++second) {
    for (const Exchange& exchange : lone.Calls()) {
      lone.Step(ExchangeFailed{exchange.op, ExchangeError::kOtherCluster,
                               "cluster \"other\""});
    }
    lone.Advance(absl::Seconds(1));
  }
  ASSERT_THAT(lone.EventsOf(EventKind::kOtherCluster), SizeIs(1));
  EXPECT_EQ(lone.EventsOf(EventKind::kOtherCluster)[0].detail, "seed:7401");
}

// memberlist#222: nothing ever called a dead member again.
TEST(SwimSyncTest, DeadMemberIsCalledForEver) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  int calls = 0;
  for (int minute = 0; minute < 60; ++minute) {
    lone.Advance(absl::Minutes(1));
    for (const Exchange& exchange : lone.Calls()) {
      calls += exchange.to == "a:7401" &&
               std::holds_alternative<SyncRequest>(exchange.request.body);
      lone.Step(
          ExchangeFailed{exchange.op, ExchangeError::kUnreachable, "refused"});
    }
  }
  // Every 15 to 25 seconds, up to one re-dial interval later.
  EXPECT_GE(calls, 3600 / 32);
  EXPECT_LE(calls, 3600 / 15);
}

TEST(SwimSyncTest, SeedsThatAreNotMembersAreCalledForEver) {
  LoneSwim lone;
  lone.Join({"seed:7401", "a:7401"});
  for (const Exchange& exchange : lone.Calls()) {
    if (exchange.to == "a:7401") {
      lone.Reply(exchange.op, "a", SyncReply{9, {Alive("a", 1, 0)}});
    } else {
      lone.Step(
          ExchangeFailed{exchange.op, ExchangeError::kUnreachable, "refused"});
    }
  }
  int seed_calls = 0;
  lone.Live(absl::Minutes(1));
  for (const Exchange& exchange : lone.Calls()) {
    seed_calls += exchange.to == "seed:7401";
  }
  EXPECT_GE(seed_calls, 2);
}

TEST(SwimSyncTest, AddressWithANewOwnerIsNotRedialled) {
  Config config;
  config.sync_interval = absl::Hours(1);
  LoneSwim lone(config);
  Update former = Dead("a", 1, 0, "b");
  former.address = AddressOf("heir");
  lone.Hear("heir", Gossip(), {former});
  lone.Live(absl::Seconds(30));
  ASSERT_EQ(lone.StateOf("heir"), State::kAlive);
  EXPECT_THAT(lone.effects.exchanges, IsEmpty());
}

// A dead member may have lived where this node lives now.
TEST(SwimSyncTest, NodeDoesNotRedialItself) {
  LoneSwim lone;
  Update former = Dead("a", 1, 0, "b");
  former.address = AddressOf("me");
  lone.HearOf(former);
  former.name = "c";
  former.address = "alias:7401";
  lone.HearOf(former);
  lone.Join({"alias:7401"});
  lone.Step(
      ReplyReceived{lone.effects.exchanges.at(0).op,
                    Reply{Sender{"me", AddressOf("me"), 5, 0}, SyncReply()}});
  lone.Advance(absl::Minutes(5));
  for (const Exchange& exchange : lone.Calls())
    EXPECT_EQ(exchange.to, "told:7401");
}

TEST(SwimSyncTest, CallOfADeadMemberThatLivesHealsBothSides) {
  LoneSwim lone;
  lone.HearOf(Dead("a", 1, 0, "b"));
  Exchange redial;
  while (redial.to != "a:7401") redial = NextSync(&lone);
  lone.Reply(redial.op, "a",
             SyncReply{9, {Alive("a", 1, 0), Dead("me", 5, 0, "c")}});
  EXPECT_EQ(lone.Self().claim.incarnation, 1u);
  ASSERT_FALSE(lone.effects.exchanges.empty());
  const Exchange push = lone.effects.exchanges[0];
  EXPECT_THAT(SyncRequestOf(push).push, Contains(Dead("a", 1, 0, "b")));
  lone.Reply(push.op, "a", SyncReply{9, {}}, 1, 1);
  EXPECT_EQ(lone.StateOf("a"), State::kAlive);
}

TEST(SwimSyncTest, CallsWithoutAnswerAreBounded) {
  LoneSwim lone;
  lone.Join({"seed:7401"});
  std::set<OpId> started;
  for (int i = 0; i < 100; ++i) {
    for (const Exchange& exchange : lone.Calls()) started.insert(exchange.op);
    lone.Join({"seed:7401"});
  }
  EXPECT_LE(started.size(), kExchangesMax);
}

TEST(SwimSyncTest, AnswerToAnUnknownCallIsIgnored) {
  LoneSwim lone;
  lone.Reply(42, "a", SyncReply{9, {Alive("b", 1, 0)}});
  lone.Step(ExchangeFailed{43, ExchangeError::kUnreachable, "x"});
  EXPECT_TRUE(lone.effects.empty());
  EXPECT_EQ(lone.Find("b"), nullptr);
}

}  // namespace
}  // namespace sessionmesh::membership
