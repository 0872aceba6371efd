// What a client may rely on, told in small stories over two or three lanes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/dedupe.h"
#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LaneTest : public ::testing::Test {
 protected:
  LaneNetwork net_;
};

TEST_F(LaneTest, ABootstrapNodeServesAtOnce) {
  net_.Start("a", /*bootstrap=*/true);

  const Reply created =
      net_.Create("a", Id("s"), {{"cart", "1"}}, Durability::kOne);

  ASSERT_THAT(created.status, IsOk());
  EXPECT_TRUE(created.degraded) << "there is no second owner";
  const Reply read = net_.Get("a", Id("s"), {created.token});
  ASSERT_THAT(read.status, IsOk());
  EXPECT_THAT(read.session->attributes,
              UnorderedElementsAre(Pair("cart", "1")));
}

TEST_F(LaneTest, ANodeWithSeedsWaitsForTheOthers) {
  net_.Start("a");

  const Reply refused = net_.Create("a", Id("s"));

  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(refused.failure.reason, Reason::kNotReady);
}

TEST_F(LaneTest, AnOrphanServesAfterItsGraceAndSaysSo) {
  net_.Start("a");

  net_.Advance(absl::Seconds(21));

  const Reply created = net_.Create("a", Id("s"), {}, Durability::kLocal);
  ASSERT_THAT(created.status, IsOk());
  EXPECT_TRUE(created.degraded);
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kLaneReadyDegraded), 1u);
}

TEST_F(LaneTest, AWriteIsReadOnEveryNodeWithItsToken) {
  net_.StartReady({"a", "b", "c"});

  const Reply created = net_.Create("a", Id("s"), {{"k", "v"}});
  EXPECT_EQ(created.replicas, 3u);

  for (const char* node : {"a", "b", "c"}) {
    const Reply read = net_.Get(node, Id("s"), {created.token});
    ASSERT_THAT(read.status, IsOk());
    EXPECT_EQ(read.session->attributes.at("k"), "v");
    EXPECT_FALSE(read.caught_up);
  }
}

TEST_F(LaneTest, AReaderAheadOfReplicationWaitsAndSaysSo) {
  net_.StartReady({"a", "b"});
  net_.Hold("a", "b");
  const Reply created =
      net_.Create("a", Id("s"), {{"k", "v"}}, Durability::kLocal);

  Command get;
  get.session_id = Id("s");
  get.tokens = {created.token};
  const CallHandle handle = net_.Begin("b", get);
  net_.DeliverAll();
  EXPECT_FALSE(net_.TakeReply(handle).has_value());
  net_.Release("a", "b");
  net_.DeliverAll();

  const std::optional<Reply> read = net_.TakeReply(handle);
  ASSERT_TRUE(read.has_value());
  ASSERT_THAT(read->status, IsOk());
  EXPECT_TRUE(read->caught_up);
  EXPECT_EQ(net_.CountEvents("b", Event::Kind::kStalePrevented), 1u);
}

TEST_F(LaneTest, WhatIsMissingIsFetchedFromWhoeverHasIt) {
  net_.StartReady({"a", "b", "c"});
  net_.Hold("a", "b");
  const Reply created =
      net_.Create("a", Id("s"), {{"k", "v"}}, Durability::kOne);
  ASSERT_THAT(created.status, IsOk());

  const Reply read = net_.Get("b", Id("s"), {created.token});

  ASSERT_THAT(read.status, IsOk());
  EXPECT_TRUE(read.caught_up);
  EXPECT_EQ(read.session->attributes.at("k"), "v");
}

