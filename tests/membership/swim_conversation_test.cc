// Conversations of several nodes on a virtual network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "membership/scaling.h"
#include "tests/membership/swim_network.h"

namespace sessionmesh::membership {
namespace {

using ::testing::IsEmpty;

std::vector<size_t> Range(size_t from, size_t to) {
  std::vector<size_t> range(to - from);
  std::iota(range.begin(), range.end(), from);
  return range;
}

class SwimConversationTest : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_THAT(network_.invariants().violations(), IsEmpty());
  }

  // The longest a crash may take to be dead everywhere: the probe round-robin,
  // the suspicion, and a second for gossip.
  absl::Duration DeathBound(size_t members) {
    const Config config;
    const absl::Duration suspicion =
        config.suspicion_max_mult *
        SuspicionMin(config.suspicion_mult, members, config.probe_interval);
    return (2 * static_cast<int>(members) - 1) * config.probe_interval +
           suspicion + absl::Seconds(1);
  }

  bool DeadEverywhere(size_t node) {
    for (size_t i = 0; i < network_.size(); ++i) {
      if (i != node && network_.running(i) &&
          !network_.Sees(i, node, State::kDead)) {
        return false;
      }
    }
    return true;
  }

  SwimNetwork network_{SwimNetwork::Options(), 1};
};

TEST_F(SwimConversationTest, FiveNodesJoinByOneSeed) {
  for (size_t i = 0; i < 5; ++i) network_.Start();
  for (size_t i = 1; i < 5; ++i) network_.Join(i, {0});
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Seconds(2)));
  EXPECT_EQ(network_.CountEvents(EventKind::kJoinSucceeded), 4);
  network_.RunFor(absl::Minutes(10));
  EXPECT_EQ(network_.CountEvents(EventKind::kSuspected), 0);
}

TEST_F(SwimConversationTest, NodesThatNameEachOtherAsSeedsFormOneCluster) {
  for (size_t i = 0; i < 3; ++i) network_.Start();
  for (size_t i = 0; i < 3; ++i) network_.Join(i, {0, 1, 2});
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Seconds(2)));
  EXPECT_EQ(network_.CountEvents(EventKind::kJoinSucceeded), 3);
}

TEST_F(SwimConversationTest, SeedThatStartsLateIsFound) {
  for (size_t i = 0; i < 3; ++i) network_.Start();
  network_.Crash(0);
  network_.Join(1, {0});
  network_.Join(2, {0});
  network_.RunFor(absl::Minutes(3));
  EXPECT_EQ(network_.CountEvents(EventKind::kJoinSucceeded), 0);
  network_.Restart(0, {});
  // The longest wait between two tries, with jitter, and a round of gossip.
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(); },
                                absl::Seconds(40)));
}

TEST_F(SwimConversationTest, CrashIsSuspectedThenDeadWithinTheBound) {
  network_.StartCluster(5);
  network_.Crash(2);
  EXPECT_TRUE(
      network_.RunUntil([&] { return DeadEverywhere(2); }, DeathBound(5)));
  for (const size_t i : {0u, 1u, 3u, 4u}) {
    EXPECT_GE(network_.CountEvents(i, EventKind::kSuspected, 2), 1);
    EXPECT_EQ(network_.CountEvents(i, EventKind::kDied, 2), 1);
  }
  EXPECT_TRUE(network_.AllAgree());
}

TEST_F(SwimConversationTest, OneLostLinkIsBridgedByHelpers) {
  network_.StartCluster(5);
  network_.CutDatagrams(0, 1);
  network_.CutDatagrams(1, 0);
  network_.CutReliable(0, 1);
  network_.RunFor(absl::Minutes(5));
  EXPECT_EQ(network_.CountEvents(EventKind::kSuspected), 0);
}

TEST_F(SwimConversationTest, FalselySuspectedNodeRefutes) {
  network_.StartCluster(3);
  // Node 0 reaches node 1 by no way and no helper; node 2 hears of the
  // suspicion and passes on the refutation.
  network_.CutDatagrams(0, 1);
  network_.CutReliable(0, 1);
  network_.CutDatagrams(2, 1);
  EXPECT_TRUE(network_.RunUntil(
      [&] { return network_.Sees(0, 1, State::kSuspect); }, absl::Seconds(10)));
  network_.HealAll();
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Seconds(4)));
  EXPECT_EQ(network_.CountEvents(EventKind::kDied), 0);
  EXPECT_GE(network_.CountEvents(1, EventKind::kSelfAccused, 1), 1);
}

TEST_F(SwimConversationTest, BlockedDatagramsDoNotKillAnybody) {
  network_.StartCluster(4);
  network_.BlockAllDatagrams();
  network_.RunFor(absl::Minutes(5));
  EXPECT_EQ(network_.CountEvents(EventKind::kSuspected), 0);
  EXPECT_GE(network_.CountEvents(EventKind::kDatagramsBlocked), 12);
  network_.HealAll();
  network_.RunFor(absl::Minutes(1));
  EXPECT_EQ(network_.CountEvents(EventKind::kDatagramsWork),
            network_.CountEvents(EventKind::kDatagramsBlocked));
}

TEST_F(SwimConversationTest, JoinAndGoodbyeWorkWithoutDatagrams) {
  network_.StartCluster(2);
  network_.BlockAllDatagrams();
  const size_t newcomer = network_.Start();
  network_.Join(newcomer, {0});
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Minutes(2)));
  network_.Leave(newcomer);
  EXPECT_TRUE(network_.RunUntil(
      [&] {
        return network_.Sees(0, newcomer, State::kLeft) &&
               network_.Sees(1, newcomer, State::kLeft);
      },
      absl::Seconds(1)));
}

