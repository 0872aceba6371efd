#include "replication/puller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "replication/life.h"
#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

class PullerTest : public ::testing::Test {
 protected:
  static Config Small() {
    Config config;
    config.pulls_in_flight_max = 2;
    config.lane_bytes_max = 1000;
    return config;
  }

  const Config config_ = Small();
  Puller puller_{config_, /*first_pull=*/1};
  absl::Time now_ = TestStart();
};

TEST_F(PullerTest, PeersThatHangTakeNoPlaceFromOneThatAnswers) {
  puller_.Want("hangs", 1, true);
  puller_.Want("hangs too", 1, true);
  ASSERT_TRUE(puller_.Next(now_).has_value());
  ASSERT_TRUE(puller_.Next(now_).has_value());
  puller_.Want("answers", 1, true);
  ASSERT_FALSE(puller_.Next(now_).has_value());

  EXPECT_EQ(puller_.retry_at(), now_ + absl::Milliseconds(100));
  now_ = puller_.retry_at();

  const std::optional<Puller::Start> start = puller_.Next(now_);
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->from, "answers");
}

TEST_F(PullerTest, ATimeThatHasPassedIsNoReasonToLookAgain) {
  puller_.Want("hangs", 1, true);
  ASSERT_TRUE(puller_.Next(now_).has_value());
  puller_.Want("hangs", 1, true);
  now_ += absl::Seconds(1);
  ASSERT_FALSE(puller_.Next(now_).has_value());

  EXPECT_EQ(puller_.retry_at(), absl::InfiniteFuture());
}

TEST_F(PullerTest, AStateLargerThanALaneIsDropped) {
  puller_.Want("liar", 1, true);
  const std::optional<Puller::Start> start = puller_.Next(now_);
  PullReply part{.pull = start->pull, .slot = 1};
  part.kind = PullReply::Kind::kState;
  part.last = false;
  part.state.lives.resize(1);
  part.state.lives[0].live_dots.resize(40, Dot{1, 1});
  std::optional<PullMore> more;

  EXPECT_FALSE(puller_.OnReply("liar", part, now_, &more).has_value());
  EXPECT_TRUE(more.has_value());
  more.reset();
  part.part = 1;
  EXPECT_FALSE(puller_.OnReply("liar", part, now_, &more).has_value());

  EXPECT_FALSE(more.has_value());
  EXPECT_TRUE(puller_.idle());
}

}  // namespace
}  // namespace sessionmesh::replication
