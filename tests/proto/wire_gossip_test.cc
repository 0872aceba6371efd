#include "proto/wire_gossip.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/proto/random_values.h"
#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using sessionmesh::testing::StatusIs;
using testing::RandomValues;

constexpr uint64_t kCluster = 42;

membership::Sender Me() { return {"node-1", "10.0.0.1:7401", 3, 5}; }

// A ping with one suspicion.
membership::Datagram Sample() {
  return {Me(),
          membership::Ping{9, "node-2", 4},
          {{"node-3",
            "10.0.0.3:7401",
            {2, 1, membership::State::kSuspect},
            "node-1"}}};
}

// The valid datagram, changed.
absl::Status Refused(const std::function<void(v1::Packet*)>& change) {
  v1::Packet packet;
  EXPECT_TRUE(packet.ParseFromString(
      EncodeDatagram(Sample(), kCluster).substr(kFrameBytes)));
  change(&packet);
  std::string bytes;
  AppendFrame(kCluster, &bytes);
  packet.AppendToString(&bytes);
  return DecodeDatagram(bytes, kCluster).status();
}

TEST(DecodeDatagramTest, EveryLimitHasItsError) {
  const struct {
    std::function<void(v1::Packet*)> change;
    const char* error;
  } kCases[] = {
      {[](v1::Packet* p) { p->clear_sender(); }, "sender is missing"},
      {[](v1::Packet* p) { p->mutable_sender()->clear_name(); },
       "sender.name is missing"},
      {[](v1::Packet* p) { p->mutable_sender()->clear_address(); },
       "sender.address is missing"},
      {[](v1::Packet* p) { p->mutable_sender()->clear_generation(); },
       "sender.generation is missing"},
      {[](v1::Packet* p) { p->mutable_sender()->clear_incarnation(); },
       "sender.incarnation is missing"},
      {[](v1::Packet* p) {
         p->mutable_sender()->set_name(std::string(65, 'n'));
       },
       "sender.name has 65 bytes; 1 to 64 are allowed"},
      {[](v1::Packet* p) {
         p->mutable_sender()->set_address(std::string(256, 'n'));
       },
       "sender.address has 256 bytes; 1 to 255 are allowed"},
      {[](v1::Packet* p) {
         p->mutable_sender()->set_zone(std::string(65, 'z'));
       },
       "sender.zone has 65 bytes; 1 to 64 are allowed"},
      {[](v1::Packet* p) {
         p->mutable_sender()->set_generation(kGenerationMax + 1);
       },
       "sender.generation is 4611686018427387905; 0 to 4611686018427387904 are "
       "allowed"},
      {[](v1::Packet* p) { p->mutable_sender()->set_incarnation(UINT64_MAX); },
       "sender.incarnation is 18446744073709551615; 0 to 4611686018427387904 "
       "are allowed"},
      {[](v1::Packet* p) { p->clear_body(); }, "body is missing"},
      {[](v1::Packet* p) { p->mutable_ping()->clear_sequence(); },
       "ping.sequence is missing"},
      {[](v1::Packet* p) { p->mutable_ping_req(); },
       "ping_req.sequence is missing"},
      {[](v1::Packet* p) { p->mutable_ack()->set_sequence(1); },
       "ack.name is missing"},
      {[](v1::Packet* p) { p->mutable_ping()->clear_generation(); },
       "ping.generation is missing"},
      {[](v1::Packet* p) { p->mutable_ping()->set_name("\n"); },
       "ping.name has the byte 10 at offset 0; printable ASCII without blanks "
       "is allowed"},
      {[](v1::Packet* p) { p->mutable_updates(0)->clear_incarnation(); },
       "updates[0].incarnation is missing"},
      {[](v1::Packet* p) { p->mutable_updates(0)->clear_state(); },
       "updates[0].state is missing"},
      {[](v1::Packet* p) {
         p->mutable_updates(0)->set_state(static_cast<v1::MemberState>(5));
       },
       "updates[0].state is 5; 1 to 4 are known"},
      {[](v1::Packet* p) { p->mutable_updates(0)->clear_accuser(); },
       "updates[0].accuser has 0 bytes; 1 to 64 are allowed"},
      {[](v1::Packet* p) {
         p->mutable_updates(0)->set_state(v1::MEMBER_STATE_LEFT);
       },
       "updates[0].accuser must not be there: the state is left"},
      {[](v1::Packet* p) {
         p->mutable_updates(0)->set_generation(kGenerationMax + 1);
       },
       "updates[0].generation is 4611686018427387905; 0 to 4611686018427387904 "
       "are allowed"},
      {[](v1::Packet* p) {
         for (int i = 0; i < 255; ++i) p->add_updates();
       },
       "updates has 256 elements; at most 255 are allowed"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(Refused(test.change),
                StatusIs(StatusCode::kInvalidArgument, test.error));
  }
}

TEST(DecodeDatagramTest, ABodyThatIsNoPacketIsRefused) {
  std::string bytes;
  AppendFrame(kCluster, &bytes);
  bytes += "\xff\xff\xff";
  EXPECT_THAT(DecodeDatagram(bytes, kCluster),
              StatusIs(StatusCode::kInvalidArgument,
                       "datagram has a body of 3 bytes that is not a Packet"));
}

TEST(DecodeDatagramTest, AnotherClusterIsToldApart) {
  EXPECT_THAT(DecodeDatagram(EncodeDatagram(Sample(), kCluster), kCluster + 1),
              StatusIs(StatusCode::kFailedPrecondition));
}

// ---- Sizes

size_t EstimateOf(const membership::Datagram& datagram) {
  size_t bytes = membership::DatagramOverheadBytesMax(datagram);
  for (const membership::Update& update : datagram.updates) {
    bytes += membership::UpdateBytesMax(update);
  }
  return bytes;
}

TEST(DatagramSizeTest, TheEstimateOfMembershipIsConservative) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    RandomValues values(seed);
    const membership::Datagram datagram = values.Datagram();
    ASSERT_LE(EncodeDatagram(datagram, kCluster).size(), EstimateOf(datagram))
        << seed;
  }
}

