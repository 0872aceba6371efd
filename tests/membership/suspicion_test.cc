#include "membership/suspicion.h"

#include <gtest/gtest.h>

namespace sessionmesh::membership {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

Suspicion MakeSuspicion(absl::Time start = kStart) {
  return Suspicion("accuser", 3, absl::Seconds(2), absl::Seconds(30), start);
}

TEST(SuspicionTest, StartsWithTheMaximum) {
  EXPECT_EQ(MakeSuspicion().deadline(), kStart + absl::Seconds(30));
}

TEST(SuspicionTest, DistinctConfirmationsShortenIt) {
  Suspicion suspicion = MakeSuspicion();
  EXPECT_TRUE(suspicion.Confirm("a"));
  EXPECT_EQ(suspicion.deadline(), kStart + absl::Seconds(16));
  EXPECT_TRUE(suspicion.Confirm("b"));
  EXPECT_TRUE(suspicion.Confirm("c"));
  EXPECT_EQ(suspicion.deadline(), kStart + absl::Seconds(2));
}

TEST(SuspicionTest, RepeatedConfirmationCountsOnce) {
  Suspicion suspicion = MakeSuspicion();
  EXPECT_TRUE(suspicion.Confirm("a"));
  EXPECT_FALSE(suspicion.Confirm("a"));
  EXPECT_EQ(suspicion.confirmations(), 1);
}

// memberlist 59781de: the accuser's own words, gossiped back, are no
// confirmation.
TEST(SuspicionTest, AccuserDoesNotConfirmItself) {
  Suspicion suspicion = MakeSuspicion();
  EXPECT_FALSE(suspicion.Confirm("accuser"));
  EXPECT_EQ(suspicion.deadline(), kStart + absl::Seconds(30));
}

TEST(SuspicionTest, ConfirmationsBeyondTheExpectedAreNoNews) {
  Suspicion suspicion = MakeSuspicion();
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(suspicion.Confirm(name));
  EXPECT_FALSE(suspicion.Confirm("d"));
  EXPECT_EQ(suspicion.confirmations(), 3);
}

TEST(SuspicionTimersTest, ExpireInTheOrderOfTheirDeadlines) {
  SuspicionTimers timers;
  EXPECT_EQ(timers.NextDeadline(), absl::InfiniteFuture());
  timers.Start("late", MakeSuspicion(kStart + absl::Seconds(10)));
  timers.Start("early", MakeSuspicion(kStart));
  EXPECT_EQ(timers.NextDeadline(), kStart + absl::Seconds(30));
  EXPECT_EQ(timers.PopExpired(kStart + absl::Seconds(29)), std::nullopt);
  EXPECT_EQ(timers.PopExpired(kStart + absl::Seconds(60)), "early");
  EXPECT_EQ(timers.PopExpired(kStart + absl::Seconds(60)), "late");
  EXPECT_EQ(timers.PopExpired(kStart + absl::Seconds(60)), std::nullopt);
}

TEST(SuspicionTimersTest, ConfirmationMovesTheDeadline) {
  SuspicionTimers timers;
  timers.Start("a", MakeSuspicion());
  EXPECT_TRUE(timers.Confirm("a", "x"));
  EXPECT_EQ(timers.NextDeadline(), kStart + absl::Seconds(16));
  EXPECT_FALSE(timers.Confirm("a", "x"));
  EXPECT_FALSE(timers.Confirm("nobody", "x"));
  EXPECT_EQ(timers.PopExpired(kStart + absl::Seconds(16)), "a");
  EXPECT_EQ(timers.NextDeadline(), absl::InfiniteFuture());
}

TEST(SuspicionTimersTest, StoppedSuspicionDoesNotExpire) {
  SuspicionTimers timers;
  timers.Start("a", MakeSuspicion());
  timers.Stop("a");
  timers.Stop("a");
  EXPECT_EQ(timers.Find("a"), nullptr);
  EXPECT_EQ(timers.PopExpired(kStart + absl::Hours(1)), std::nullopt);
}

TEST(SuspicionTimersTest, NewSuspicionReplacesTheOldOne) {
  SuspicionTimers timers;
  timers.Start("a", MakeSuspicion(kStart));
  timers.Confirm("a", "x");
  timers.Start("a", MakeSuspicion(kStart + absl::Seconds(5)));
  EXPECT_EQ(timers.NextDeadline(), kStart + absl::Seconds(35));
  EXPECT_EQ(timers.Find("a")->confirmations(), 0);
}

}  // namespace
}  // namespace sessionmesh::membership
