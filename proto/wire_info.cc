#include "proto/wire_info.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "proto/wire_check.h"
#include "replication/live_hash.h"

namespace sessionmesh::wire {
namespace {

absl::Status CheckGraphic(absl::string_view field, absl::string_view text,
                          size_t bytes_max) {
  WIRE_RETURN_IF_ERROR(CheckBytes(field, text.size(), 1, bytes_max));
  for (size_t i = 0; i < text.size(); ++i) {
    if (absl::ascii_isgraph(static_cast<unsigned char>(text[i]))) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        field, " has the byte ", static_cast<uint8_t>(text[i]), " at offset ",
        i, "; printable ASCII without blanks is allowed"));
  }
  return absl::OkStatus();
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '-' || c == '_';
}

bool IsIpv6Character(char c) {
  return IsHostCharacter(c) || c == ':' || c == '%';
}

bool IsHost(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && host.find(':') != host.npos &&
           std::all_of(host.begin(), host.end(), IsIpv6Character);
  }
  return !host.empty() &&
         std::all_of(host.begin(), host.end(), IsHostCharacter);
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return !port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(port, &number) && number >= 1 && number <= 65535;
}

bool IsPowerOfTwo(uint32_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

absl::Status CheckPowerOfTwo(absl::string_view field, uint32_t value,
                             uint32_t max) {
  WIRE_RETURN_IF_ERROR(CheckNumber(field, value, 1, max));
  if (IsPowerOfTwo(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; a power of two is needed"));
}

// What every version says in the same way.
absl::Status CheckHead(const v1::NodeInfo& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("cluster_id", proto.has_cluster_id()));
  WIRE_RETURN_IF_ERROR(CheckPresent("protocol_min", proto.has_protocol_min()));
  WIRE_RETURN_IF_ERROR(CheckPresent("protocol_max", proto.has_protocol_max()));
  WIRE_RETURN_IF_ERROR(CheckClusterId("cluster_id", proto.cluster_id()));
  return CheckNumber("protocol_min", proto.protocol_min(), 1,
                     proto.protocol_max());
}

absl::Status CheckRestPresent(const v1::NodeInfo& proto) {
  WIRE_RETURN_IF_ERROR(CheckPresent("slot_count", proto.has_slot_count()));
  WIRE_RETURN_IF_ERROR(CheckPresent("lane_count", proto.has_lane_count()));
  WIRE_RETURN_IF_ERROR(CheckPresent("replicas", proto.has_replicas()));
  WIRE_RETURN_IF_ERROR(CheckPresent("absolute_lifetime_max_ms",
                                    proto.has_absolute_lifetime_max_ms()));
  WIRE_RETURN_IF_ERROR(CheckPresent("name", proto.has_name()));
  WIRE_RETURN_IF_ERROR(CheckPresent("generation", proto.has_generation()));
  WIRE_RETURN_IF_ERROR(CheckPresent("process", proto.has_process()));
  WIRE_RETURN_IF_ERROR(CheckPresent("peer_address", proto.has_peer_address()));
  WIRE_RETURN_IF_ERROR(CheckPresent("wall_us", proto.has_wall_us()));
  return CheckPresent("key_check", proto.has_key_check());
}

absl::Status CheckAll(const v1::NodeInfo& proto) {
  WIRE_RETURN_IF_ERROR(CheckHead(proto));
  WIRE_RETURN_IF_ERROR(CheckRestPresent(proto));
  WIRE_RETURN_IF_ERROR(
      CheckPowerOfTwo("slot_count", proto.slot_count(), kSlotCountMax));
  WIRE_RETURN_IF_ERROR(
      CheckPowerOfTwo("lane_count", proto.lane_count(), proto.slot_count()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("replicas", proto.replicas(), 1, UINT32_MAX));
  WIRE_RETURN_IF_ERROR(CheckNumber("absolute_lifetime_max_ms",
                                   proto.absolute_lifetime_max_ms(), 1,
                                   kMillisMax));
  WIRE_RETURN_IF_ERROR(CheckNodeName("name", proto.name()));
  WIRE_RETURN_IF_ERROR(
      CheckNumber("generation", proto.generation(), 0, kGenerationMax));
  WIRE_RETURN_IF_ERROR(CheckNumber("process", proto.process(), 1, UINT64_MAX));
  WIRE_RETURN_IF_ERROR(CheckAddress("peer_address", proto.peer_address()));
  // A negative time is a huge one here.
  return CheckNumber("wall_us", static_cast<uint64_t>(proto.wall_us()), 0,
                     kMillisMax * 1000);
}

// "the cluster id is 'b' at node2 and 'a' here: ..."
absl::Status Differ(absl::string_view what, const NodeInfo& theirs,
                    absl::string_view their_value, absl::string_view my_value,
                    absl::string_view advice) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " is ", their_value, " at ", theirs.name, " and ",
                   my_value, " here: ", advice));
}

