#ifndef CLIENT_CHANNEL_H_
#define CLIENT_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"

namespace sessionmesh::client {

// Where a node listens for clients when nobody says otherwise.
inline constexpr absl::string_view kDefaultAddress = "localhost:7400";

// OK for "host:port" (an IPv6 host in brackets) and for "unix:/absolute/path".
absl::Status CheckAddress(absl::string_view address);

// A channel as this library uses it: quick to reconnect (at most 500 ms between
// tries, a node is near), without gRPC's own retries (retry.h decides, and only
// it knows about request ids). Null credentials: no encryption.
// REQUIRES: CheckAddress(address).ok()
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials);

// Waits until the channel is connected. UNAVAILABLE at once when the node
// refuses the connection, DEADLINE_EXCEEDED when it did not answer in time. In
// both cases nothing has been sent: this is what makes a failure before the
// send certain, which the text of a gRPC error does not. Thread-safe.
absl::Status WaitConnected(grpc::Channel& channel, absl::Time deadline);

// Whether the last attempt to connect failed. Starts connecting when nothing
// was tried yet.
bool KnownBroken(grpc::Channel& channel);

}  // namespace sessionmesh::client

#endif  // CLIENT_CHANNEL_H_