TEST_F(SwimConversationTest, PartitionHealsByRedial) {
  network_.StartCluster(6);
  const std::vector<size_t> one = Range(0, 3);
  const std::vector<size_t> other = Range(3, 6);
  network_.Partition(one, other);
  network_.RunFor(absl::Minutes(10));
  for (const size_t a : one) {
    for (const size_t b : other) {
      EXPECT_TRUE(network_.Sees(a, b, State::kDead));
      EXPECT_TRUE(network_.Sees(b, a, State::kDead));
    }
  }
  const int deaths = network_.CountEvents(EventKind::kDied);
  network_.HealAll();
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(); },
                                absl::Seconds(20)));
  // ringpop docs/partitions.md: the merger kills nobody.
  EXPECT_EQ(network_.CountEvents(EventKind::kDied), deaths);
}

TEST_F(SwimConversationTest, LoneNodeReturnsAfterAnyTime) {
  network_.StartCluster(3);
  network_.Partition({2}, {0, 1});
  network_.RunFor(absl::Hours(3));
  EXPECT_TRUE(network_.swim(2).view()->isolated());
  EXPECT_FALSE(network_.swim(0).view()->isolated());
  network_.HealAll();
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(); },
                                absl::Seconds(26)));
  EXPECT_FALSE(network_.swim(2).view()->isolated());
}

TEST_F(SwimConversationTest, GoodbyeIsToldApartFromFailure) {
  network_.StartCluster(5);
  network_.Leave(3);
  EXPECT_TRUE(network_.RunUntil(
      [&] {
        return network_.CountEvents(3, EventKind::kLeaveCompleted, 3) == 1;
      },
      absl::Seconds(5)));
  network_.Crash(3);
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(State::kLeft); },
                                absl::Seconds(1)));
  network_.RunFor(absl::Minutes(5));
  EXPECT_TRUE(network_.AllAgree(State::kLeft));
  EXPECT_EQ(network_.CountEvents(EventKind::kDied), 0);
}

TEST_F(SwimConversationTest, RestartElsewhereReplacesTheOldProcess) {
  network_.StartCluster(5);
  network_.Restart(4, {0}, "10.9.9.9:7401");
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Seconds(3)));
  EXPECT_EQ(network_.See(1, 4)->address, "10.9.9.9:7401");
  EXPECT_EQ(network_.See(1, 4)->claim.generation, 2u);
  EXPECT_EQ(network_.CountEvents(EventKind::kDied), 0);
}

// memberlist#311
TEST_F(SwimConversationTest, MassRestartConverges) {
  network_.StartCluster(20);
  for (size_t i = 0; i < 20; ++i) {
    network_.Restart(i, {(i + 1) % 20});
    network_.RunFor(absl::Milliseconds(200));
  }
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(); },
                                absl::Seconds(15)));
}

TEST_F(SwimConversationTest, RestartAfterAGoodbyeIsARejoin) {
  network_.StartCluster(3);
  network_.Leave(2);
  network_.RunFor(absl::Seconds(5));
  network_.Restart(2, {0});
  EXPECT_TRUE(
      network_.RunUntil([&] { return network_.AllAgree(); }, absl::Seconds(2)));
  EXPECT_EQ(network_.CountEvents(0, EventKind::kRejoined, 2), 1);
}

TEST_F(SwimConversationTest, SixtyFourNodesConverge) {
  for (size_t i = 0; i < 64; ++i) network_.Start();
  for (size_t i = 1; i < 64; ++i) network_.Join(i, {0});
  EXPECT_TRUE(network_.RunUntil([&] { return network_.AllAgree(); },
                                absl::Seconds(10)));
  network_.RunFor(absl::Minutes(2));
  EXPECT_EQ(network_.CountEvents(EventKind::kSuspected), 0);
}

// SWIM paper, section 5: two messages per member and period, whatever the size:
// a ping and an ack.
TEST_F(SwimConversationTest, IdleLoadIsTwoDatagramsPerMemberAndInterval) {
  network_.StartCluster(32);
  network_.RunFor(absl::Minutes(1));
  const int64_t before = network_.datagrams_sent();
  network_.RunFor(absl::Seconds(100));
  EXPECT_NEAR(
      static_cast<double>(network_.datagrams_sent() - before) / (100.0 * 32),
      2.0, 0.05);
}

// tarantool 0ec29b2f4f: news reaches everybody in at most 6 log2(N) rounds,
// even in a storm of events.
TEST_F(SwimConversationTest, StormOfEventsDoesNotStarveADeath) {
  const size_t count = 64;
  network_.StartCluster(count);
  network_.Crash(63);
  ASSERT_TRUE(network_.RunUntil(
      [&] {
        for (size_t i = 0; i < 63; ++i) {
          if (network_.Sees(i, 63, State::kDead)) return true;
        }
        return false;
      },
      absl::Minutes(4)));
  // Half of the cluster restarts while the news spreads.
  for (size_t i = 0; i < 32; ++i) network_.Restart(i, {62});
  const double rounds = 6 * std::log2(static_cast<double>(count));
  EXPECT_TRUE(network_.RunUntil([&] { return DeadEverywhere(63); },
                                absl::Milliseconds(200) * rounds));
}

}  // namespace
}  // namespace sessionmesh::membership
