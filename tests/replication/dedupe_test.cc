#include "replication/dedupe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/replication/delta_writer.h"

namespace sessionmesh::replication {
namespace {

std::string Request(char c) { return std::string(16, c); }

class DedupeTest : public ::testing::Test {
 protected:
  void Remember(char request) {
    DedupeEntry entry;
    entry.delta = writer_.Create("s", {{"big", std::string(400, 'x')}});
    entry.last = entry.delta->last();
    dedupe_.Remember(Request(request), std::move(entry), now_);
  }

  DeltaWriter writer_{TestActor(1)};
  absl::Time now_ = TestStart();
  Dedupe dedupe_{absl::Seconds(60), /*entries_max=*/3,
                 /*delta_bytes_max=*/1200};
};

TEST_F(DedupeTest, TheOldestDeltasGoBeforeTheirEntries) {
  for (char request : {'a', 'b', 'c'}) Remember(request);

  EXPECT_LE(dedupe_.delta_bytes(), 1200u);
  EXPECT_EQ(dedupe_.size(), 3u);
  ASSERT_NE(dedupe_.Find(Request('a'), now_), nullptr);
  EXPECT_EQ(dedupe_.Find(Request('a'), now_)->delta, nullptr);
  EXPECT_NE(dedupe_.Find(Request('c'), now_)->delta, nullptr);
}

TEST_F(DedupeTest, BytesAreGivenBackWhateverEndsAnEntry) {
  Remember('a');
  Remember('b');
  dedupe_.Settle(Request('a'), 2, now_);
  EXPECT_EQ(dedupe_.Find(Request('a'), now_)->replicas, 2u);
  for (char request : {'c', 'd', 'e', 'f'}) Remember(request);
  EXPECT_EQ(dedupe_.size(), 3u);

  now_ += absl::Seconds(60);

  EXPECT_EQ(dedupe_.Find(Request('f'), now_), nullptr);
  EXPECT_EQ(dedupe_.delta_bytes(), 0u);
  EXPECT_EQ(dedupe_.size(), 0u);
}

}  // namespace
}  // namespace sessionmesh::replication
