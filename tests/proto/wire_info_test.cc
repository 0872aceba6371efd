#include "proto/wire_info.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/support/status_matchers.h"

namespace sessionmesh::wire {
namespace {

using absl::StatusCode;
using sessionmesh::testing::IsOk;
using sessionmesh::testing::StatusIs;

constexpr absl::Duration kOffsetMax = absl::Milliseconds(500);

NodeInfo Info(absl::string_view name) {
  NodeInfo info;
  info.cluster_id = "shop";
  info.slot_count = 1024;
  info.lane_count = 8;
  info.replicas = 3;
  info.absolute_lifetime_max = absl::Hours(24 * 30);
  info.name = std::string(name);
  info.generation = 3;
  info.process = 77;
  info.peer_address = "10.0.0.1:7401";
  info.wall = absl::FromUnixSeconds(1767225600);
  info.key_check = 4711;
  return info;
}

absl::Status Meet(const std::function<void(NodeInfo*)>& change) {
  NodeInfo theirs = Info("node-2");
  change(&theirs);
  return CheckCompatible(Info("node-1"), theirs, kOffsetMax);
}

TEST(CheckCompatibleTest, EqualConstantsAreCompatible) {
  EXPECT_THAT(Meet([](NodeInfo*) {}), IsOk());
}

TEST(CheckCompatibleTest, OtherClusterIsRefused) {
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->cluster_id = "test"; }),
      StatusIs(StatusCode::kFailedPrecondition,
               "the cluster id is 'test' at node-2 and 'shop' here: give both "
               "nodes the "
               "same cluster id, or keep the clusters' addresses apart"));
}

TEST(CheckCompatibleTest, ProtocolRangesHaveToMeet) {
  EXPECT_THAT(Meet([](NodeInfo* info) { info->protocol_max = 7; }), IsOk());
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->protocol_min = info->protocol_max = 2; }),
      StatusIs(
          StatusCode::kFailedPrecondition,
          "the range of protocol versions is 2 to 2 at node-2 and 1 to 1 here: "
          "upgrade the older node"));
}

TEST(CheckCompatibleTest, ClusterConstantsHaveToBeEqual) {
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->slot_count = 2048; }),
      StatusIs(StatusCode::kFailedPrecondition,
               "the slot count is 2048 at node-2 and 1024 here: it is fixed "
               "for the life "
               "of a cluster; start this node with the cluster's value"));
  EXPECT_THAT(Meet([](NodeInfo* info) { info->lane_count = 4; }),
              StatusIs(StatusCode::kFailedPrecondition,
                       "the lane count is 4 at node-2 and 8 here: start all "
                       "nodes with the same "
                       "value"));
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->replicas = replication::kReplicasAll; }),
      StatusIs(StatusCode::kFailedPrecondition,
               "the number of replicas is all at node-2 and 3 here: start all "
               "nodes with the same value"));
  EXPECT_THAT(Meet([](NodeInfo* info) {
                info->absolute_lifetime_max = absl::Hours(24);
              }),
              StatusIs(StatusCode::kFailedPrecondition,
                       "the greatest absolute lifetime is 24h at node-2 and "
                       "720h here: start all "
                       "nodes with the same value"));
}

TEST(CheckCompatibleTest, AnotherKeyIsRefusedWithoutTellingAnythingOfIt) {
  EXPECT_THAT(Meet([](NodeInfo* info) { info->key_check = 4712; }),
              StatusIs(StatusCode::kFailedPrecondition,
                       "node-2 has another --key-file: start all nodes with "
                       "the same key, or all without one"));
}

TEST(CheckCompatibleTest, ClocksHaveToAgreeInBothDirections) {
  for (absl::Duration offset : {kOffsetMax, -kOffsetMax}) {
    EXPECT_THAT(Meet([offset](NodeInfo* info) { info->wall += offset; }),
                IsOk());
  }
  const char kAdvice[] =
      "2026-01-01T00:00:00+00:00 here: at most 500ms apart are tolerated; "
      "synchronise both clocks (NTP)";
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->wall += absl::Milliseconds(501); }),
      StatusIs(StatusCode::kFailedPrecondition,
               absl::StrCat(
                   "the wall clock is 2026-01-01T00:00:00.501+00:00 at node-2 "
                   "and ",
                   kAdvice)));
  EXPECT_THAT(
      Meet([](NodeInfo* info) { info->wall -= absl::Seconds(2); }),
      StatusIs(StatusCode::kFailedPrecondition,
               absl::StrCat(
                   "the wall clock is 2025-12-31T23:59:58+00:00 at node-2 and ",
                   kAdvice)));
}

