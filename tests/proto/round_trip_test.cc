#include <gtest/gtest.h>

#include "proto/wire.h"
#include "tests/proto/random_values.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using sessionmesh::testing::IsOk;
using sessionmesh::testing::IsOkAndHolds;
using testing::kContext;
using testing::RandomValues;
using testing::Same;

constexpr uint64_t kSeeds = 500;
constexpr size_t kAlternatives = std::variant_size_v<replication::Message>;

// What a peer gets after the bytes have been on the wire.
v1::LaneMessage Carried(const v1::LaneMessage& message) {
  v1::LaneMessage carried;
  EXPECT_TRUE(carried.ParseFromString(message.SerializeAsString()));
  return carried;
}

TEST(RoundTripTest, DatagramsArriveAsTheyWereSent) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomValues values(seed);
    const membership::Datagram datagram = values.Datagram();
    const std::string bytes = EncodeDatagram(datagram, 42);
    ASSERT_THAT(DecodeDatagram(bytes, 42), IsOkAndHolds(datagram))
        << "seed " << seed;
  }
}

TEST(RoundTripTest, RequestsArriveAsTheyWereSent) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomValues values(seed);
    const membership::Request request = values.Request();
    const NodeInfo info = values.InfoOf(request.from);
    const v1::ExchangeRequest call = EncodeRequest(request, info);
    ASSERT_THAT(DecodeRequest(call), IsOkAndHolds(request)) << "seed " << seed;
    ASSERT_THAT(DecodeNodeInfo(call.info()), IsOkAndHolds(info))
        << "seed " << seed;
  }
}

TEST(RoundTripTest, RepliesArriveAsTheyWereSent) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    RandomValues values(seed);
    const membership::Reply reply = values.Reply();
    const NodeInfo info = values.InfoOf(reply.from);
    const v1::ExchangeResponse answer = EncodeReply(reply, info);
    ASSERT_THAT(DecodeReply(answer), IsOkAndHolds(reply)) << "seed " << seed;
    ASSERT_THAT(DecodeNodeInfo(answer.info()), IsOkAndHolds(info))
        << "seed " << seed;
  }
}

TEST(RoundTripTest, LaneMessagesArriveAsTheyWereSent) {
  for (size_t alternative = 0; alternative < kAlternatives; ++alternative) {
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      RandomValues values(seed);
      const uint32_t lane = values.Lane();
      const replication::Message message = values.Message(alternative, lane);
      v1::LaneMessage proto;
      EncodeLaneMessage(lane, message, &proto);
      const absl::StatusOr<LaneMessage> decoded =
          DecodeLaneMessage(Carried(proto), kContext);
      ASSERT_THAT(decoded, IsOk())
          << "alternative " << alternative << ", seed " << seed;
      ASSERT_EQ(decoded->lane, lane);
      ASSERT_TRUE(Same(decoded->message, message))
          << "alternative " << alternative << ", seed " << seed << "\n"
          << proto.DebugString();
    }
  }
}

TEST(RoundTripTest, DeltasOfEveryKindArriveAsTheyWereSent) {
  using Kind = replication::Delta::Kind;
  for (Kind kind : {Kind::kCreate, Kind::kUpdate, Kind::kRotate, Kind::kKill}) {
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      RandomValues values(seed);
      const auto delta =
          std::make_shared<replication::Delta>(values.Delta(kind, 17));
      v1::LaneMessage proto;
      EncodeLaneMessage(1, replication::Frame{1, 1, {delta}}, &proto);
      const absl::StatusOr<LaneMessage> decoded =
          DecodeLaneMessage(Carried(proto), kContext);
      ASSERT_THAT(decoded, IsOk())
          << "kind " << static_cast<int>(kind) << ", seed " << seed;
      const auto& frame = std::get<replication::Frame>(decoded->message);
      ASSERT_EQ(*frame.deltas.at(0), *delta) << "seed " << seed;
    }
  }
}

TEST(RoundTripTest, AMessageCanBeWrittenOverAnother) {
  v1::LaneMessage proto;
  EncodeLaneMessage(1, replication::Resync{{1, 9}}, &proto);
  EncodeLaneMessage(2, replication::PullMore{7, 3}, &proto);
  const absl::StatusOr<LaneMessage> decoded =
      DecodeLaneMessage(std::move(proto), kContext);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->lane, 2u);
  EXPECT_EQ(std::get<replication::PullMore>(decoded->message),
            (replication::PullMore{7, 3}));
}

TEST(RoundTripTest, QuestionsAboutSessionsArriveAsTheyWereSent) {
  const HoldsQuery query{"0123456789abcdef",
                         {{1, 1}, {UINT64_MAX, kCounterMax}}};
  EXPECT_THAT(DecodeHolds(EncodeHolds(query)), IsOkAndHolds(query));
}

}  // namespace
}  // namespace sessionmesh::wire
