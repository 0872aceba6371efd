#include "node/proto_time.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sessionmesh::node {
namespace {

// google/protobuf/timestamp.proto and duration.proto.
constexpr int64_t kTimestampSecondsMin = -62135596800;
constexpr int64_t kTimestampSecondsMax = 253402300799;
constexpr int64_t kDurationSecondsMax = 315576000000;
constexpr int32_t kNanosMax = 999999999;

}  // namespace

google::protobuf::Timestamp ToProto(absl::Time time) {
  const int64_t seconds = std::clamp(
      absl::ToUnixSeconds(time), kTimestampSecondsMin, kTimestampSecondsMax);
  google::protobuf::Timestamp proto;
  proto.set_seconds(seconds);
  const absl::Duration rest = time - absl::FromUnixSeconds(seconds);
  if (rest >= absl::ZeroDuration() && rest < absl::Seconds(1)) {
    proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  }
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  const absl::Duration most = absl::Seconds(kDurationSecondsMax);
  duration = std::clamp(duration, -most, most);
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

absl::StatusOr<absl::Duration> FromProto(
    const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (seconds > kDurationSecondsMax || seconds < -kDurationSecondsMax ||
      nanos > kNanosMax || nanos < -kNanosMax || (seconds > 0 && nanos < 0) ||
      (seconds < 0 && nanos > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a duration of ", seconds, " s and ", nanos,
                     " ns is malformed: at most ", kDurationSecondsMax,
                     " s, and both parts of one sign"));
  }
  return absl::Seconds(seconds) + absl::Nanoseconds(nanos);
}

}  // namespace sessionmesh::node