TEST(CheckCanTalkTest, AnotherVersionMaySayTheRestInAnotherWay) {
  v1::NodeInfo proto = EncodeNodeInfo(Info("node-2"));
  proto.set_protocol_min(2);
  proto.set_protocol_max(2);
  proto.clear_slot_count();
  const auto refused = [](absl::string_view name) {
    return StatusIs(
        StatusCode::kFailedPrecondition,
        absl::StrCat("the range of protocol versions is 2 to 2 at ", name,
                     " and 1 to 1 here: upgrade the older node"));
  };
  EXPECT_THAT(CheckCanTalk(Info("node-1"), proto), refused("node-2"));
  proto.set_name("\n");
  EXPECT_THAT(CheckCanTalk(Info("node-1"), proto), refused("the other node"));

  proto.set_protocol_min(1);
  EXPECT_THAT(CheckCanTalk(Info("node-1"), proto), IsOk());
  proto.clear_protocol_min();
  EXPECT_THAT(
      CheckCanTalk(Info("node-1"), proto),
      StatusIs(StatusCode::kInvalidArgument, "info.protocol_min is missing"));
}

TEST(ClusterHashTest, DiffersByAllThatMustBeEqualAndByNothingElse) {
  const auto hash = [](const std::function<void(NodeInfo*)>& change) {
    NodeInfo info = Info("node-2");
    change(&info);
    return ClusterHash(info);
  };
  const uint64_t mine = ClusterHash(Info("node-1"));
  EXPECT_NE(hash([](NodeInfo* info) { info->cluster_id = "shop2"; }), mine);
  EXPECT_NE(hash([](NodeInfo* info) { info->slot_count = 64; }), mine);
  EXPECT_NE(hash([](NodeInfo* info) { info->lane_count = 4; }), mine);
  EXPECT_NE(hash([](NodeInfo* info) { info->replicas = 2; }), mine);
  EXPECT_NE(hash([](NodeInfo* info) {
              info->absolute_lifetime_max = absl::Hours(24);
            }),
            mine);
  EXPECT_NE(hash([](NodeInfo* info) { info->key_check = 4712; }), mine);
  EXPECT_EQ(hash([](NodeInfo* info) {
              info->protocol_max = 7;
              info->generation = 4;
              info->process = 78;
              info->peer_address = "10.0.0.2:7401";
              info->wall += absl::Seconds(1);
            }),
            mine);
}

TEST(DecodeNodeInfoTest, EveryFieldIsRequired) {
  const auto* descriptor = v1::NodeInfo::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    v1::NodeInfo proto = EncodeNodeInfo(Info("node-1"));
    proto.GetReflection()->ClearField(&proto, descriptor->field(i));
    EXPECT_THAT(DecodeNodeInfo(proto),
                StatusIs(StatusCode::kInvalidArgument,
                         absl::StrCat("info.", descriptor->field(i)->name(),
                                      " is missing")));
  }
}

