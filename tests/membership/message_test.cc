#include "membership/message.h"

#include <gtest/gtest.h>

#include "membership/config.h"
#include "membership/limits.h"
#include "tests/membership/lone_swim.h"

namespace sessionmesh::membership {
namespace {

TEST(MessageTest, UpdateIsValidWithinTheLimits) {
  EXPECT_TRUE(IsValid(Alive("a", 0, 0)));
  EXPECT_TRUE(IsValid(
      Alive(NodeName(kNameBytesMax, 'x'), kGenerationMax, kIncarnationMax)));
}

TEST(MessageTest, UpdateBeyondALimitIsInvalid) {
  EXPECT_FALSE(IsValid(Alive("", 1, 0)));
  EXPECT_FALSE(IsValid(Alive(NodeName(kNameBytesMax + 1, 'x'), 1, 0)));
  EXPECT_FALSE(IsValid(Alive("a", kGenerationMax + 1, 0)));
  EXPECT_FALSE(IsValid(Alive("a", 1, kIncarnationMax + 1)));
  Update homeless = Alive("a", 1, 0);
  homeless.address = "";
  EXPECT_FALSE(IsValid(homeless));
  Update zoned = Alive("a", 1, 0);
  zoned.zone = Zone(kZoneBytesMax, 'z');
  EXPECT_TRUE(IsValid(zoned));
  zoned.zone += 'z';
  EXPECT_FALSE(IsValid(zoned));
  Update far = Alive("a", 1, 0);
  far.address = Address(kAddressBytesMax + 1, '1');
  EXPECT_FALSE(IsValid(far));
  Update strange = Alive("a", 1, 0);
  strange.claim.state = static_cast<State>(4);
  EXPECT_FALSE(IsValid(strange));
}

TEST(MessageTest, DoubtNeedsAnAccuser) {
  EXPECT_TRUE(IsValid(Suspected("a", 1, 0, "b")));
  EXPECT_FALSE(IsValid(Suspected("a", 1, 0, "")));
  EXPECT_FALSE(IsValid(Dead("a", 1, 0, "")));
}

// al8n#158: a goodbye is the subject's own; whoever says it for another is not
// believed.
TEST(MessageTest, GoodbyeWithAnAccuserIsInvalid) {
  EXPECT_TRUE(IsValid(Left("a", 1, 0)));
  Update forged = Left("a", 1, 0);
  forged.accuser = "b";
  EXPECT_FALSE(IsValid(forged));
}

TEST(MessageTest, LargestBodyAndLargestUpdateFitTheSmallestDatagram) {
  const NodeName name(kNameBytesMax, 'x');
  const Address address(kAddressBytesMax, '1');
  Datagram datagram;
  datagram.from = Sender{name, address, kGenerationMax, kIncarnationMax};
  datagram.body = Ping{~uint64_t{0}, name, kGenerationMax};
  const Update update{name, address,
                      Claim{kGenerationMax, kIncarnationMax, State::kDead},
                      name};
  Config config;
  config.datagram_bytes_max =
      DatagramOverheadBytesMax(datagram) + UpdateBytesMax(update);
  EXPECT_LE(config.datagram_bytes_max, 1280u);
  config.datagram_bytes_max = 1280;
  EXPECT_TRUE(config.Validate().ok());
}

TEST(MessageTest, OrdinaryDatagramHasRoomForFourteenUpdates) {
  Datagram datagram;
  datagram.from = Sender{"web-01", "10.0.0.1:7401", 3, 0};
  datagram.body = Ping{123456, "web-02", 3};
  const Update update{"web-03", "10.0.0.3:7401", Claim{3, 1, State::kSuspect},
                      "web-01"};
  EXPECT_GE(
      (1400 - DatagramOverheadBytesMax(datagram)) / UpdateBytesMax(update),
      14u);
}

}  // namespace
}  // namespace sessionmesh::membership
