#include "replication/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "membership/random.h"
#include "tests/replication/delta_writer.h"
#include "tests/support/fake_keyed_hash.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::replication {
namespace {

using ::sessionmesh::testing::FakeKeyedHash;
using ::sessionmesh::testing::IsOkAndHolds;
using ::sessionmesh::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr SlotId kSlot = 513;

class TokenTest : public ::testing::Test {
 protected:
  std::string Encode(const std::vector<Dot>& dots) const {
    return EncodeToken(kSlot, dots, key_);
  }
  absl::StatusOr<std::vector<Dot>> Decode(absl::string_view token) const {
    return DecodeToken(kSlot, token, key_);
  }
  // A token of these bytes with the right hash behind them.
  std::string Authentic(const std::string& body) const {
    std::string bytes = body;
    const uint64_t hash = key_.Hash("token", std::string("\x02\x01", 2) + body);
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(hash >> shift));
    }
    return absl::WebSafeBase64Escape(bytes);
  }

  const FakeKeyedHash key_{7};
  const Dot dot_{TestActor(1), 42};
};

TEST_F(TokenTest, RoundTrips) {
  Random random(1);
  for (size_t count = 1; count <= kTokenDotsMax; ++count) {
    std::vector<Dot> dots;
    for (size_t i = 0; i < count; ++i) {
      dots.push_back({random.Next(), random.Next() >> random.Below(64) | 1});
    }
    const std::string token = Encode(dots);
    EXPECT_LE(token.size(), kTokenCharsMax);
    std::sort(dots.begin(), dots.end());
    EXPECT_THAT(Decode(token), IsOkAndHolds(dots));
  }
}

TEST_F(TokenTest, DotsComeBackSortedAndDistinct) {
  const std::string token = Encode({{2, 2}, {1, 1}, {2, 2}});
  EXPECT_THAT(Decode(token), IsOkAndHolds(ElementsAre(Dot{1, 1}, Dot{2, 2})));
}

TEST_F(TokenTest, OneDotTakes24To32Characters) {
  const uint64_t large = uint64_t{1} << 42;
  EXPECT_EQ(Encode({{dot_.actor, 1}}).size(), 24u);
  EXPECT_EQ(Encode({{dot_.actor, 127}}).size(), 24u);
  EXPECT_EQ(Encode({{dot_.actor, 128}}).size(), 26u);
  EXPECT_EQ(Encode({{dot_.actor, large - 1}}).size(), 31u);
  EXPECT_EQ(Encode({{dot_.actor, large}}).size(), 32u);
}

TEST_F(TokenTest, TheLongestFitsItsBound) {
  std::vector<Dot> dots;
  for (size_t i = 0; i < kTokenDotsMax; ++i) {
    dots.push_back({TestActor(i), std::numeric_limits<uint64_t>::max()});
  }
  EXPECT_LE(Encode(dots).size(), kTokenCharsMax);
  EXPECT_THAT(Decode(Encode(dots)), IsOkAndHolds(dots));
}

TEST_F(TokenTest, EveryFlippedBitIsRefused) {
  const std::string token = Encode({dot_, {TestActor(2), 7}});
  for (size_t i = 0; i < token.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = token;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_THAT(Decode(flipped), StatusIs(absl::StatusCode::kInvalidArgument))
          << "bit " << bit << " of character " << i;
    }
  }
}

TEST_F(TokenTest, EveryCutIsRefused) {
  const std::string token = Encode({dot_});
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_THAT(Decode(token.substr(0, size)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(TokenTest, AnotherSlotIsRefused) {
  EXPECT_THAT(DecodeToken(kSlot + 1, Encode({dot_}), key_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("damaged or belongs to another session")));
}

TEST_F(TokenTest, AnotherKeyIsRefused) {
  EXPECT_THAT(DecodeToken(kSlot, Encode({dot_}), FakeKeyedHash(8)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("damaged or belongs to another session")));
}

TEST_F(TokenTest, OnlyOneSpellingIsTaken) {
  // Two dots of 25 + 8 bytes leave no bits to spare; one of 18 neither. This
  // one has 20 bytes, so its last character has.
  const std::string token = Encode({{dot_.actor, 1 << 14}});
  ASSERT_EQ(token.size() % 4, 3u);
  EXPECT_THAT(Decode(token + "="), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("not base64url")));
  EXPECT_THAT(Decode(" " + token), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("not base64url")));
}

TEST_F(TokenTest, TooLongIsRefusedWithTheLimit) {
  EXPECT_THAT(Decode(std::string(257, 'A')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has 257 characters, the limit is 256")));
}

TEST_F(TokenTest, EmptyAndShortAreRefused) {
  EXPECT_THAT(Decode(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                   HasSubstr("has only 0 characters")));
  EXPECT_THAT(Decode("AAAAAAAAAA"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has only 10 characters")));
  EXPECT_THAT(Decode(std::string(kTokenCharsMin - 1, 'A')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has only 23 characters, the least is 24")));
  EXPECT_EQ(Encode({{dot_.actor, 1}}).size(), kTokenCharsMin);
}

TEST_F(TokenTest, TheSessionsIdIsNotInIt) {
  // A ROTATE changes the id and must not make tokens void; only the slot
  // counts.
  EXPECT_EQ(Encode({dot_}), EncodeToken(kSlot, {dot_}, FakeKeyedHash(7)));
}

TEST_F(TokenTest, MalformedIsRefusedEvenWhenAuthentic) {
  const std::string actor("\0\0\0\0\0\0\0\1", 8);
  const std::string good = "\x21" + actor + "\x05";
  ASSERT_THAT(Decode(Authentic(good)), IsOkAndHolds(ElementsAre(Dot{1, 5})));
  const std::string zero(1, '\0');
  for (const std::string& body : {
           "\x41" + actor + "\x05",                        // version 2
           "\x20" + actor + "\x05",                        // no dots
           "\x29" + actor + "\x05",                        // nine dots
           "\x22" + actor + "\x05",                        // one is missing
           "\x22" + actor + "\x05" + actor + "\x05",       // twice the same
           "\x22" + actor + "\x05" + actor + "\x04",       // descending
           "\x21" + actor + zero,                          // counter 0
           "\x21" + actor + "\x85" + zero,                 // a longer varint
           "\x21" + actor + "\x85",                        // an endless one
           "\x21" + actor + std::string(9, '\xff') + "\2"  // more than 64 bits
       }) {
    EXPECT_THAT(Decode(Authentic(body)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("unknown version")));
  }
  EXPECT_THAT(Decode(Authentic(good + "x")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace sessionmesh::replication
