#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/wire.h"
#include "tests/proto/lane_samples.h"
#include "tests/proto/random_values.h"
#include "tests/support/status_matchers.h"

// The bytes of one message of each kind. A change here is a change of the
// format: nodes of both versions will meet, so it needs a new protocol version
// or a field that the old ones may ignore. The sizes are the second thing that
// this file keeps.

namespace sessionmesh::wire {
namespace {

std::string Hex(absl::string_view bytes) {
  return absl::BytesToHexString(bytes);
}

membership::Sender Sender() { return {"node-1", "10.0.0.1:7401", 3, 5}; }

std::string Lane(size_t alternative) {
  return testing::Encoded(testing::MessageSamples()[alternative])
      .SerializeAsString();
}

TEST(GoldenTest, Datagrams) {
  const membership::Update suspicion{
      "node-3", "10.0.0.3:7401", {2, 1, membership::State::kSuspect}, "node-1"};
  const membership::Update alive{
      "node-4", "10.0.0.4:7401", {1, 0, membership::State::kAlive}, ""};
  EXPECT_EQ(Hex(EncodeDatagram(
                {Sender(), membership::Ping{9, "node-2", 4}, {suspicion}}, 42)),
            "d5010000000000000000002a0a1b0a066e6f64652d31120d31302e302e302e31"
            "3a3734303118032005120c080912066e6f64652d32180432250a066e6f64652d"
            "33120d31302e302e302e333a3734303118022001280232066e6f64652d31");
  EXPECT_EQ(Hex(EncodeDatagram(
                {Sender(), membership::PingReq{9, "node-2", 4}, {}}, 42)),
            "d5010000000000000000002a0a1b0a066e6f64652d31120d31302e302e302e31"
            "3a37343031180320051a0c080912066e6f64652d321804");
  EXPECT_EQ(
      Hex(EncodeDatagram({Sender(), membership::Ack{9, "node-1", 3}, {}}, 42)),
      "d5010000000000000000002a0a1b0a066e6f64652d31120d31302e302e302e31"
      "3a3734303118032005220c080912066e6f64652d311803");
  EXPECT_EQ(Hex(EncodeDatagram({Sender(), membership::Gossip{}, {alive}}, 42)),
            "d5010000000000000000002a0a1b0a066e6f64652d31120d31302e302e302e31"
            "3a37343031180320052a00321d0a066e6f64652d34120d31302e302e302e343a"
            "37343031180120002801");
}

TEST(GoldenTest, NodeInfoIsUnderstoodByEveryVersion) {
  NodeInfo info;
  info.cluster_id = "shop";
  info.slot_count = 1024;
  info.lane_count = 8;
  info.replicas = 3;
  info.absolute_lifetime_max = absl::Hours(24 * 30);
  info.name = "node-1";
  info.generation = 3;
  info.process = 77;
  info.peer_address = "10.0.0.1:7401";
  info.wall = absl::FromUnixSeconds(1767225600);
  info.key_check = 0x0102030405060708;
  EXPECT_EQ(Hex(EncodeNodeInfo(info).SerializeAsString()),
            "0a0473686f70100118012080082808308090fbd3093a066e6f64652d31400349"
            "4d00000000000000520d31302e302e302e313a3734303158808081b184e99103"
            "6108070605040302016803");
  EXPECT_EQ(ClusterHash(info), 379820918264673018u);
}

TEST(GoldenTest, Exchanges) {
  const membership::Update dead{
      "node-3", "10.0.0.3:7401", {2, 1, membership::State::kDead}, "node-1"};
  const auto request = [](membership::RequestBody body) {
    v1::ExchangeRequest call =
        EncodeRequest({Sender(), std::move(body)}, NodeInfo());
    call.clear_info();
    return Hex(call.SerializeAsString());
  };
  const auto reply = [](membership::ReplyBody body) {
    v1::ExchangeResponse answer =
        EncodeReply({Sender(), std::move(body)}, NodeInfo());
    answer.clear_info();
    return Hex(answer.SerializeAsString());
  };
  EXPECT_EQ(request(membership::ReliablePing{"node-2", 4}),
            "121b0a066e6f64652d31120d31302e302e302e313a37343031180320051a0a12"
            "066e6f64652d321804");
  EXPECT_EQ(request(membership::SyncRequest{0x1234, {dead}}),
            "121b0a066e6f64652d31120d31302e302e302e313a3734303118032005223009"
            "341200000000000012250a066e6f64652d33120d31302e302e302e333a373430"
            "3118022001280332066e6f64652d31");
  EXPECT_EQ(reply(membership::ReliableAck()),
            "121b0a066e6f64652d31120d31302e302e302e313a37343031180320051a00");
  EXPECT_EQ(reply(membership::SyncReply{0x1234, {dead}}),
            "121b0a066e6f64652d31120d31302e302e302e313a3734303118032005223009"
            "341200000000000012250a066e6f64652d33120d31302e302e302e333a373430"
            "3118022001280332066e6f64652d31");
  EXPECT_EQ(reply(membership::Refusal{membership::RefusalReason::kSuperseded,
                                      "10.0.0.9:1", 8}),
            "121b0a066e6f64652d31120d31302e302e302e313a37343031180320052a1008"
            "03120a31302e302e302e393a311808");
}

TEST(GoldenTest, Deltas) {
  const auto delta = [](const replication::Delta& d) {
    return Hex(testing::Encoded(d).SerializeAsString());
  };
  EXPECT_EQ(delta(testing::CreateSample()),
            "080111da0a00002d22ad03225c09cccc00000000000010071a4f08011011200a"
            "4080d98004522512030069641a1e303132333435363738396162636465663031"
            "32333435363738396162636452101204636172741a0833206170706c657358c0"
            "b484e2b73360c0ee6d");
  EXPECT_EQ(delta(testing::UpdateSample()),
            "080111da0a00002d22ad03224a09cccc00000000000010071a3d1011200c2808"
            "30044080d98004522e12086361727473697a651a207676767676767676767676"
            "7676767676767676767676767676767676767676762004");
  EXPECT_EQ(delta(testing::RotateSample()),
            "0801110b0b00a0e82fad0311da0a00002d22ad03225a09cccc00000000000010"
            "071a4d080210112003281b28013023300140809f494802522912030069641a1e"
            "616263646566303132333435363738396162636465663031323334353637201b"
            "2001520c0801120463617274201f2001");
  EXPECT_EQ(delta(testing::KillSample()),
            "0801110b0b00a0e82fad0311da0a00002d22ad03222109cccc00000000000010"
            "071a14080310112005281328012821280040809f496802");
}

TEST(GoldenTest, LaneMessages) {
  EXPECT_EQ(
      Hex(Lane(0)),
      "080111da0a00002d22ad031a3009aaaa00000000000011bbbb00000000000019"
      "cccc00000000000020062a1112066e6f64652d3119aaaa000000000000");  // Hello
  EXPECT_EQ(
      Hex(Lane(2)),
      "080111da0a00002d22ad03110b0b00a0e82fad032a2509aaaa00000000000011"
      "cccc000000000000180722060a011112012e2a070a010912020b01");  // FrameAck
  EXPECT_EQ(Hex(Lane(3)),
            "080111da0a00002d22ad03110b0b00a0e82fad033233080510111a100a020001"
            "120201021a06010c010204022212092222000000000000113333000000000000"
            "294444000000000000");              // Pull
  EXPECT_EQ(Hex(Lane(4)), "08013a0408051001");  // PullMore
  EXPECT_EQ(Hex(Lane(5)),
            "080111da0a00002d22ad03110b0b00a0e82fad0342ca02080510111803200129"
            "111100000000000032066e6f64652d3132066e6f64652d323a100a0326190112"
            "0980f9d5f1ee669f9c014a830210011a100a020001120201021a06010c010204"
            "0222120922220000000000001133330000000000002a3d1011200c2808300440"
            "80d98004522e12086361727473697a651a207676767676767676767676767676"
            "7676767676767676767676767676767676762004328601082610c0fceab8b733"
            "227b08060825080110c0b484e2b73318c0ee6d2201002a08e79076e03c5f963a"
            "322f0a03006964101d100118809f4920022a1e61626364656630313233343536"
            "373839616263646566303132333435363732170a046361727410021880d98004"
            "2a0833206170706c6573321110061880d980042a0834206170706c6573321108"
            "0f080110b0aeeab8b7331a042300250152040090bf0558016177770000000000"
            "00");                      // PullReply
  EXPECT_EQ(Hex(Lane(6)), "08014a00");  // DigestRequest
  EXPECT_EQ(Hex(Lane(7)),
            "0801524208011a0209112210010000000000000003000000000000002a100200"
            "000000000000040000000000000038014202050249aaaa00000000000051bbbb"
            "000000000000");                    // Digest
  EXPECT_EQ(Hex(Lane(8)), "08015a040a020911");  // Resync
  EXPECT_EQ(
      Hex(Lane(9)),
      "080111da0a00002d22ad0362100a0111120b0a0126120680f9d5f1ee66");  // Touches
  EXPECT_EQ(Hex(Lane(10)),
            "08016a150a13636c6f636b20746f6f20666172206168656164");  // Refuse
  EXPECT_EQ(
      Hex(Lane(11)),
      "080111da0a00002d22ad03110b0b00a0e82fad03722608111155550000000000"
      "001a100a020001120201021a06010c01020402216666000000000000");  // DropAsk
  EXPECT_EQ(Hex(Lane(12)), "08017a0b0811115555000000000000");  // DropConsent
}

}  // namespace
}  // namespace sessionmesh::wire
