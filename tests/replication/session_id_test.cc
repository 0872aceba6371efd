#include "replication/session_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "membership/random.h"
#include "tests/support/fake_keyed_hash.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::FakeKeyedHash;
using ::sessionmesh::testing::IsOk;
using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class SessionIdsTest : public ::testing::Test {
 protected:
  const FakeKeyedHash key_{1};
  const SessionIds ids_{1024, &key_};
  const IdEntropy entropy_{1, 2,  3,  4,  5,  6,  7,  8,
                           9, 10, 11, 12, 13, 14, 15, 16};
};

TEST_F(SessionIdsTest, ANativeIdHas30CharactersAndNamesItsSlot) {
  for (const SlotId slot : std::vector<SlotId>{0, 1, 255, 256, 1023}) {
    const std::string id = ids_.MakeNative(slot, entropy_);
    EXPECT_THAT(id, MatchesRegex("[A-Za-z0-9_-]{30}"));
    EXPECT_THAT(ids_.SlotOf(id), IsOkAndHolds(slot));
  }
}

TEST_F(SessionIdsTest, AllSlotsOfTheLargestClusterFit) {
  const SessionIds ids(65536, &key_);
  for (uint32_t slot = 0; slot < 65536; slot += 4369) {
    const auto id = static_cast<SlotId>(slot);
    EXPECT_THAT(ids.SlotOf(ids.MakeNative(id, entropy_)), IsOkAndHolds(id));
  }
}

TEST_F(SessionIdsTest, EveryFlippedBitIsNotFoundOrForeign) {
  const std::string id = ids_.MakeNative(77, entropy_);
  for (size_t i = 0; i < id.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = id;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      const bool base64url = isalnum(static_cast<unsigned char>(flipped[i])) ||
                             flipped[i] == '-' || flipped[i] == '_';
      if (base64url) {
        EXPECT_THAT(ids_.SlotOf(flipped), StatusIs(absl::StatusCode::kNotFound))
            << "bit " << bit << " of character " << i;
      } else {
        EXPECT_THAT(ids_.SlotOf(flipped), IsOk());  // as any foreign id
      }
    }
  }
}

TEST_F(SessionIdsTest, AnotherClustersIdIsNotFound) {
  const FakeKeyedHash other(2);
  EXPECT_THAT(ids_.SlotOf(SessionIds(1024, &other).MakeNative(77, entropy_)),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("was not made by this cluster")));
}

TEST_F(SessionIdsTest, ASlotBeyondTheClusterIsNotFound) {
  const SessionIds wide(65536, &key_);
  EXPECT_THAT(ids_.SlotOf(wide.MakeNative(1024, entropy_)),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("was not made by this cluster")));
}

TEST_F(SessionIdsTest, AForeignIdHasTheSameSlotEverywhere) {
  const FakeKeyedHash other(2);
  const std::string id = "PHPSESSID-0123456789";
  const auto slot = ids_.SlotOf(id);
  ASSERT_THAT(slot, IsOk());
  EXPECT_LT(*slot, 1024);
  EXPECT_THAT(SessionIds(1024, &other).SlotOf(id), IsOkAndHolds(*slot));
  // Doubling the slots leaves it or moves it to the twin.
  EXPECT_THAT(SessionIds(2048, &key_).SlotOf(id),
              IsOkAndHolds(AnyOf(*slot, *slot + 1024)));
}

TEST_F(SessionIdsTest, ForeignIdsSpreadOverTheSlots) {
  std::set<SlotId> slots;
  for (int i = 0; i < 2000; ++i) {
    slots.insert(
        *SessionIds(64, &key_).SlotOf("foreign-session-" + std::to_string(i)));
  }
  EXPECT_EQ(slots.size(), 64u);
}

TEST_F(SessionIdsTest, ImpossibleLengthsAreInvalid) {
  EXPECT_THAT(ids_.SlotOf(std::string(15, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 15 bytes; use 16 to 256")));
  EXPECT_THAT(ids_.SlotOf(std::string(257, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 257 bytes; use 16 to 256")));
  EXPECT_THAT(ids_.SlotOf(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("has 0 bytes")));
  EXPECT_THAT(ids_.SlotOf(std::string(16, 'x')), IsOk());
  EXPECT_THAT(ids_.SlotOf(std::string(256, 'x')), IsOk());
}

TEST_F(SessionIdsTest, AForeignIdMayHaveAnyBytesButMustNotLookNative) {
  EXPECT_THAT(ids_.CheckForeign(std::string(16, '\0')), IsOk());
  EXPECT_THAT(ids_.CheckForeign(std::string(29, 'a')), IsOk());
  EXPECT_THAT(ids_.CheckForeign(std::string(30, '.')), IsOk());
  EXPECT_THAT(ids_.CheckForeign(std::string(30, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("30 characters of base64url")));
  EXPECT_THAT(ids_.CheckForeign("short"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 5 bytes; use 16 to 256")));
}

TEST_F(SessionIdsTest, ARetriedRequestGivesTheSameEntropy) {
  EXPECT_EQ(ids_.EntropyOfRequest("request-1"),
            ids_.EntropyOfRequest("request-1"));
  EXPECT_NE(ids_.EntropyOfRequest("request-1"),
            ids_.EntropyOfRequest("request-2"));
  const FakeKeyedHash other(2);
  EXPECT_NE(ids_.EntropyOfRequest("request-1"),
            SessionIds(1024, &other).EntropyOfRequest("request-1"));
  const IdEntropy entropy = ids_.EntropyOfRequest("request-1");
  EXPECT_FALSE(
      std::equal(entropy.begin(), entropy.begin() + 8, entropy.begin() + 8));
}

TEST(SessionHashTest, HasTwelveHexadecimalDigits) {
  EXPECT_THAT(SessionHash("some-session-id"), MatchesRegex("[0-9a-f]{12}"));
  EXPECT_EQ(SessionHash("some-session-id"), SessionHash("some-session-id"));
  EXPECT_NE(SessionHash("some-session-id"), SessionHash("some-session-ie"));
}

}  // namespace
}  // namespace sessionmesh::replication
