#include "client/error.h"

#include <string>

#include "absl/strings/cord.h"

namespace sessionmesh::client {
namespace {

constexpr absl::string_view kMayBeAppliedUrl =
    "sessionmesh.client/may_be_applied";

// Codes beyond those of the standard become UNKNOWN, as gRPC itself does with
// them.
absl::StatusCode ToCode(int code) {
  constexpr int kUnauthenticated =
      static_cast<int>(absl::StatusCode::kUnauthenticated);
  return code < 0 || code > kUnauthenticated
             ? absl::StatusCode::kUnknown
             : static_cast<absl::StatusCode>(code);
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  absl::Status result(ToCode(static_cast<int>(status.error_code())),
                      status.error_message());
  v1::StatusDetails details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      v1::ErrorInfo info;
      if (detail.Is<v1::ErrorInfo>() && detail.UnpackTo(&info)) {
        result.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
        break;
      }
    }
  }
  return result;
}

absl::Status FromError(const v1::Error& error) {
  // An error that calls itself OK is still not a reply.
  const absl::StatusCode code =
      error.code() == 0 ? absl::StatusCode::kUnknown : ToCode(error.code());
  absl::Status result(code, error.message());
  if (error.has_info()) {
    result.SetPayload(kErrorInfoUrl,
                      absl::Cord(error.info().SerializeAsString()));
  }
  return result;
}

std::optional<v1::ErrorInfo> ErrorDetail(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoUrl);
  v1::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) {
    return std::nullopt;
  }
  return info;
}

v1::Reason ErrorReason(const absl::Status& status) {
  const std::optional<v1::ErrorInfo> info = ErrorDetail(status);
  return info ? info->reason() : v1::REASON_UNSPECIFIED;
}

bool MayBeApplied(const absl::Status& status) {
  const std::optional<v1::ErrorInfo> info = ErrorDetail(status);
  return (info && info->applied()) ||
         status.GetPayload(kMayBeAppliedUrl).has_value();
}

absl::Status WithMayBeApplied(absl::Status status) {
  status.SetPayload(kMayBeAppliedUrl, absl::Cord("1"));
  return status;
}

}  // namespace sessionmesh::client