TEST_F(LaneTest, AStaleReadIsToldSoWithTheWriterThatIsMissing) {
  net_.StartReady({"a", "b"});
  net_.LinkDown("a", "b");
  const Reply created =
      net_.Create("a", Id("s"), {{"k", "v"}}, Durability::kLocal);

  const Reply read = net_.Get("b", Id("s"), {created.token});

  EXPECT_THAT(read.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(read.failure.reason, Reason::kStale);
  EXPECT_EQ(read.failure.missing_writer, "a");
  EXPECT_TRUE(read.failure.missing_writer_alive);
  EXPECT_EQ(read.failure.behind, 2u) << "the id and one attribute";
}

TEST_F(LaneTest, AWriteThatDiedWithItsWriterIsDataLossAndTheRestSurvives) {
  net_.StartReady({"a", "b", "c"});
  net_.Create("a", Id("s"), {{"old", "1"}});
  net_.Hold("a", "b");
  net_.Hold("a", "c");
  const Reply lost = net_.Set("a", Id("s"), "new", "2", {}, Durability::kLocal);
  ASSERT_THAT(lost.status, IsOk());
  net_.Kill("a");
  net_.SetViews(
      {{"a", State::kDead}, {"b", State::kAlive}, {"c", State::kAlive}});

  const Reply read = net_.Get("b", Id("s"), {lost.token});

  EXPECT_THAT(read.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(read.failure.reason, Reason::kWriteLost);
  EXPECT_EQ(read.failure.missing_writer, "a");
  ASSERT_TRUE(read.session.has_value());
  EXPECT_THAT(read.session->attributes, UnorderedElementsAre(Pair("old", "1")));
  EXPECT_THAT(net_.Get("b", Id("s"), {read.token}).status, IsOk());
}

TEST_F(LaneTest, TokensOfAClusterThatRestartedAsAWholeAreDataLossNotStale) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"));
  net_.Kill("a");
  net_.Kill("b");
  net_.StartReady({"a", "b"});

  const Reply read = net_.Get("b", Id("s"), {created.token});

  EXPECT_THAT(read.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(read.session.has_value());
}

TEST_F(LaneTest, WritesThatDidNotKnowOfEachOtherAreMerged) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  const Reply one = net_.Set("a", Id("s"), "x", "1", {}, Durability::kLocal);
  const Reply two = net_.Set("b", Id("s"), "y", "2", {}, Durability::kLocal);
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  const Reply read = net_.Get("a", Id("s"), {one.token, two.token});

  ASSERT_THAT(read.status, IsOk());
  EXPECT_THAT(read.session->attributes,
              UnorderedElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_TRUE(net_.Converged());
}

TEST_F(LaneTest, ALogoutBeatsAWriteThatDidNotKnowOfIt) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  Command logout;
  logout.kind = Command::Kind::kDelete;
  logout.session_id = Id("s");
  logout.durability = Durability::kLocal;
  EXPECT_THAT(net_.Run("a", logout).status, IsOk());
  EXPECT_THAT(net_.Set("b", Id("s"), "x", "1", {}, Durability::kLocal).status,
              IsOk());
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  for (const char* node : {"a", "b"}) {
    EXPECT_THAT(net_.Get(node, Id("s")).status,
                StatusIs(absl::StatusCode::kNotFound));
  }
  EXPECT_TRUE(net_.Converged());
}

TEST_F(LaneTest, AnEndedIdStillLogsOutTheSessionThatRotated) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const std::string renewed =
      net_.ids().MakeNative(net_.SlotOf(Id("old")), IdEntropy{1});
  const Reply rotated = net_.Rotate("a", Id("old"), renewed);
  ASSERT_THAT(rotated.status, IsOk());
  EXPECT_THAT(net_.Get("b", Id("old")).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(net_.Get("b", renewed, {rotated.token}).status, IsOk());

  EXPECT_THAT(net_.Delete("b", Id("old")).status, IsOk());

  EXPECT_THAT(net_.Get("a", renewed).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneTest, ARetriedRotationOnAnotherNodeGivesTheSameSession) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const std::string renewed =
      net_.ids().MakeNative(net_.SlotOf(Id("old")),
                            net_.ids().EntropyOfRequest(std::string(16, 'r')));
  ASSERT_THAT(net_.Rotate("a", Id("old"), renewed).status, IsOk());

  const Reply retried = net_.Rotate("b", Id("old"), renewed);

  ASSERT_THAT(retried.status, IsOk());
  EXPECT_EQ(retried.session->id, renewed);
}

TEST_F(LaneTest, RotationsThatRacedRevokeTheSession) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("old"));
  const SlotId slot = net_.SlotOf(Id("old"));
  net_.Hold("a", "b");
  net_.Hold("b", "a");
  const auto rotate = [&](const char* node, uint8_t n) {
    Command command;
    command.kind = Command::Kind::kRotate;
    command.session_id = Id("old");
    command.new_session_id = net_.ids().MakeNative(slot, IdEntropy{n});
    command.durability = Durability::kLocal;
    EXPECT_THAT(net_.Run(node, command).status, IsOk());
    return command.new_session_id;
  };
  const std::string mine = rotate("a", 1);
  const std::string thief = rotate("b", 2);
  net_.Release("a", "b");
  net_.Release("b", "a");
  net_.DeliverAll();

  EXPECT_THAT(net_.Get("a", mine).status,
              StatusIs(absl::StatusCode::kNotFound));
  net_.DeliverAll();

  EXPECT_THAT(net_.Get("b", thief).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kSessionRevoked), 1u);
}

