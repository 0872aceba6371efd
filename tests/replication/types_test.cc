#include "replication/types.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionmesh::replication {
namespace {

absl::Time At(absl::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error))
      << error;
  return time;
}

TEST(ActorIdTest, CarriesItsStartInMilliseconds) {
  const absl::Time start = At("2026-03-04T05:06:07.089Z");
  const ActorId actor = MakeActorId(start, 12345);
  EXPECT_EQ(ActorEpoch(actor), start);
  EXPECT_EQ(actor & ((1u << 22) - 1), 12345u);
}

TEST(ActorIdTest, BeginsIn2024) {
  EXPECT_EQ(MakeActorId(At("2024-01-01T00:00:00Z"), 0), 0u);
  EXPECT_EQ(ActorEpoch(0), At("2024-01-01T00:00:00Z"));
}

TEST(ActorIdTest, TakesOnly22RandomBits) {
  const absl::Time start = At("2026-01-01T00:00:00Z");
  EXPECT_EQ(ActorEpoch(MakeActorId(start, ~uint64_t{0})), start);
}

TEST(ActorIdTest, StartsOutsideTheRangeAreMovedIntoIt) {
  EXPECT_EQ(ActorEpoch(MakeActorId(At("1999-01-01T00:00:00Z"), 7)),
            At("2024-01-01T00:00:00Z"));
  EXPECT_EQ(MakeActorId(absl::InfiniteFuture(), ~uint64_t{0}), ~ActorId{0});
}

TEST(ActorIdTest, LaterStartsHaveGreaterIds) {
  const absl::Time start = At("2026-01-01T00:00:00Z");
  EXPECT_LT(MakeActorId(start, ~uint64_t{0}),
            MakeActorId(start + absl::Milliseconds(1), 0));
}

TEST(FirstActorSinceTest, SeparatesActorsByTheirEpoch) {
  const absl::Time floor = At("2026-01-01T00:00:00Z");
  const ActorId first = FirstActorSince(floor);
  EXPECT_LE(first, MakeActorId(floor, 0));
  EXPECT_GT(first, MakeActorId(floor - absl::Milliseconds(1), ~uint64_t{0}));
}

TEST(FirstActorSinceTest, RoundsUpInsideAMillisecond) {
  const absl::Time floor = At("2026-01-01T00:00:00Z") + absl::Microseconds(1);
  EXPECT_EQ(FirstActorSince(floor),
            MakeActorId(At("2026-01-01T00:00:00.001Z"), 0));
}

TEST(FirstActorSinceTest, TakesAnyTime) {
  EXPECT_EQ(FirstActorSince(absl::InfinitePast()), 0u);
  EXPECT_EQ(FirstActorSince(At("2000-01-01T00:00:00Z")), 0u);
  EXPECT_EQ(FirstActorSince(absl::InfiniteFuture()), ~ActorId{0});
}

TEST(DotTest, IsOrderedByActorThenCounter) {
  EXPECT_LT((Dot{1, 9}), (Dot{2, 1}));
  EXPECT_LT((Dot{1, 1}), (Dot{1, 2}));
}

TEST(DotTest, HasANameForPeople) {
  EXPECT_EQ(DotName({0x3f2a1b4c5d6e70, 17}), "3f2a1b4c5d6e70:17");
}

TEST(HlcTest, HoldsMillisecondsAndALogicalPart) {
  const Hlc hlc = MakeHlc(1767225600123, 45);
  EXPECT_EQ(HlcMillis(hlc), 1767225600123);
  EXPECT_EQ(hlc & 0xffff, 45u);
}

TEST(ReservedAttributeTest, BeginsWithAZeroByte) {
  EXPECT_TRUE(IsReservedAttribute(kIdAttribute));
  EXPECT_TRUE(IsReservedAttribute(kUserAttribute));
  EXPECT_FALSE(IsReservedAttribute("id"));
  EXPECT_FALSE(IsReservedAttribute(""));
}

TEST(EndReasonTest, HasNames) {
  EXPECT_EQ(EndReasonName(EndReason::kDeleted), "deleted");
  EXPECT_EQ(EndReasonName(EndReason::kIdle), "idle");
  EXPECT_EQ(EndReasonName(EndReason::kDeadline), "deadline");
  EXPECT_EQ(EndReasonName(EndReason::kRevoked), "revoked");
}

}  // namespace
}  // namespace sessionmesh::replication
