#include "replication/live_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "membership/random.h"

namespace sessionmesh::replication {
namespace {

LiveHash HashOf(const std::vector<Dot>& dots) {
  LiveHash hash;
  for (const Dot& dot : dots) hash.Add(dot);
  return hash;
}

TEST(LiveHashTest, OrderDoesNotMatter) {
  Random random(1);
  std::vector<Dot> dots;
  for (int i = 0; i < 100; ++i) dots.push_back({random.Next(), random.Next()});
  const LiveHash hash = HashOf(dots);
  random.Shuffle(&dots);
  EXPECT_EQ(HashOf(dots), hash);
}

TEST(LiveHashTest, RemovingUndoesAdding) {
  Random random(2);
  LiveHash hash;
  std::vector<LiveHash> before;
  std::vector<Dot> dots;
  for (int i = 0; i < 1000; ++i) {
    before.push_back(hash);
    dots.push_back({random.Next(), random.Next()});
    hash.Add(dots.back());
  }
  while (!dots.empty()) {
    hash.Remove(dots.back());
    ASSERT_EQ(hash, before.back());
    dots.pop_back();
    before.pop_back();
  }
  EXPECT_EQ(hash, LiveHash());
}

TEST(LiveHashTest, CarriesBetweenItsHalves) {
  // The sum of many mixes overflows the low half again and again; in the other
  // order it must come down through the same carries.
  LiveHash hash;
  for (uint64_t i = 1; i <= 100; ++i) hash.Add({i, i});
  for (uint64_t i = 1; i <= 100; ++i) hash.Remove({i, i});
  EXPECT_EQ(hash, LiveHash());
}

TEST(LiveHashTest, NeighbouringDotsDiffer) {
  std::set<uint64_t> highs;
  std::set<uint64_t> lows;
  for (uint64_t actor = 0; actor < 50; ++actor) {
    for (uint64_t counter = 1; counter <= 50; ++counter) {
      const LiveHash hash = HashOf({{actor, counter}});
      highs.insert(hash.high);
      lows.insert(hash.low);
    }
  }
  EXPECT_EQ(highs.size(), 2500u);
  EXPECT_EQ(lows.size(), 2500u);
}

// Peers of other builds compute these too.
TEST(LiveHashTest, ValuesNeverChange) {
  EXPECT_EQ(Mix64(0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(Mix64(1), 0x910a2dec89025cc1u);
  EXPECT_EQ(StableHash(""), Mix64(0xcbf29ce484222325u));
  EXPECT_EQ(StableHash("a"), Mix64(0xaf63dc4c8601ec8cu));
}

}  // namespace
}  // namespace sessionmesh::replication