TEST_F(LaneTest, ARetryOfAWriteChangesNothingAndGetsItsReply) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "1"}};
  set.request_id = std::string(Dedupe::kRequestIdBytes, 'q');
  ASSERT_THAT(net_.Run("a", set).status, IsOk());
  net_.Set("a", Id("s"), "k", "2");

  const Reply retried = net_.Run("a", set);

  ASSERT_THAT(retried.status, IsOk());
  EXPECT_EQ(retried.session->attributes.at("k"), "2") << "it shows what is";
  EXPECT_EQ(retried.token, net_.Get("a", Id("s")).token)
      << "and its token names all that it shows";
}

TEST_F(LaneTest, ARequestIdIsGoodForOneCallOnly) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Create("a", Id("t"));
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "1"}};
  set.request_id = std::string(Dedupe::kRequestIdBytes, 'q');
  ASSERT_THAT(net_.Run("a", set).status, IsOk());

  set.session_id = Id("t");

  EXPECT_THAT(net_.Run("a", set).status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("request_id belongs to another call")));
}

TEST_F(LaneTest, DurabilityThatIsNotMetInTimeSaysHowFarItCame) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");

  const Reply reply = net_.Set("a", Id("s"), "k", "v", {}, Durability::kOne);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(reply.failure.reason, Reason::kDurabilityUnmet);
  EXPECT_TRUE(reply.failure.applied);
  EXPECT_EQ(reply.failure.value, 1u);
  net_.Release("a", "b");
  net_.DeliverAll();
  EXPECT_TRUE(net_.Converged()) << "it replicates all the same";
}

TEST_F(LaneTest, AWriteGoesOnDegradedOnceItsOnlyPartnerIsDead) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Kill("b");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  const CallHandle handle = net_.Begin("a", set);
  EXPECT_FALSE(net_.TakeReply(handle).has_value());

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}});

  const std::optional<Reply> reply = net_.TakeReply(handle);
  ASSERT_TRUE(reply.has_value());
  EXPECT_THAT(reply->status, IsOk());
  EXPECT_TRUE(reply->degraded);
  EXPECT_EQ(reply->replicas, 1u);
}

TEST_F(LaneTest, StrictDurabilityFailsBeforeAnythingIsChanged) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Kill("b");
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kDead}});
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"k", "v"}};
  set.strict = true;

  const Reply reply = net_.Run("a", set);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(reply.failure.applied);
  EXPECT_EQ(net_.Get("a", Id("s")).session->attributes.count("k"), 0u);
}

TEST_F(LaneTest, ARestartedNodeFetchesEverythingBeforeItServes) {
  net_.StartReady({"a", "b", "c"});
  for (int i = 0; i < 50; ++i) {
    net_.Create("a", Id("s" + std::to_string(i)), {{"k", "v"}});
  }
  net_.Kill("c");
  net_.Create("a", Id("late"), {}, Durability::kOne);
  net_.Start("c");
  net_.SetViews(
      {{"a", State::kAlive}, {"b", State::kAlive}, {"c", State::kAlive}});
  EXPECT_EQ(net_.Get("c", Id("late")).failure.reason, Reason::kNotReady);

  net_.LinkAll();
  net_.DeliverAll();

  EXPECT_TRUE(net_.node("c").status().ready);
  EXPECT_FALSE(net_.node("c").status().degraded);
  EXPECT_TRUE(net_.Converged());
  EXPECT_THAT(net_.Get("c", Id("late")).status, IsOk());
}