TEST(DatagramSizeTest, TheWorstPacketFits) {
  // The longest names, the greatest numbers; filled as the core does, while the
  // estimate allows.
  const std::string name(kNodeNameBytesMax, 'n');
  for (size_t address_bytes : {size_t{20}, size_t{100}, kAddressBytesMax}) {
    const std::string address = std::string(address_bytes - 6, 'a') + ":65535";
    for (membership::DatagramBody body :
         {membership::DatagramBody(
              membership::Ping{UINT64_MAX, name, kGenerationMax}),
          membership::DatagramBody(
              membership::PingReq{UINT64_MAX, name, kGenerationMax}),
          membership::DatagramBody(
              membership::Ack{UINT64_MAX, name, kGenerationMax})}) {
      membership::Datagram datagram{
          {name, address, kGenerationMax, kIncarnationMax, name}, body, {}};
      const membership::Update update{
          name,
          address,
          {kGenerationMax, kIncarnationMax, membership::State::kDead},
          name,
          name};
      while (EstimateOf(datagram) + membership::UpdateBytesMax(update) <=
             kDatagramBytesMax) {
        datagram.updates.push_back(update);
      }
      const std::string bytes = EncodeDatagram(datagram, kCluster);
      EXPECT_LE(bytes.size(), kDatagramBytesMax);
      EXPECT_GE(datagram.updates.size(), 1u);
      EXPECT_EQ(*DecodeDatagram(bytes, kCluster), datagram);
    }
  }
}

TEST(DatagramSizeTest, ASuspicionWithShortNamesTakesThirtyNineBytes) {
  membership::Datagram datagram = Sample();
  const size_t one = EncodeDatagram(datagram, kCluster).size();
  datagram.updates.push_back(datagram.updates[0]);
  const size_t two = EncodeDatagram(datagram, kCluster).size();
  EXPECT_EQ(two - one, 39u);
}

// ---- Exchanges

NodeInfo MyInfo() {
  RandomValues values(1);
  return values.InfoOf(Me());
}

absl::Status RequestRefused(
    const std::function<void(v1::ExchangeRequest*)>& change) {
  v1::ExchangeRequest call = EncodeRequest(
      {Me(), membership::SyncRequest{7, Sample().updates}}, MyInfo());
  change(&call);
  return DecodeRequest(call).status();
}