std::string Replicas(uint32_t replicas) {
  return replicas == replication::kReplicasAll ? "all" : absl::StrCat(replicas);
}

std::string Versions(const NodeInfo& info) {
  return absl::StrCat(info.protocol_min, " to ", info.protocol_max);
}

absl::Status CompareHeads(const NodeInfo& mine, const NodeInfo& theirs) {
  if (theirs.cluster_id != mine.cluster_id) {
    return Differ(
        "the cluster id", theirs, absl::StrCat("'", theirs.cluster_id, "'"),
        absl::StrCat("'", mine.cluster_id, "'"),
        "give both nodes the same cluster id, or keep the clusters' addresses "
        "apart");
  }
  if (theirs.protocol_max < mine.protocol_min ||
      theirs.protocol_min > mine.protocol_max) {
    return Differ("the range of protocol versions", theirs, Versions(theirs),
                  Versions(mine), "upgrade the older node");
  }
  return absl::OkStatus();
}

}  // namespace

v1::NodeInfo EncodeNodeInfo(const NodeInfo& info) {
  v1::NodeInfo proto;
  proto.set_cluster_id(info.cluster_id);
  proto.set_protocol_min(info.protocol_min);
  proto.set_protocol_max(info.protocol_max);
  proto.set_slot_count(info.slot_count);
  proto.set_lane_count(info.lane_count);
  proto.set_replicas(info.replicas);
  proto.set_absolute_lifetime_max_ms(static_cast<uint64_t>(
      absl::ToInt64Milliseconds(info.absolute_lifetime_max)));
  proto.set_name(info.name);
  proto.set_generation(info.generation);
  proto.set_process(info.process);
  proto.set_peer_address(info.peer_address);
  proto.set_wall_us(absl::ToUnixMicros(info.wall));
  proto.set_key_check(info.key_check);
  return proto;
}

absl::StatusOr<NodeInfo> DecodeNodeInfo(const v1::NodeInfo& proto) {
  WIRE_RETURN_IF_ERROR(Within("info", CheckAll(proto)));
  NodeInfo info;
  info.cluster_id = proto.cluster_id();
  info.protocol_min = proto.protocol_min();
  info.protocol_max = proto.protocol_max();
  info.slot_count = proto.slot_count();
  info.lane_count = proto.lane_count();
  info.replicas = proto.replicas();
  info.absolute_lifetime_max = absl::Milliseconds(
      static_cast<int64_t>(proto.absolute_lifetime_max_ms()));
  info.name = proto.name();
  info.generation = proto.generation();
  info.process = proto.process();
  info.peer_address = proto.peer_address();
  info.wall = absl::FromUnixMicros(proto.wall_us());
  info.key_check = proto.key_check();
  return info;
}

absl::Status CheckCanTalk(const NodeInfo& mine, const v1::NodeInfo& theirs) {
  WIRE_RETURN_IF_ERROR(Within("info", CheckHead(theirs)));
  NodeInfo head;
  head.name = CheckNodeName("name", theirs.name()).ok() ? theirs.name()
                                                        : "the other node";
  head.cluster_id = theirs.cluster_id();
  head.protocol_min = theirs.protocol_min();
  head.protocol_max = theirs.protocol_max();
  return CompareHeads(mine, head);
}