TEST_F(LaneTest, WhatOnlyOneSurvivorHasReachesAllWhenTheWriterDies) {
  net_.StartReady({"a", "b", "c"});
  net_.Hold("a", "c");
  const Reply created =
      net_.Create("a", Id("s"), {{"k", "v"}}, Durability::kOne);
  ASSERT_THAT(created.status, IsOk());
  net_.Kill("a");

  net_.SetViews(
      {{"a", State::kDead}, {"b", State::kAlive}, {"c", State::kAlive}});
  net_.DeliverAll();

  EXPECT_TRUE(net_.Converged());
  EXPECT_THAT(net_.Get("c", Id("s"), {created.token}).status, IsOk());
}

TEST_F(LaneTest, APartitionHealsAndTheLogoutWins) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Create("a", Id("t"));
  for (const auto& [from, to] : {std::pair("a", "b"), std::pair("b", "a")}) {
    net_.LinkDown(from, to);
  }
  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kDead}});
  net_.SetView("b", {{"a", State::kDead}, {"b", State::kAlive}});
  net_.Delete("a", Id("s"));
  net_.Set("b", Id("s"), "k", "v");
  net_.Set("a", Id("t"), "x", "1");
  net_.Set("b", Id("t"), "y", "2");

  net_.SetViews({{"a", State::kAlive}, {"b", State::kAlive}});
  net_.LinkAll();
  net_.DeliverAll();

  EXPECT_TRUE(net_.Converged());
  EXPECT_THAT(net_.Get("b", Id("s")).status,
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(net_.Get("b", Id("t")).session->attributes,
              UnorderedElementsAre(Pair("x", "1"), Pair("y", "2")));
}

TEST_F(LaneTest, ABrokenStreamResumesWithoutLoss) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));
  net_.Hold("a", "b");
  for (int i = 0; i < 20; ++i) {
    net_.Set("a", Id("s"), "k" + std::to_string(i), "v", {},
             Durability::kLocal);
  }
  net_.LinkDown("a", "b");
  net_.Release("a", "b");

  net_.LinkUp("a", "b");
  net_.DeliverAll();

  EXPECT_TRUE(net_.Converged());
  EXPECT_EQ(net_.node("a").peers(net_.now("a"))[0].lag_operations, 0u);
}

TEST_F(LaneTest, AWatchShowsEachChangeAndTheEnd) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"), {{"k", "0"}});
  Effects effects;
  net_.node("b").Watch(77, Id("s"), {}, net_.now("b"), &effects);
  ASSERT_EQ(effects.watch_updates.size(), 1u);
  EXPECT_EQ(effects.watch_updates[0].session->attributes.at("k"), "0");

  net_.Set("a", Id("s"), "k", "1");
  net_.Delete("a", Id("s"));

  const std::vector<WatchUpdate> updates = net_.TakeWatchUpdates("b");
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_EQ(updates[0].session->attributes.at("k"), "1");
  EXPECT_EQ(updates[1].end, WatchUpdate::End::kDeleted);
}

TEST_F(LaneTest, ALeavingNodeHandsOverWhatOnlyItHas) {
  net_.StartReady({"a", "b"});
  net_.Hold("a", "b");
  net_.Create("a", Id("s"), {}, Durability::kLocal);
  net_.Leave("a");
  EXPECT_FALSE(net_.node("a").handed_over());
  EXPECT_EQ(net_.Get("a", Id("s")).failure.reason, Reason::kShuttingDown);

  net_.Release("a", "b");
  net_.DeliverAll();

  EXPECT_TRUE(net_.node("a").handed_over());
  EXPECT_THAT(net_.Get("b", Id("s")).status, IsOk());
}

// What b acknowledged for a counts as held by it; c has missed it and knows of
// nothing.
TEST_F(LaneTest, ALeavingNodeHandsOverWhatItHoldsForOthers) {
  net_.StartReady({"a", "b", "c"});
  net_.LinkDown("a", "c");
  net_.LinkDown("c", "a");
  ASSERT_EQ(net_.Create("a", Id("s"), {}, Durability::kOne).replicas, 2u);

  net_.Leave("b");
  EXPECT_FALSE(net_.node("b").handed_over());
  net_.Advance(absl::Seconds(1));

  EXPECT_TRUE(net_.node("b").handed_over());
  net_.Kill("a");
  net_.Kill("b");
  net_.SetView(
      "c", {{"a", State::kDead}, {"b", State::kLeft}, {"c", State::kAlive}});
  EXPECT_TRUE(net_.node("c").Holds(Id("s")).holds);
}

