#ifndef NODE_PROTO_TIME_H_
#define NODE_PROTO_TIME_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace sessionmesh::node {

// Between Abseil's times and those of Protobuf.

// What Protobuf cannot express (before year 1, after 9999) is moved to its
// limits.
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

// INVALID_ARGUMENT for seconds or nanoseconds out of the range that Protobuf
// defines, or of different signs.
absl::StatusOr<absl::Duration> FromProto(
    const google::protobuf::Duration& duration);

}  // namespace sessionmesh::node

#endif  // NODE_PROTO_TIME_H_
