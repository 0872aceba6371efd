#ifndef PROTO_WIRE_SNAPSHOT_H_
#define PROTO_WIRE_SNAPSHOT_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/snapshot.h"

namespace sessionmesh::wire {

using LifeProtos = google::protobuf::RepeatedPtrField<v1::SnapshotLife>;

// The lives of one part of a state transfer. Of a life that travels whole the
// live dots are not sent: they follow from it.
void EncodeLives(const std::vector<replication::SnapshotLife>& lives,
                 MessageWriter* writer, LifeProtos* out);

// Lives ascend by birth. Each has its birth among its live dots, which ascend.
// A whole one holds at least one id and at least one head, entries that ascend
// by name and dot, no dot in two entries, at most kEndedIdsMax ended ids, and a
// positive deadline and idle timeout.
absl::StatusOr<std::vector<replication::SnapshotLife>> DecodeLives(
    const LifeProtos& protos, const MessageReader& reader);

// Times of last access, at most kLastAccessesMax.
void EncodeLastAccesses(const std::vector<replication::LastAccess>& accesses,
                        MessageWriter* writer, v1::LastAccesses* out);
absl::StatusOr<std::vector<replication::LastAccess>> DecodeLastAccesses(
    const v1::LastAccesses& proto, const MessageReader& reader);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_SNAPSHOT_H_