TEST_F(LaneTest, ANodeWithNobodyInReachIsAlone) {
  net_.StartReady({"a", "b"});
  EXPECT_FALSE(net_.node("a").status().alone);
  net_.Kill("b");
  EXPECT_FALSE(net_.node("a").status().alone);  // it may be back

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}});

  EXPECT_TRUE(net_.node("a").status().alone);
}

TEST_F(LaneTest, NodesThatLeaveTogetherDoNotCountEachOther) {
  net_.StartReady({"a", "b", "c"});
  ASSERT_THAT(net_.Create("a", Id("s")).status, IsOk());
  net_.Hold("a", "c");
  net_.Hold("b", "c");
  net_.Leave("a");
  net_.Leave("b");
  net_.Advance(absl::Seconds(1));

  EXPECT_FALSE(net_.node("a").handed_over());
  EXPECT_FALSE(net_.node("b").handed_over());
  net_.Release("a", "c");
  net_.Release("b", "c");
  net_.Advance(absl::Seconds(1));
  EXPECT_TRUE(net_.node("a").handed_over());
  EXPECT_TRUE(net_.node("b").handed_over());
}

TEST_F(LaneTest, ACopyThatDiedCountsNoLonger) {
  net_.StartReady({"a", "b", "c"});
  ASSERT_THAT(net_.Create("a", Id("s")).status, IsOk());
  net_.Hold("a", "c");
  Command set;
  set.kind = Command::Kind::kUpdate;
  set.session_id = Id("s");
  set.set = {{"cart", "1"}};
  set.durability = Durability::kAll;
  set.deadline = net_.now("a").steady + absl::Seconds(30);
  const CallHandle call = net_.Begin("a", set);
  net_.DeliverAll();  // b holds it
  net_.Kill("b");

  net_.SetViews(
      {{"a", State::kAlive}, {"b", State::kSuspect}, {"c", State::kAlive}});
  net_.DeliverAll();
  EXPECT_FALSE(net_.TakeReply(call).has_value());
  net_.Release("a", "c");
  net_.DeliverAll();

  const std::optional<Reply> reply = net_.TakeReply(call);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->replicas, 2u);
  EXPECT_TRUE(reply->degraded);
}

// a holds everything and cannot be reached: to b and c, restarted, it does not
// exist.
TEST_F(LaneTest, NodesThatRememberAnotherWaitForIt) {
  for (const char* name : {"b", "c"}) {
    net_.Start(name, false, {"a:7401", "b:7401", "c:7401"});
  }
  net_.SetViews({{"b", State::kAlive}, {"c", State::kAlive}});
  net_.LinkAll();
  net_.Advance(absl::Seconds(5));
  EXPECT_FALSE(net_.node("b").status().ready);

  net_.Advance(absl::Seconds(16));  // the orphan grace is over

  EXPECT_TRUE(net_.node("b").status().ready);
  net_.Start("a", false, {"b:7401", "c:7401"});
  EXPECT_TRUE(net_.Create("b", Id("s")).status.ok());
}

TEST_F(LaneTest, WhoSynchronisesWithADegradedNodeIsDegradedToo) {
  net_.Start("a", false, {"b:7401"});
  net_.Advance(absl::Seconds(21));
  ASSERT_TRUE(net_.node("a").status().degraded);
  net_.Start("c");
  net_.SetViews(
      {{"a", State::kAlive}, {"b", State::kDead}, {"c", State::kAlive}});
  net_.LinkUp("a", "c");
  net_.LinkUp("c", "a");
  net_.DeliverAll();

  EXPECT_TRUE(net_.node("c").status().ready);
  EXPECT_EQ(net_.CountEvents("c", Event::Kind::kLaneReadyDegraded), 1u);
}