absl::Status ReplyRefused(
    membership::ReplyBody body,
    const std::function<void(v1::ExchangeResponse*)>& change) {
  v1::ExchangeResponse answer = EncodeReply({Me(), std::move(body)}, MyInfo());
  change(&answer);
  return DecodeReply(answer).status();
}

TEST(DecodeRequestTest, EveryLimitHasItsError) {
  const struct {
    std::function<void(v1::ExchangeRequest*)> change;
    const char* error;
  } kCases[] = {
      {[](v1::ExchangeRequest* p) { p->clear_sender(); }, "sender is missing"},
      {[](v1::ExchangeRequest* p) { p->mutable_sender()->clear_name(); },
       "sender.name is missing"},
      {[](v1::ExchangeRequest* p) { p->mutable_info()->set_name("node-2"); },
       "sender.name is node-1, but info says otherwise"},
      {[](v1::ExchangeRequest* p) { p->mutable_info()->set_generation(4); },
       "sender.generation is 3, but info says otherwise"},
      {[](v1::ExchangeRequest* p) { p->clear_info(); },
       "sender.name is node-1, but info says otherwise"},
      {[](v1::ExchangeRequest* p) {
         p->mutable_info()->set_peer_address("b:1");
       },
       "sender.address is 10.0.0.1:7401, but info says otherwise"},
      {[](v1::ExchangeRequest* p) { p->clear_body(); }, "body is missing"},
      {[](v1::ExchangeRequest* p) { p->mutable_ping(); },
       "ping.name is missing"},
      {[](v1::ExchangeRequest* p) { p->mutable_sync()->clear_digest(); },
       "sync.digest is missing"},
      {[](v1::ExchangeRequest* p) {
         p->mutable_sync()->mutable_members(0)->clear_name();
       },
       "sync.members[0].name is missing"},
      {[](v1::ExchangeRequest* p) {
         for (int i = 0; i < 16384; ++i) p->mutable_sync()->add_members();
       },
       "sync.members has 16385 elements; at most 16384 are allowed"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(RequestRefused(test.change),
                StatusIs(StatusCode::kInvalidArgument, test.error));
  }
}

TEST(DecodeReplyTest, EveryLimitHasItsError) {
  using membership::Refusal;
  using membership::RefusalReason;
  const Refusal conflict{RefusalReason::kNameConflict, "10.0.0.9:7401", 8};
  const struct {
    membership::ReplyBody body;
    std::function<void(v1::ExchangeResponse*)> change;
    const char* error;
  } kCases[] = {
      {conflict, [](v1::ExchangeResponse* p) { p->clear_body(); },
       "body is missing"},
      {conflict,
       [](v1::ExchangeResponse* p) { p->mutable_refusal()->clear_reason(); },
       "refusal.reason is 0; 1 to 5 are known"},
      {conflict,
       [](v1::ExchangeResponse* p) {
         p->mutable_refusal()->clear_holder_address();
       },
       "refusal.holder_address is missing"},
      {conflict,
       [](v1::ExchangeResponse* p) {
         p->mutable_refusal()->clear_holder_generation();
       },
       "refusal.holder_generation is missing"},
      {conflict,
       [](v1::ExchangeResponse* p) {
         p->mutable_refusal()->set_holder_address("nowhere");
       },
       "refusal.holder_address is 'nowhere'; host:port or [v6]:port is needed"},
      {conflict,
       [](v1::ExchangeResponse* p) {
         p->mutable_refusal()->set_reason(v1::Refusal::LEFT);
       },
       "refusal.holder must not be there: only NAME_CONFLICT and SUPERSEDED "
       "name one"},
      {membership::SyncReply{1, {}},
       [](v1::ExchangeResponse* p) { p->mutable_sync()->clear_digest(); },
       "sync.digest is missing"},
      {membership::ReliableAck(),
       [](v1::ExchangeResponse* p) {
         p->mutable_sender()->clear_incarnation();
       },
       "sender.incarnation is missing"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(ReplyRefused(test.body, test.change),
                StatusIs(StatusCode::kInvalidArgument, test.error));
  }
}

}  // namespace
}  // namespace sessionmesh::wire
