#ifndef PROTO_WIRE_DELTA_H_
#define PROTO_WIRE_DELTA_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/delta.h"

namespace sessionmesh::wire {

using DeltaProtos = google::protobuf::RepeatedPtrField<v1::Delta>;

void EncodeDeltas(const std::vector<replication::DeltaPtr>& deltas,
                  MessageWriter* writer, DeltaProtos* out);

// Takes names and values out of `protos`. Each delta is legal:
//
//   all     the slot is of the lane; counters from 1 to kCounterMax; births,
//   deps and inner heads ascend; what it
//           refers to of its own actor was minted before it
//   CREATE  one birth, its own first dot; op 0 is PUT "\0id"; deadline and idle
//   timeout are positive UPDATE  at least one birth, dep and op; no op on
//   "\0id" ROTATE  as UPDATE, but op 0, and no other, is PUT "\0id" and
//   supersedes at least one; no inner heads KILL    at least one birth, a
//   reason other than the deadline, nothing else
//
// Of the reserved attribute names only the known ones occur. A session id has
// kIdBytesMin to kIdBytesMax bytes.
absl::StatusOr<std::vector<replication::DeltaPtr>> DecodeDeltas(
    absl::string_view field, DeltaProtos* protos, const MessageReader& reader);

// The name of an attribute: 1 to kAttributeNameBytesMax bytes, and reserved
// only if known.
absl::Status CheckAttributeName(absl::string_view name);
// A value of the attribute of that name.
absl::Status CheckAttributeValue(absl::string_view name,
                                 absl::string_view value);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_DELTA_H_
