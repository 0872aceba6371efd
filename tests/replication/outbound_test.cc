#include "replication/outbound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OutboundTest : public ::testing::Test {
 protected:
  OutboundTest() : out_(config_, /*epoch_seed=*/1) { out_.Resume({}, &held_); }

  FrameAck AckOf(const Frame& frame) {
    return {.process = 1, .epoch = frame.epoch, .seq = frame.seq};
  }

  const Config config_;
  Outbound out_;
  DeltaWriter writer_{TestActor(1), /*slot=*/3};
  std::vector<SlotDot> held_;
  Frame frame_;
};

TEST_F(OutboundTest, WhatIsAcknowledgedIsHeld) {
  const DeltaPtr delta = writer_.Create("s");
  out_.Push(delta, TestStart());
  ASSERT_TRUE(out_.NextFrame(TestStart(), &frame_));

  out_.Acknowledge(AckOf(frame_), &held_);

  EXPECT_THAT(held_, ElementsAre(SlotDot{3, delta->last()}));
  EXPECT_TRUE(out_.settled());
}

// A machine set back to a snapshot: the peer has frames of the time that is
// gone.
TEST_F(OutboundTest, AnAcknowledgementOfFramesNeverSentHoldsNothing) {
  out_.Push(writer_.Create("s"), TestStart());
  ASSERT_TRUE(out_.NextFrame(TestStart(), &frame_));
  FrameAck ack = AckOf(frame_);
  ack.seq = 40;

  out_.Acknowledge(ack, &held_);

  EXPECT_THAT(held_, IsEmpty());
  EXPECT_FALSE(out_.settled());
  EXPECT_EQ(out_.dirty_count(), 1u);
  out_.Resume({.process = 1}, &held_);
  EXPECT_THAT(out_.TakeDirty(), ElementsAre(3));
  out_.Push(writer_.Create("t"), TestStart());
  Frame next;
  ASSERT_TRUE(out_.NextFrame(TestStart(), &next));
  EXPECT_NE(next.epoch, frame_.epoch);
  EXPECT_EQ(next.seq, 1u);
}

}  // namespace
}  // namespace sessionmesh::replication
