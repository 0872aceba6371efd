// What a reader may rely on: it sees its token's writes or hears why not.

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

class LaneReadsTest : public ::testing::Test {
 protected:
  LaneNetwork net_;
};

TEST_F(LaneReadsTest, AWriteIsReadOnEveryNodeWithItsToken) {
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

TEST_F(LaneReadsTest, AReaderAheadOfReplicationWaitsAndSaysSo) {
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

TEST_F(LaneReadsTest, WhatIsMissingIsFetchedFromWhoeverHasIt) {
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

TEST_F(LaneReadsTest, AStaleReadIsToldSoWithTheWriterThatIsMissing) {
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

TEST_F(LaneReadsTest, AWriteThatDiedWithItsWriterIsDataLossAndTheRestSurvives) {
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

TEST_F(LaneReadsTest,
       TokensOfAClusterThatRestartedAsAWholeAreDataLossNotStale) {
  net_.StartReady({"a", "b"});
  const Reply created = net_.Create("a", Id("s"));
  net_.Kill("a");
  net_.Kill("b");
  net_.StartReady({"a", "b"});

  const Reply read = net_.Get("b", Id("s"), {created.token});

  EXPECT_THAT(read.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(read.session.has_value());
}

TEST_F(LaneReadsTest, AWatchShowsEachChangeAndTheEnd) {
  net_.StartReady({"a", "b"});
  net_.Create("a", Id("s"), {{"k", "0"}});
  Effects effects;
  net_.node("b").Watch(77, Id("s"), {}, false, net_.now("b"), &effects);
  ASSERT_EQ(effects.watch_updates.size(), 1u);
  EXPECT_EQ(effects.watch_updates[0].session->attributes.at("k"), "0");

  net_.Set("a", Id("s"), "k", "1");
  net_.Delete("a", Id("s"));

  const std::vector<WatchUpdate> updates = net_.TakeWatchUpdates("b");
  ASSERT_EQ(updates.size(), 2u);
  EXPECT_EQ(updates[0].session->attributes.at("k"), "1");
  EXPECT_EQ(updates[1].end, WatchUpdate::End::kDeleted);
}

TEST_F(LaneReadsTest, ForgedTokensAndIdsAreToldWithoutALookUp) {
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

TEST_F(LaneReadsTest, AQuorumReadSeesWhatAMajorityHolds) {
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

}  // namespace
}  // namespace sessionmesh::replication
