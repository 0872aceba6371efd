#include "node/lane_timer.h"

#include <gtest/gtest.h>

#include <vector>

#include "node/clock.h"
#include "tests/node/waiter.h"

namespace sessionmesh::node {
namespace {

using ::sessionmesh::testing::Waiter;

class LaneTimerTest : public ::testing::Test {
 protected:
  LaneTimerTest()
      : timer_(2, &clock_, [this](size_t lane) {
          timer_.SetDeadline(lane, absl::InfiniteFuture());
          waiter_.Do([&] { ticks_.push_back(lane); });
        }) {}
  ~LaneTimerTest() override { timer_.Stop(); }

  absl::Time In(absl::Duration time) { return clock_.Now().steady + time; }

  const RealClock clock_;
  Waiter waiter_;
  std::vector<size_t> ticks_;
  LaneTimer timer_;
};

TEST_F(LaneTimerTest, TicksALaneWhenItsDeadlineHasCome) {
  const absl::Time due = In(absl::Milliseconds(20));
  timer_.SetDeadline(1, due);
  timer_.Start();

  ASSERT_TRUE(waiter_.Await([&] { return ticks_.size() == 1; }));
  EXPECT_EQ(ticks_[0], 1u);
  EXPECT_GE(clock_.Now().steady, due);
}

TEST_F(LaneTimerTest, WakesForADeadlineThatComesEarlier) {
  timer_.SetDeadline(0, In(absl::Hours(1)));
  timer_.Start();
  timer_.SetDeadline(1, In(absl::Milliseconds(5)));

  ASSERT_TRUE(waiter_.Await([&] { return ticks_.size() == 1; }));
  EXPECT_EQ(ticks_[0], 1u);
}

TEST_F(LaneTimerTest, NeverLosesADeadlineThatIsSetWhileItFallsAsleep) {
  timer_.Start();
  for (size_t i = 1; i <= 500; ++i) {
    timer_.SetDeadline(0, In(absl::ZeroDuration()));
    ASSERT_TRUE(waiter_.Await([&] { return ticks_.size() == i; })) << i;
  }
}

TEST_F(LaneTimerTest, StopsWhileItSleeps) {
  timer_.Start();
  timer_.Stop();
  timer_.SetDeadline(0, In(absl::ZeroDuration()));

  EXPECT_TRUE(ticks_.empty());
}

}  // namespace
}  // namespace sessionmesh::node
