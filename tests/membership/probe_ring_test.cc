#include "membership/probe_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace sessionmesh::membership {
namespace {

TEST(ProbeRingTest, EveryLapVisitsEveryMemberOnce) {
  Random random(1);
  ProbeRing ring;
  for (int i = 0; i < 20; ++i) ring.Add(absl::StrCat(i), &random);
  for (int lap = 0; lap < 5; ++lap) {
    std::set<NodeName> visited;
    for (int i = 0; i < 20; ++i) visited.insert(ring.Next(&random));
    EXPECT_EQ(visited.size(), 20u);
  }
}

TEST(ProbeRingTest, MemberIsVisitedAgainWithinTwoLapsLessOne) {
  Random random(2);
  ProbeRing ring;
  for (int i = 0; i < 10; ++i) ring.Add(absl::StrCat(i), &random);
  std::map<NodeName, int> last;
  for (int probe = 0; probe < 2000; ++probe) {
    const NodeName name = ring.Next(&random);
    if (last.contains(name)) {
      EXPECT_LE(probe - last[name], 2 * 10 - 1);
    }
    last[name] = probe;
  }
}

// memberlist 4558696: a biased shuffle. Each member must come at each place of
// a lap equally often: chi-square with 99 - 18 degrees of freedom stays below
// 120 (p < 0.003) for this seed.
TEST(ProbeRingTest, OrderOfProbesIsUniform) {
  constexpr int kMembers = 10;
  constexpr int kLaps = 20000;
  Random random(3);
  ProbeRing ring;
  for (int i = 0; i < kMembers; ++i) ring.Add(absl::StrCat(i), &random);
  for (int i = 0; i < kMembers; ++i) ring.Next(&random);
  std::map<std::pair<NodeName, int>, int> counts;
  for (int lap = 0; lap < kLaps; ++lap) {
    for (int place = 0; place < kMembers; ++place) {
      ++counts[{ring.Next(&random), place}];
    }
  }
  const double expected = static_cast<double>(kLaps) / kMembers;
  double chi_square = 0;
  for (const auto& [key, count] : counts) {
    chi_square += (count - expected) * (count - expected) / expected;
  }
  EXPECT_EQ(counts.size(), 100u);
  EXPECT_LT(chi_square, 120);
}

TEST(ProbeRingTest, RemovalDoesNotMakeOthersMissTheirTurn) {
  Random random(4);
  ProbeRing ring;
  for (int i = 0; i < 10; ++i) ring.Add(absl::StrCat(i), &random);
  std::set<NodeName> visited;
  for (int i = 0; i < 4; ++i) visited.insert(ring.Next(&random));
  const NodeName gone = *visited.begin();
  ring.Remove(gone);
  for (int i = 0; i < 6; ++i) visited.insert(ring.Next(&random));
  EXPECT_EQ(visited.size(), 10u);
}

TEST(ProbeRingTest, AddingDoesNotMakeAnyoneVisitedTwiceInALap) {
  Random random(5);
  for (int trial = 0; trial < 50; ++trial) {
    ProbeRing ring;
    for (int i = 0; i < 5; ++i) ring.Add(absl::StrCat(i), &random);
    std::multiset<NodeName> visited;
    for (int i = 0; i < 3; ++i) visited.insert(ring.Next(&random));
    ring.Add("new", &random);
    for (int i = 0; i < 2; ++i) visited.insert(ring.Next(&random));
    for (const NodeName& name : visited) EXPECT_EQ(visited.count(name), 1u);
  }
}

TEST(ProbeRingTest, RemovingAStrangerChangesNothing) {
  Random random(6);
  ProbeRing ring;
  ring.Add("a", &random);
  ring.Remove("b");
  EXPECT_EQ(ring.Next(&random), "a");
}

// memberlist 8c0d992: choice by tries with repetition missed the only eligible
// one in 2.6 % of cases.
TEST(SampleTest, TakesAllWhenThereAreNoMore) {
  Random random(7);
  for (int trial = 0; trial < 1000; ++trial) {
    EXPECT_THAT(Sample(3, 3, &random),
                ::testing::UnorderedElementsAre(0, 1, 2));
    EXPECT_THAT(Sample(3, 1, &random), ::testing::ElementsAre(0));
  }
  EXPECT_THAT(Sample(3, 0, &random), ::testing::IsEmpty());
}

TEST(SampleTest, IsDistinctAndUniform) {
  Random random(8);
  std::map<size_t, int> counts;
  for (int trial = 0; trial < 10000; ++trial) {
    const std::vector<size_t> sample = Sample(3, 10, &random);
    EXPECT_EQ(std::set<size_t>(sample.begin(), sample.end()).size(), 3u);
    for (const size_t i : sample) ++counts[i];
  }
  for (const auto& [index, count] : counts) {
    EXPECT_NEAR(count, 3000, 200) << index;
  }
}

}  // namespace
}  // namespace sessionmesh::membership
