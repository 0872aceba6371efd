#include "proto/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "proto/limits.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using sessionmesh::testing::IsOkAndHolds;
using sessionmesh::testing::StatusIs;

constexpr uint64_t kCluster = 0x0123456789abcdef;

std::string Framed(absl::string_view body) {
  std::string datagram;
  AppendFrame(kCluster, &datagram);
  datagram.append(body.data(), body.size());
  return datagram;
}

TEST(FrameTest, IsTwelveBytesBeforeTheBody) {
  EXPECT_EQ(absl::BytesToHexString(Framed("")), "d50100000123456789abcdef");
  EXPECT_EQ(Framed("").size(), kFrameBytes);
  EXPECT_THAT(OpenFrame(kCluster, Framed("body")), IsOkAndHolds("body"));
}

TEST(FrameTest, AnotherClusterIsToldApartFromGarbage) {
  EXPECT_THAT(
      OpenFrame(kCluster + 1, Framed("body")),
      StatusIs(StatusCode::kFailedPrecondition,
               "datagram is of another cluster, or of a node with other "
               "constants (hash 0123456789abcdef; ours is 0123456789abcdf0): "
               "give the nodes the same --cluster-id, --slots, "
               "--absolute-lifetime-max and --key-file, or other addresses"));
}

TEST(FrameTest, AnotherVersionIsToldApartFromGarbage) {
  std::string datagram = Framed("body");
  datagram[1] = 2;
  // Another version may have another layout: nothing else is looked at.
  datagram[2] = datagram[4] = 9;
  EXPECT_THAT(OpenFrame(kCluster, datagram),
              StatusIs(StatusCode::kFailedPrecondition,
                       "datagram is of protocol version 2; this node speaks 1 "
                       "to 1: upgrade the "
                       "older node"));
}

TEST(FrameTest, GarbageIsRefused) {
  std::string datagram = Framed("body");
  datagram[0] = 'G';
  EXPECT_THAT(
      OpenFrame(kCluster, datagram),
      StatusIs(StatusCode::kInvalidArgument,
               "datagram begins with 0x47, not with 0xd5: not from a node of "
               "sessionmesh"));
  EXPECT_THAT(OpenFrame(kCluster, Framed("").substr(0, 11)),
              StatusIs(StatusCode::kInvalidArgument,
                       "datagram has 11 bytes; 12 to 1400 are allowed"));
  EXPECT_THAT(OpenFrame(kCluster, Framed(std::string(1389, 'x'))),
              StatusIs(StatusCode::kInvalidArgument,
                       "datagram has 1401 bytes; 12 to 1400 are allowed"));
}

TEST(FrameTest, FlagsAndKeysAreReserved) {
  std::string flagged = Framed("body");
  flagged[2] = 4;
  EXPECT_THAT(OpenFrame(kCluster, flagged),
              StatusIs(StatusCode::kInvalidArgument,
                       "datagram has flags 0x04; none is defined"));
  std::string keyed = Framed("body");
  keyed[3] = 1;
  EXPECT_THAT(OpenFrame(kCluster, keyed),
              StatusIs(StatusCode::kInvalidArgument,
                       "datagram has key id 1; only 0 is known"));
}

}  // namespace
}  // namespace sessionmesh::wire
