// How nodes that were away, new, slow or about to go come to hold the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replication/lane/lane_network.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using membership::State;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::StatusIs;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class LaneSyncTest : public ::testing::Test {
 protected:
  LaneNetwork net_;
};

TEST_F(LaneSyncTest, ABootstrapNodeServesAtOnce) {
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

TEST_F(LaneSyncTest, ANodeWithSeedsWaitsForTheOthers) {
  net_.Start("a");

  const Reply refused = net_.Create("a", Id("s"));

  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(refused.failure.reason, Reason::kNotReady);
}

TEST_F(LaneSyncTest, AnOrphanServesAfterItsGraceAndSaysSo) {
  net_.Start("a");

  net_.Advance(absl::Seconds(21));

  const Reply created = net_.Create("a", Id("s"), {}, Durability::kLocal);
  ASSERT_THAT(created.status, IsOk());
  EXPECT_TRUE(created.degraded);
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kLaneReadyDegraded), 1u);
}

TEST_F(LaneSyncTest, ARestartedNodeFetchesEverythingBeforeItServes) {
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

TEST_F(LaneSyncTest, WhatOnlyOneSurvivorHasReachesAllWhenTheWriterDies) {
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

TEST_F(LaneSyncTest, APartitionHealsAndTheLogoutWins) {
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

TEST_F(LaneSyncTest, ABrokenStreamResumesWithoutLoss) {
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

TEST_F(LaneSyncTest, ALeavingNodeHandsOverWhatOnlyItHas) {
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
TEST_F(LaneSyncTest, ALeavingNodeHandsOverWhatItHoldsForOthers) {
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

TEST_F(LaneSyncTest, ANodeWithNobodyInReachIsAlone) {
  net_.StartReady({"a", "b"});
  EXPECT_FALSE(net_.node("a").status().alone);
  net_.Kill("b");
  EXPECT_FALSE(net_.node("a").status().alone);  // it may be back

  net_.SetView("a", {{"a", State::kAlive}, {"b", State::kSuspect}});

  EXPECT_TRUE(net_.node("a").status().alone);
}

TEST_F(LaneSyncTest, NodesThatLeaveTogetherDoNotCountEachOther) {
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

// a holds everything and cannot be reached: to b and c, restarted, it does not
// exist.
TEST_F(LaneSyncTest, NodesThatRememberAnotherWaitForIt) {
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

TEST_F(LaneSyncTest, WhoSynchronisesWithADegradedNodeIsDegradedToo) {
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

TEST_F(LaneSyncTest, ASlowPeerTurnsDirtyAndFetchesWhatItMissed) {
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

TEST_F(LaneSyncTest, AClockTooFarAheadIsRefusedAndBothSidesSayWhy) {
  net_.StartReady({"a", "b"});
  net_.Skew("a", absl::Seconds(30));
  net_.Create("a", Id("s"), {}, Durability::kLocal);

  net_.DeliverAll();

  EXPECT_EQ(net_.CountEvents("b", Event::Kind::kRefused), 1u);
  EXPECT_EQ(net_.CountEvents("a", Event::Kind::kRefused), 1u);
  EXPECT_THAT(net_.Get("b", Id("s")).status,
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sessionmesh::replication
