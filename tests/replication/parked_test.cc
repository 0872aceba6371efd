#include "replication/parked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace sessionmesh::replication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// An update of `ops` ops that begins with dot (actor, first).
DeltaPtr Update(ActorId actor, uint64_t first, size_t ops = 1) {
  auto delta = std::make_shared<Delta>();
  delta->actor = actor;
  delta->first = first;
  delta->births = {{1, 1}};
  delta->ops.resize(ops);
  return delta;
}

std::vector<Dot> LastsOf(const std::vector<ParkedDeltas::Entry>& entries) {
  std::vector<Dot> lasts;
  for (const auto& entry : entries) lasts.push_back(entry.delta->last());
  return lasts;
}

TEST(ParkedDeltasTest, ADotWakesOnlyThoseThatWaitForIt) {
  ParkedDeltas parked(1 << 20);
  parked.Add(Update(2, 5), "n", {1, 3});
  parked.Add(Update(2, 4), "n", {1, 3});
  parked.Add(Update(3, 1), "n", {1, 4});
  parked.Add(Update(3, 2), "n", {2, 1});
  EXPECT_THAT(parked.TakeWaitingFor({1, 1, 2}), IsEmpty());
  EXPECT_THAT(LastsOf(parked.TakeWaitingFor({1, 3, 4})),
              ElementsAre(Dot{2, 4}, Dot{2, 5}, Dot{3, 1}));
  EXPECT_THAT(parked.TakeWaitingFor({1, 3, 4}), IsEmpty());
  EXPECT_EQ(parked.size(), 1u);
}

TEST(ParkedDeltasTest, CanWaitForTheNextDot) {
  ParkedDeltas parked(1 << 20);
  parked.Add(Update(2, 5), "n", {1, 3});
  std::vector<ParkedDeltas::Entry> taken = parked.TakeWaitingFor({1, 3, 3});
  ASSERT_THAT(taken, SizeIs(1));
  parked.PutBack(std::move(taken[0]), {1, 9});
  EXPECT_THAT(parked.TakeWaitingFor({1, 3, 3}), IsEmpty());
  EXPECT_THAT(parked.TakeWaitingFor({1, 9, 9}), SizeIs(1));
}

TEST(ParkedDeltasTest, RemembersAllSendersOnce) {
  ParkedDeltas parked(1 << 20);
  EXPECT_EQ(parked.Add(Update(2, 5), "a", {1, 3}), ParkedDeltas::Added::kNew);
  EXPECT_EQ(parked.Add(Update(2, 5), "b", {1, 3}), ParkedDeltas::Added::kAgain);
  EXPECT_EQ(parked.Add(Update(2, 5), "a", {1, 3}), ParkedDeltas::Added::kAgain);
  EXPECT_THAT(parked.Take({2, 5})->from, ElementsAre("a", "b"));
}

TEST(ParkedDeltasTest, OfTwoWithOneEndTheLongerStays) {
  ParkedDeltas parked(1 << 20);
  parked.Add(Update(2, 5), "a", {2, 4});
  EXPECT_EQ(parked.Add(Update(2, 3, 3), "b", {1, 3}),
            ParkedDeltas::Added::kAgain);
  parked.Add(Update(2, 4, 2), "c", {2, 3});
  EXPECT_EQ(parked.size(), 1u);
  EXPECT_THAT(parked.TakeWaitingFor({2, 1, 9}), IsEmpty());
  std::vector<ParkedDeltas::Entry> taken = parked.TakeWaitingFor({1, 3, 3});
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].delta->first, 3u);
  EXPECT_THAT(taken[0].from, ElementsAre("a", "b", "c"));
}

TEST(ParkedDeltasTest, TheNewestIsRefusedWhenFull) {
  const size_t one = Update(2, 5)->ByteSize() + sizeof(ParkedDeltas::Entry);
  ParkedDeltas parked(2 * one);
  EXPECT_EQ(parked.Add(Update(2, 5), "n", {1, 3}), ParkedDeltas::Added::kNew);
  EXPECT_EQ(parked.Add(Update(2, 6), "n", {1, 3}), ParkedDeltas::Added::kNew);
  EXPECT_EQ(parked.Add(Update(2, 7), "n", {1, 3}), ParkedDeltas::Added::kFull);
  EXPECT_EQ(parked.bytes(), 2 * one);
  // Those that are here are still known, and a longer one must fit as well.
  EXPECT_EQ(parked.Add(Update(2, 5), "m", {1, 3}), ParkedDeltas::Added::kAgain);
  EXPECT_EQ(parked.Add(Update(2, 1, 5), "n", {1, 3}),
            ParkedDeltas::Added::kFull);
  EXPECT_EQ(parked.size(), 2u);
  parked.Take({2, 5});
  EXPECT_EQ(parked.Add(Update(2, 7), "n", {1, 3}), ParkedDeltas::Added::kNew);
}

TEST(ParkedDeltasTest, TakingLeavesNothingBehind) {
  ParkedDeltas parked(1 << 20);
  parked.Add(Update(2, 5), "n", {1, 3});
  parked.Add(Update(2, 6), "n", {1, 3});
  parked.Add(Update(2, 7), "n", {1, 4});
  EXPECT_FALSE(parked.Take({2, 99}).has_value());
  EXPECT_TRUE(parked.Take({2, 6}).has_value());
  EXPECT_EQ(parked.DropIf([](const Delta& d) { return d.first == 7; }), 1u);
  EXPECT_THAT(LastsOf(parked.TakeAll()), ElementsAre(Dot{2, 5}));
  EXPECT_EQ(parked.size(), 0u);
  EXPECT_EQ(parked.bytes(), 0u);
  EXPECT_THAT(parked.TakeWaitingFor({1, 1, 9}), IsEmpty());
}

}  // namespace
}  // namespace sessionmesh::replication
