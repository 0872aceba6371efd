#include "node/peer_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "replication/delta.h"

namespace sessionmesh::node {
namespace {

// A frame of about `bytes` bytes.
replication::Message FrameOf(size_t bytes) {
  replication::Delta delta;
  replication::Op op;
  op.value = std::string(bytes, 'x');
  delta.ops.push_back(op);
  replication::Frame frame;
  frame.deltas.push_back(std::make_shared<const replication::Delta>(delta));
  return frame;
}

TEST(PeerQueueTest, GivesMessagesInTheirOrder) {
  PeerQueue queue(1 << 20);
  ASSERT_TRUE(queue.Push(3, replication::PullMore{7, 1}));
  ASSERT_TRUE(queue.Push(4, replication::PullMore{7, 2}));

  const std::vector<PeerQueue::Item> batch = queue.TakeBatch(10, 1 << 20);

  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch[0].lane, 3u);
  EXPECT_EQ(std::get<replication::PullMore>(batch[0].message).part, 1u);
  EXPECT_EQ(batch[1].lane, 4u);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PeerQueueTest, ABatchEndsAtTheNumberOfMessages) {
  PeerQueue queue(1 << 20);
  for (int i = 0; i < 5; ++i) queue.Push(0, replication::DigestRequest());

  EXPECT_EQ(queue.TakeBatch(3, 1 << 20).size(), 3u);
  EXPECT_EQ(queue.TakeBatch(3, 1 << 20).size(), 2u);
}

TEST(PeerQueueTest, ABatchEndsAtItsBytesButHasAlwaysOneMessage) {
  PeerQueue queue(1 << 20);
  queue.Push(0, FrameOf(5000));
  queue.Push(0, FrameOf(500));
  queue.Push(0, FrameOf(500));

  EXPECT_EQ(queue.TakeBatch(10, 2000).size(), 1u);
  EXPECT_EQ(queue.TakeBatch(10, 2000).size(), 2u);
}

TEST(PeerQueueTest, RefusesWhatPassesTheBound) {
  PeerQueue queue(10'000);
  EXPECT_TRUE(queue.Push(0, FrameOf(6000)));
  EXPECT_FALSE(queue.Push(0, FrameOf(6000)));

  queue.Clear();
  EXPECT_TRUE(queue.Push(0, FrameOf(20'000))) << "alone, any size is taken";
}

}  // namespace
}  // namespace sessionmesh::node
