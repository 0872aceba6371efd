#ifndef CLIENT_ERROR_H_
#define CLIENT_ERROR_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"
#include "proto/session.pb.h"

namespace sessionmesh::client {

// Errors of a node as absl::Status. The code and the message are those of the
// node; the machine-readable ErrorInfo (proto/session.proto) travels as a
// payload:
//
//   auto got = client->Get(id, tokens);
//   if (!got.ok()) {
//     auto info = ErrorDetail(got.status());
//     if (info && info->reason() == v1::REASON_STALE) { ... }
//   }
//
// All functions are pure and thread-safe.

// Type URL of the payload.
inline constexpr absl::string_view kErrorInfoUrl =
    "type.googleapis.com/sessionmesh.v1.ErrorInfo";

// Reads grpc-status-details-bin. Details that cannot be parsed, or are of
// another type, are left out: the code and the message are always there.
absl::Status FromGrpc(const grpc::Status& status);

// The error inside a Pipeline reply.
absl::Status FromError(const v1::Error& error);

// What the node said about the error; nullopt when it came from the transport
// or from this library.
std::optional<v1::ErrorInfo> ErrorDetail(const absl::Status& status);

// UNSPECIFIED when there is no ErrorInfo.
v1::Reason ErrorReason(const absl::Status& status);

// A write failed and yet is, or may be, applied: the node says so
// (ErrorInfo.applied), or no node said anything after the request was sent.
// Read before you repeat such a write with a new request id.
bool MayBeApplied(const absl::Status& status);

// Marks a status for MayBeApplied. For this library's own use.
absl::Status WithMayBeApplied(absl::Status status);

}  // namespace sessionmesh::client

#endif  // CLIENT_ERROR_H_
