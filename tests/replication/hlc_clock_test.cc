#include "replication/hlc_clock.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

TEST(HlcClockTest, FollowsTheWallClock) {
  HlcClock clock;
  EXPECT_EQ(clock.Next(TestStart()),
            MakeHlc(absl::ToUnixMillis(TestStart()), 0));
  EXPECT_EQ(HlcMillis(clock.Next(TestStart() + absl::Seconds(1))),
            absl::ToUnixMillis(TestStart()) + 1000);
}

TEST(HlcClockTest, GrowsWhileTheWallClockStandsStill) {
  HlcClock clock;
  const Hlc first = clock.Next(TestStart());
  EXPECT_EQ(clock.Next(TestStart()), first + 1);
  EXPECT_EQ(clock.latest(), first + 1);
}

TEST(HlcClockTest, GrowsWhenTheWallClockGoesBack) {
  HlcClock clock;
  const Hlc first = clock.Next(TestStart());
  EXPECT_EQ(clock.Next(TestStart() - absl::Hours(1)), first + 1);
}

TEST(HlcClockTest, IsNeverBehindWhatItObserved) {
  HlcClock clock;
  const Hlc remote =
      MakeHlc(absl::ToUnixMillis(TestStart() + absl::Seconds(5)), 7);
  clock.Observe(remote);
  EXPECT_EQ(clock.Next(TestStart()), remote + 1);
  clock.Observe(remote - 100);
  EXPECT_EQ(clock.latest(), remote + 1);
}

TEST(HlcClockTest, AFullLogicalPartCarriesIntoTheMilliseconds) {
  HlcClock clock;
  clock.Observe(MakeHlc(1000, 0xffff));
  EXPECT_EQ(clock.Next(absl::FromUnixMillis(1000)), MakeHlc(1001, 0));
}

TEST(HlcClockTest, StaysInItsRange) {
  HlcClock clock;
  EXPECT_EQ(clock.Next(absl::FromUnixMillis(-5)), 1u);
  EXPECT_EQ(HlcMillis(clock.Next(absl::InfiniteFuture())),
            (int64_t{1} << 48) - 1);
  clock.Observe(std::numeric_limits<Hlc>::max());
  EXPECT_EQ(clock.Next(TestStart()), std::numeric_limits<Hlc>::max());
}

}  // namespace
}  // namespace sessionmesh::replication
