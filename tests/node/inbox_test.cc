#include "node/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

namespace sessionmesh::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool IsReadable(int file) {
  pollfd entry{file, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(InboxTest, GivesItemsInTheirOrder) {
  Inbox<int> inbox(10);
  inbox.Push(1);
  inbox.Push(2);

  std::vector<int> items;
  inbox.Drain(&items);

  EXPECT_THAT(items, ElementsAre(1, 2));
}

TEST(InboxTest, WakesItsOwnerUntilItIsDrained) {
  Inbox<int> inbox(10);
  EXPECT_FALSE(IsReadable(inbox.file()));

  inbox.Push(1);
  EXPECT_TRUE(IsReadable(inbox.file()));

  std::vector<int> items;
  inbox.Drain(&items);
  EXPECT_FALSE(IsReadable(inbox.file()));
}

TEST(InboxTest, RefusesWhenFullAndLeavesTheItem) {
  Inbox<std::unique_ptr<int>> inbox(1);
  inbox.Push(std::make_unique<int>(1));
  auto second = std::make_unique<int>(2);

  EXPECT_FALSE(inbox.Push(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
}

TEST(InboxTest, TakesWhatTheOwnerAskedForAnyway) {
  Inbox<int> inbox(1);
  inbox.Push(1);
  inbox.PushAnyway(2);

  std::vector<int> items;
  inbox.Drain(&items);
  EXPECT_THAT(items, ElementsAre(1, 2));
}

TEST(InboxTest, LosesNothingFromManyThreads) {
  Inbox<int> inbox(100'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&inbox] {
      for (int round = 0; round < 500; ++round) inbox.Push(1);
    });
  }
  size_t taken = 0;
  while (taken < 2000) {
    pollfd entry{inbox.file(), POLLIN, 0};
    poll(&entry, 1, -1);
    std::vector<int> items;
    inbox.Drain(&items);
    taken += items.size();
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<int> rest;
  inbox.Drain(&rest);
  EXPECT_THAT(rest, IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::node
