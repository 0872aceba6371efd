#include "membership/gossip_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "membership/limits.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kPlenty = 100000;

std::vector<NodeName> TakeNames(GossipQueue* queue, size_t budget_bytes,
                                int limit, const NodeName& except = "") {
  std::vector<Update> updates;
  queue->Take(budget_bytes, kDatagramUpdatesMax, limit, except, &updates);
  std::vector<NodeName> names;
  for (const Update& update : updates) names.push_back(update.name);
  return names;
}

TEST(GossipQueueTest, NewestGoesFirst) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  queue.Add(Alive("b", 1, 0));
  queue.Add(Alive("c", 1, 0));
  EXPECT_THAT(TakeNames(&queue, kPlenty, 4), ElementsAre("c", "b", "a"));
}

TEST(GossipQueueTest, FewestTransmissionsGoBeforeNewest) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  queue.Add(Alive("b", 1, 0));
  const size_t room_for_one = UpdateBytesMax(Alive("a", 1, 0));
  EXPECT_THAT(TakeNames(&queue, room_for_one, 4), ElementsAre("b"));
  EXPECT_THAT(TakeNames(&queue, room_for_one, 4), ElementsAre("a"));
  EXPECT_THAT(TakeNames(&queue, room_for_one, 4), ElementsAre("b"));
}

TEST(GossipQueueTest, NewsLeavesAtMostLimitTimes) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(TakeNames(&queue, kPlenty, 3), ElementsAre("a"));
  }
  EXPECT_THAT(TakeNames(&queue, kPlenty, 3), IsEmpty());
  EXPECT_TRUE(queue.empty());
}

TEST(GossipQueueTest, NewsReplacesOlderNewsAboutTheSameMember) {
  GossipQueue queue;
  queue.Add(Suspected("a", 1, 0, "b"));
  ASSERT_THAT(TakeNames(&queue, kPlenty, 2), ElementsAre("a"));
  queue.Add(Alive("a", 1, 1));
  EXPECT_EQ(queue.size(), 1u);
  std::vector<Update> updates;
  queue.Take(kPlenty, kDatagramUpdatesMax, 2, "", &updates);
  queue.Take(kPlenty, kDatagramUpdatesMax, 2, "", &updates);
  EXPECT_THAT(updates, ElementsAre(Alive("a", 1, 1), Alive("a", 1, 1)));
}

TEST(GossipQueueTest, WhatDoesNotFitIsPassedOverNotTruncated) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  queue.Add(Alive(NodeName(100, 'x'), 1, 0));
  const size_t budget = UpdateBytesMax(Alive("a", 1, 0)) + 10;
  EXPECT_THAT(TakeNames(&queue, budget, 4), ElementsAre("a"));
  EXPECT_THAT(TakeNames(&queue, 10, 4), IsEmpty());
  EXPECT_EQ(queue.size(), 2u);
}

TEST(GossipQueueTest, BudgetIsNeverExceeded) {
  GossipQueue queue;
  for (size_t i = 0; i < 300; ++i) {
    queue.Add(Suspected(absl::StrCat("node-", NodeName(i % 90, 'x'), i), i, i,
                        "accuser"));
  }
  for (size_t budget = 40; budget < 2000; budget += 13) {
    std::vector<Update> updates;
    queue.Take(budget, kDatagramUpdatesMax, 1000000, "", &updates);
    size_t bytes = 0;
    for (const Update& update : updates) bytes += UpdateBytesMax(update);
    EXPECT_LE(bytes, budget);
  }
}

// memberlist 8d2a27a: more updates than the count of a packet can say.
TEST(GossipQueueTest, CountIsNeverExceeded) {
  GossipQueue queue;
  for (int i = 0; i < 300; ++i) queue.Add(Alive(absl::StrCat(i), 1, 0));
  std::vector<Update> updates;
  queue.Take(kPlenty, 255, 4, "", &updates);
  EXPECT_EQ(updates.size(), 255u);
}

TEST(GossipQueueTest, ExceptedNameKeepsItsTransmissions) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  EXPECT_THAT(TakeNames(&queue, kPlenty, 1, "a"), IsEmpty());
  EXPECT_THAT(TakeNames(&queue, kPlenty, 1), ElementsAre("a"));
}

TEST(GossipQueueTest, RemovedNewsIsNotSent) {
  GossipQueue queue;
  queue.Add(Alive("a", 1, 0));
  queue.Remove("a");
  queue.Remove("b");
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.Contains("a"));
  EXPECT_THAT(TakeNames(&queue, kPlenty, 1), IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::membership
