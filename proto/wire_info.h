#ifndef PROTO_WIRE_INFO_H_
#define PROTO_WIRE_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "membership/member.h"
#include "proto/limits.h"
#include "proto/peer.pb.h"
#include "replication/message.h"
#include "replication/placement.h"

namespace sessionmesh::wire {

// Who a node is, and the constants that must be the same on every node of a
// cluster. In every Exchange, both ways, and in the first batch of every
// Replicate stream.
struct NodeInfo {
  std::string cluster_id;
  uint32_t protocol_min = kProtocolMin;
  uint32_t protocol_max = kProtocolMax;
  uint32_t slot_count = 0;
  uint32_t lane_count = 0;
  uint32_t replicas = replication::kReplicasAll;  // at least 1
  absl::Duration absolute_lifetime_max;           // in whole milliseconds
  membership::NodeName name;
  membership::Generation generation = 0;
  replication::ProcessId process = 0;
  membership::Address peer_address;
  absl::Time wall;  // when the message was made, in whole microseconds
  // A keyed hash of the cluster id: shows whether two nodes have the same key,
  // and tells nothing of it.
  uint64_t key_check = 0;

  bool operator==(const NodeInfo&) const = default;
};

v1::NodeInfo EncodeNodeInfo(const NodeInfo& info);
absl::StatusOr<NodeInfo> DecodeNodeInfo(const v1::NodeInfo& proto);

// Whether cluster id and protocol versions fit. Before DecodeNodeInfo: another
// version may say the rest in another way, and a node of it should hear that
// it is too old or too new, not that a field is wrong. FAILED_PRECONDITION as
// below, or INVALID_ARGUMENT when even these are not there.
absl::Status CheckCanTalk(const NodeInfo& mine, const v1::NodeInfo& theirs);

// OK when the two nodes may talk. FAILED_PRECONDITION names the first thing
// that differs, both values, and what to do: cluster id, protocol version, slot
// count, lane count, replicas, absolute lifetime, key file (without values), or
// wall clocks that are more than `clock_offset_max` apart. `mine.wall` is the
// time at which `theirs` arrived, so the time of the transfer counts as an
// offset of the clocks.
absl::Status CheckCompatible(const NodeInfo& mine, const NodeInfo& theirs,
                             absl::Duration clock_offset_max);

// The hash in the frame of every datagram (frame.h), of all that must be equal
// on every node of a cluster. With the cluster id alone, a node that restarts
// with another slot count would be refused by Exchange and yet be taken for
// alive, since its datagrams answer for it.
uint64_t ClusterHash(const NodeInfo& info);

// What a node name, an address and a cluster id must be, also for those who
// configure them: 1 to kNodeNameBytesMax printable ASCII characters without
// blanks; "host:port" or "[v6]:port" with a port from 1 to 65535; 1 to
// kClusterIdBytesMax printable ASCII characters without blanks. `field` begins
// the message.
absl::Status CheckNodeName(absl::string_view field, absl::string_view name);
// As a name, or empty.
absl::Status CheckZone(absl::string_view field, absl::string_view zone);
absl::Status CheckAddress(absl::string_view field, absl::string_view address);
absl::Status CheckClusterId(absl::string_view field,
                            absl::string_view cluster_id);

// A question about one session, for WhereIs: its id, and the version that the
// asking node has.
struct HoldsQuery {
  std::string session_id;
  std::vector<replication::Dot> version;

  bool operator==(const HoldsQuery&) const = default;
};

v1::HoldsRequest EncodeHolds(const HoldsQuery& query);
absl::StatusOr<HoldsQuery> DecodeHolds(const v1::HoldsRequest& request);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_INFO_H_