absl::Status CheckCompatible(const NodeInfo& mine, const NodeInfo& theirs,
                             absl::Duration clock_offset_max) {
  WIRE_RETURN_IF_ERROR(CompareHeads(mine, theirs));
  if (theirs.slot_count != mine.slot_count) {
    return Differ("the slot count", theirs, absl::StrCat(theirs.slot_count),
                  absl::StrCat(mine.slot_count),
                  "it is fixed for the life of a cluster; start this node with "
                  "the cluster's value");
  }
  if (theirs.lane_count != mine.lane_count) {
    return Differ("the lane count", theirs, absl::StrCat(theirs.lane_count),
                  absl::StrCat(mine.lane_count),
                  "start all nodes with the same value");
  }
  if (theirs.replicas != mine.replicas) {
    return Differ("the number of replicas", theirs, Replicas(theirs.replicas),
                  Replicas(mine.replicas),
                  "start all nodes with the same value");
  }
  if (theirs.absolute_lifetime_max != mine.absolute_lifetime_max) {
    return Differ("the greatest absolute lifetime", theirs,
                  absl::FormatDuration(theirs.absolute_lifetime_max),
                  absl::FormatDuration(mine.absolute_lifetime_max),
                  "start all nodes with the same value");
  }
  if (theirs.key_check != mine.key_check) {
    return absl::FailedPreconditionError(absl::StrCat(
        theirs.name,
        " has another --key-file: start all nodes with the same key, or all "
        "without one"));
  }
  if (absl::AbsDuration(theirs.wall - mine.wall) > clock_offset_max) {
    return Differ(
        "the wall clock", theirs,
        absl::FormatTime(theirs.wall, absl::UTCTimeZone()),
        absl::FormatTime(mine.wall, absl::UTCTimeZone()),
        absl::StrCat("at most ", absl::FormatDuration(clock_offset_max),
                     " apart are tolerated; synchronise both clocks (NTP)"));
  }
  return absl::OkStatus();
}

uint64_t ClusterHash(const NodeInfo& info) {
  // A cluster id has no blanks, so the text is unambiguous.
  return replication::StableHash(
      absl::StrCat(info.cluster_id, " slots ", info.slot_count, " lanes ",
                   info.lane_count, " replicas ", info.replicas, " lifetime ",
                   absl::ToInt64Milliseconds(info.absolute_lifetime_max),
                   " key ", info.key_check));
}

absl::Status CheckNodeName(absl::string_view field, absl::string_view name) {
  return CheckGraphic(field, name, kNodeNameBytesMax);
}

absl::Status CheckZone(absl::string_view field, absl::string_view zone) {
  if (zone.empty()) return absl::OkStatus();
  return CheckGraphic(field, zone, kZoneBytesMax);
}

absl::Status CheckClusterId(absl::string_view field,
                            absl::string_view cluster_id) {
  return CheckGraphic(field, cluster_id, kClusterIdBytesMax);
}

absl::Status CheckAddress(absl::string_view field, absl::string_view address) {
  WIRE_RETURN_IF_ERROR(CheckGraphic(field, address, kAddressBytesMax));
  const size_t colon = address.rfind(':');
  if (colon != address.npos && IsHost(address.substr(0, colon)) &&
      IsPort(address.substr(colon + 1))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      field, " is '", address, "'; host:port or [v6]:port is needed"));
}

v1::HoldsRequest EncodeHolds(const HoldsQuery& query) {
  v1::HoldsRequest request;
  request.set_session_id(query.session_id);
  for (const replication::Dot& dot : query.version) {
    v1::VersionDot* out = request.add_version();
    out->set_actor(dot.actor);
    out->set_counter(dot.counter);
  }
  return request;
}

absl::StatusOr<HoldsQuery> DecodeHolds(const v1::HoldsRequest& request) {
  WIRE_RETURN_IF_ERROR(CheckBytes("session_id", request.session_id().size(),
                                  kIdBytesMin, kIdBytesMax));
  const auto dots = static_cast<size_t>(request.version_size());
  WIRE_RETURN_IF_ERROR(CheckCount("version", dots, kHoldsDotsMax));
  HoldsQuery query;
  query.session_id = request.session_id();
  for (size_t i = 0; i < dots; ++i) {
    const v1::VersionDot& dot = request.version(static_cast<int>(i));
    WIRE_RETURN_IF_ERROR(WithinElement(
        "version", i, CheckNumber("actor", dot.actor(), 1, UINT64_MAX)));
    WIRE_RETURN_IF_ERROR(WithinElement(
        "version", i, CheckNumber("counter", dot.counter(), 1, kCounterMax)));
    query.version.push_back({dot.actor(), dot.counter()});
  }
  return query;
}

}  // namespace sessionmesh::wire
