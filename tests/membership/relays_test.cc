#include "membership/relays.h"

#include <gtest/gtest.h>

#include "membership/limits.h"

namespace sessionmesh::membership {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

Relay MakeRelay(uint64_t sequence) {
  return Relay{sequence,     "target",        2,
               "asker:7401", sequence + 1000, kStart + absl::Seconds(1)};
}

TEST(RelaysTest, AckFindsItsRelayOnce) {
  Relays relays;
  relays.Add(MakeRelay(1));
  relays.Add(MakeRelay(2));
  const std::optional<Relay> relay = relays.Match(2, "target", 2, kStart);
  ASSERT_TRUE(relay.has_value());
  EXPECT_EQ(relay->asker_sequence, 1002u);
  EXPECT_FALSE(relays.Match(2, "target", 2, kStart).has_value());
  EXPECT_EQ(relays.size(), 1u);
}

TEST(RelaysTest, AckOfAnotherMemberOrGenerationDoesNotCount) {
  Relays relays;
  relays.Add(MakeRelay(1));
  EXPECT_FALSE(relays.Match(1, "other", 2, kStart).has_value());
  EXPECT_FALSE(relays.Match(1, "target", 3, kStart).has_value());
  EXPECT_TRUE(relays.Match(1, "target", 2, kStart).has_value());
}

TEST(RelaysTest, LateAckDoesNotCount) {
  Relays relays;
  relays.Add(MakeRelay(1));
  EXPECT_FALSE(
      relays.Match(1, "target", 2, kStart + absl::Seconds(1)).has_value());
  EXPECT_EQ(relays.size(), 0u);
}

TEST(RelaysTest, OldestMakesRoom) {
  Relays relays;
  for (uint64_t i = 0; i <= kRelaysMax; ++i) relays.Add(MakeRelay(i));
  EXPECT_EQ(relays.size(), kRelaysMax);
  EXPECT_FALSE(relays.Match(0, "target", 2, kStart).has_value());
  EXPECT_TRUE(relays.Match(kRelaysMax, "target", 2, kStart).has_value());
}

}  // namespace
}  // namespace sessionmesh::membership
