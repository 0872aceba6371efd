#include "deploy/demo/problem.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/error.h"

namespace sessionmesh::demo {
namespace {

// "REASON_STALE" -> "STALE"; the status code where the node gave no reason.
std::string ReasonWord(const absl::Status& status) {
  const v1::Reason reason = client::ErrorReason(status);
  if (reason == v1::REASON_UNSPECIFIED) {
    return absl::StatusCodeToString(status.code());
  }
  return std::string(absl::StripPrefix(v1::Reason_Name(reason), "REASON_"));
}

}  // namespace

Problem DescribeProblem(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return {404, "NONE", "This session has ended."};
    case absl::StatusCode::kDataLoss:
      return {410, "LOST",
              "The last change died with its server before any other had it. "
              "Reload to go on without."};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return {503, ReasonWord(status),
              absl::StrCat("Please try again: ", message), /*retry=*/true};
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return {400, ReasonWord(status), message};
    default:
      return {500, ReasonWord(status), message};
  }
}

}  // namespace sessionmesh::demo