TEST_F(LaneTest, ForgedTokensAndIdsAreToldWithoutALookUp) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"));
  std::string forged = created.token;
  forged[5] = forged[5] == 'A' ? 'B' : 'A';

  EXPECT_EQ(net_.Get("a", Id("s"), {forged}).failure.reason,
            Reason::kInvalidToken);
  EXPECT_EQ(net_.Get("a", std::string(30, 'A')).failure.reason,
            Reason::kSessionNotFound);
  EXPECT_EQ(net_.Get("a", "short").failure.reason, Reason::kInvalidId);
}

TEST_F(LaneTest, ASlowPeerTurnsDirtyAndFetchesWhatItMissed) {
  Config config = LaneNetwork::SmallConfig();
  config.session_bytes_max = 16 << 10;
  config.queue_bytes_max = 96 << 10;
  LaneNetwork net(config);
  net.StartReady({"a", "b"});
  net.Hold("a", "b");
  for (int i = 0; i < 60; ++i) {
    net.Create("a", Id("s" + std::to_string(i)),
               {{"k", std::string(4000, 'x')}}, Durability::kLocal);
  }
  EXPECT_GT(net.CountEvents("a", Event::Kind::kQueueOverflow), 0u);
  EXPECT_LT(net.node("a").peers(net.now("a"))[0].backlog_bytes, 100u << 10);

  net.Release("a", "b");
  net.DeliverAll();

  EXPECT_TRUE(net.Converged());
}

TEST_F(LaneTest, AClockTooFarAheadIsRefusedAndBothSidesSayWhy) {
  net_.StartReady({"a", "b"});
  net_.Skew("a", absl::Seconds(30));
  net_.Create("a", Id("s"), {}, Durability::kLocal);

  net_.DeliverAll();

  EXPECT_EQ(net_.CountEvents("b", Event::Kind::kRefused), 1u);
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kRefused), 1u);
  EXPECT_THAT(net_.Get("b", Id("s")).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneTest, AQuorumReadSeesWhatAMajorityHolds) {
  net_.StartReady({"a", "b", "c"});
  net_.Create("a", Id("s"), {{"k", "old"}});
  net_.Hold("a", "c");
  ASSERT_THAT(
      net_.Set("a", Id("s"), "k", "new", {}, Durability::kQuorum).status,
      IsOk());

  const Reply read = net_.Get("c", Id("s"), {}, Consistency::kQuorum);

  ASSERT_THAT(read.status, IsOk());
  EXPECT_EQ(read.session->attributes.at("k"), "new");
  EXPECT_FALSE(read.degraded);
}

TEST_F(LaneTest, UpsertCreatesForeignIdsButNeverRevivesANativeOne) {
  net_.StartReady({"a", "b"});
  Command upsert;
  upsert.kind = Command::Kind::kUpdate;
  upsert.session_id = Id("new");
  upsert.set = {{"k", "v"}};
  upsert.upsert = true;
  const Reply created = net_.Run("a", upsert);
  ASSERT_THAT(created.status, IsOk());
  EXPECT_TRUE(created.created);

  upsert.session_id = net_.ids().MakeNative(0, IdEntropy{9});

  EXPECT_THAT(net_.Run("a", upsert).status,
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LaneTest, PreconditionsFailWithTheSessionAsItIs) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"), {{"k", "1"}});
  net_.Set("a", Id("s"), "k", "2");
  Command update;
  update.kind = Command::Kind::kUpdate;
  update.session_id = Id("s");
  update.set = {{"k", "3"}};
  update.if_version = created.token;

  const Reply reply = net_.Run("a", update);

  EXPECT_THAT(reply.status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(reply.session->attributes.at("k"), "2");
  update.if_version = reply.token;
  EXPECT_THAT(net_.Run("a", update).status, IsOk());
}

TEST_F(LaneTest, LimitsSayTheValueAndTheLimit) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"));

  const Reply reply = net_.Set("a", Id("s"), "k", std::string(70000, 'x'), {},
                               Durability::kOne);

  EXPECT_THAT(
      reply.status,
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("attribute value bytes: 70000, at most 65536")));
  EXPECT_EQ(reply.failure.limit, 65536u);
}

}  // namespace
}  // namespace sessionmesh::replication