TEST(DecodeNodeInfoTest, EveryLimitHasItsError) {
  const struct {
    std::function<void(v1::NodeInfo*)> change;
    const char* error;
  } kCases[] = {
      {[](v1::NodeInfo* p) { p->set_cluster_id(""); },
       "info.cluster_id has 0 bytes; 1 to 128 are allowed"},
      {[](v1::NodeInfo* p) { p->set_cluster_id(std::string(129, 'x')); },
       "info.cluster_id has 129 bytes; 1 to 128 are allowed"},
      {[](v1::NodeInfo* p) { p->set_protocol_min(0); },
       "info.protocol_min is 0; 1 to 1 are allowed"},
      {[](v1::NodeInfo* p) { p->set_protocol_min(2); },
       "info.protocol_min is 2; 1 to 1 are allowed"},
      {[](v1::NodeInfo* p) { p->set_slot_count(131072); },
       "info.slot_count is 131072; 1 to 65536 are allowed"},
      {[](v1::NodeInfo* p) { p->set_slot_count(1000); },
       "info.slot_count is 1000; a power of two is needed"},
      {[](v1::NodeInfo* p) { p->set_lane_count(2048); },
       "info.lane_count is 2048; 1 to 1024 are allowed"},
      {[](v1::NodeInfo* p) { p->set_replicas(0); },
       "info.replicas is 0; 1 to 4294967295 are allowed"},
      {[](v1::NodeInfo* p) { p->set_absolute_lifetime_max_ms(0); },
       "info.absolute_lifetime_max_ms is 0; 1 to 140737488355327 are allowed"},
      {[](v1::NodeInfo* p) { p->set_name("no de"); },
       "info.name has the byte 32 at offset 2; printable ASCII without blanks "
       "is allowed"},
      {[](v1::NodeInfo* p) { p->set_generation(kGenerationMax + 1); },
       "info.generation is 4611686018427387905; 0 to 4611686018427387904 are "
       "allowed"},
      {[](v1::NodeInfo* p) { p->set_process(0); },
       "info.process is 0; 1 to 18446744073709551615 are allowed"},
      {[](v1::NodeInfo* p) { p->set_peer_address("10.0.0.1"); },
       "info.peer_address is '10.0.0.1'; host:port or [v6]:port is needed"},
      {[](v1::NodeInfo* p) { p->set_wall_us(-1); },
       "info.wall_us is 18446744073709551615; 0 to 140737488355327000 are "
       "allowed"},
  };
  for (const auto& test : kCases) {
    v1::NodeInfo proto = EncodeNodeInfo(Info("node-1"));
    test.change(&proto);
    EXPECT_THAT(DecodeNodeInfo(proto),
                StatusIs(StatusCode::kInvalidArgument, test.error));
  }
}

TEST(CheckAddressTest, HostAndPortAreNeeded) {
  for (const char* address :
       {"10.0.0.7:7401", "[fd00::7]:1", "[fe80::1%eth0]:65535",
        "node-1.example.org:80", "node_1:7401"}) {
    EXPECT_THAT(CheckAddress("address", address), IsOk()) << address;
  }
  for (const char* address :
       {":7401", "host", "host:", "host:0", "host:65536", "host:7a", "host:+7",
        "host:123456", "fd00::7:7401", "[fd00::7:7401", "[]:7401",
        "[host]:7401", "a/b:1", "host:7401:7401"}) {
    EXPECT_THAT(CheckAddress("address", address),
                StatusIs(StatusCode::kInvalidArgument,
                         absl::StrCat("address is '", address,
                                      "'; host:port or [v6]:port is needed")));
  }
}

TEST(CheckNodeNameTest, BytesThatDoNotPrintAreRefused) {
  EXPECT_THAT(CheckNodeName("name", std::string(64, 'n')), IsOk());
  EXPECT_THAT(CheckNodeName("name", std::string(65, 'n')),
              StatusIs(StatusCode::kInvalidArgument,
                       "name has 65 bytes; 1 to 64 are allowed"));
  EXPECT_THAT(CheckNodeName("name", ""),
              StatusIs(StatusCode::kInvalidArgument,
                       "name has 0 bytes; 1 to 64 are allowed"));
  EXPECT_THAT(CheckNodeName("name",
                            "n\xc3\xb6"
                            "de"),
              StatusIs(StatusCode::kInvalidArgument,
                       "name has the byte 195 at offset 1; printable ASCII "
                       "without blanks is "
                       "allowed"));
}

TEST(DecodeHoldsTest, EveryLimitHasItsError) {
  v1::HoldsRequest request = EncodeHolds({"0123456789abcdef", {{1, 1}}});
  request.mutable_version(0)->set_counter(kCounterMax + 1);
  EXPECT_THAT(DecodeHolds(request),
              StatusIs(StatusCode::kInvalidArgument,
                       "version[0].counter is 281474976710656; 1 to "
                       "281474976710655 are allowed"));
  request.mutable_version(0)->set_actor(0);
  EXPECT_THAT(
      DecodeHolds(request),
      StatusIs(StatusCode::kInvalidArgument,
               "version[0].actor is 0; 1 to 18446744073709551615 are allowed"));
  for (int i = 0; i < 64; ++i) request.add_version();
  EXPECT_THAT(DecodeHolds(request),
              StatusIs(StatusCode::kInvalidArgument,
                       "version has 65 elements; at most 64 are allowed"));
  request.set_session_id("short");
  EXPECT_THAT(DecodeHolds(request),
              StatusIs(StatusCode::kInvalidArgument,
                       "session_id has 5 bytes; 16 to 256 are allowed"));
}

}  // namespace
}  // namespace sessionmesh::wire
