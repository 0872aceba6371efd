#ifndef PROTO_WIRE_DELTA_H_
#define PROTO_WIRE_DELTA_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/delta.h"

namespace sessionmesh::wire {

using DeltaProtos = google::protobuf::RepeatedPtrField<v1::Delta>;

void EncodeDeltas(const std::vector<replication::DeltaPtr>& deltas,
                  MessageWriter* writer, DeltaProtos* out);

// Takes names and values out of `protos`. Each delta is legal (wire_rules.h).
absl::StatusOr<std::vector<replication::DeltaPtr>> DecodeDeltas(
    absl::string_view field, DeltaProtos* protos, const MessageReader& reader);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_DELTA_H_
