#include "client/error.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/client/fake_node.h"

namespace sessionmesh::client {
namespace {

TEST(ErrorTest, OkStaysOk) {
  EXPECT_EQ(FromGrpc(grpc::Status::OK), absl::OkStatus());
}

TEST(ErrorTest, EveryCodeKeepsItsMeaning) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status =
        FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(code), "why"));
    EXPECT_EQ(static_cast<int>(status.code()), code);
    EXPECT_EQ(status.message(), "why");
    EXPECT_EQ(ErrorDetail(status), std::nullopt);
  }
  v1::Error error;
  error.set_code(99);
  EXPECT_EQ(FromError(error).code(), absl::StatusCode::kUnknown);
}

TEST(ErrorTest, DetailsOfANodeAreFound) {
  v1::ErrorInfo info;
  info.set_reason(v1::REASON_STALE);
  info.set_missing_writer("app2");
  info.set_behind(3);
  const absl::Status status = FromGrpc(
      NodeError(grpc::StatusCode::UNAVAILABLE, "the token is ahead", info));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), v1::REASON_STALE);
  EXPECT_EQ(ErrorDetail(status)->missing_writer(), "app2");
  EXPECT_EQ(ErrorDetail(status)->behind(), 3u);
  EXPECT_FALSE(MayBeApplied(status));
}

TEST(ErrorTest, DetailsThatAreNotOursAreLeftOut) {
  EXPECT_EQ(ErrorDetail(FromGrpc(
                grpc::Status(grpc::StatusCode::ABORTED, "m", "\xff\xff\xff"))),
            std::nullopt);
  v1::StatusDetails details;
  details.add_details()->PackFrom(v1::Session());
  details.add_details()->set_type_url(
      "type.googleapis.com/sessionmesh.v1.ErrorInfo");
  details.mutable_details(1)->set_value("\xff");
  const absl::Status status = FromGrpc(grpc::Status(
      grpc::StatusCode::ABORTED, "m", details.SerializeAsString()));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorDetail(status), std::nullopt);
}

TEST(ErrorTest, PipelineErrorIsTheSameAsThatOfACall) {
  v1::Error error;
  error.set_code(grpc::StatusCode::NOT_FOUND);
  error.set_message("gone");
  error.mutable_info()->set_reason(v1::REASON_SESSION_NOT_FOUND);
  EXPECT_EQ(FromError(error), FromGrpc(NodeError(grpc::StatusCode::NOT_FOUND,
                                                 "gone", error.info())));
  error.set_code(0);
  EXPECT_EQ(FromError(error).code(), absl::StatusCode::kUnknown);
}

TEST(ErrorTest, AppliedIsSaidByTheNodeOrMarked) {
  v1::ErrorInfo info;
  info.set_applied(true);
  EXPECT_TRUE(MayBeApplied(
      FromGrpc(NodeError(grpc::StatusCode::UNAVAILABLE, "m", info))));
  EXPECT_FALSE(MayBeApplied(absl::UnavailableError("m")));
  EXPECT_TRUE(MayBeApplied(WithMayBeApplied(absl::UnavailableError("m"))));
}

}  // namespace
}  // namespace sessionmesh::client
