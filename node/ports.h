#ifndef NODE_PORTS_H_
#define NODE_PORTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "node/socket_address.h"

namespace sessionmesh::node {

// What gRPC does not say about ports.

// Whether a TCP server can be opened at the address now. UNAVAILABLE names the
// address, the reason, and `flag`, by which another one is chosen.
absl::Status CheckTcpPort(const SocketAddress& address,
                          const std::string& flag);

// Removes the socket file of a process that is gone. FAILED_PRECONDITION when
// somebody answers at `path`, or it is no socket.
absl::Status ClearSocketFile(const std::string& path);

// The address that other nodes should use: `advertised` if there is one, with
// its name resolved and port 0 replaced by `listening`'s; else `listening`, and
// for a wildcard the address of this machine, if it has exactly one that
// others can reach. FAILED_PRECONDITION says what to configure.
absl::StatusOr<std::string> AdvertisedAddress(const SocketAddress& listening,
                                              const std::string& advertised);

// Whether others can reach a node at the address that it advertises, as far as
// its call shows: a loopback address is of no use to them when it has called
// from elsewhere. `caller` is how gRPC names the other end of a connection
// ("ipv4:10.0.0.7:40123"); what is not understood passes. FAILED_PRECONDITION
// says what to configure.
absl::Status CheckReachable(const std::string& advertised,
                            absl::string_view caller);

}  // namespace sessionmesh::node

#endif  // NODE_PORTS_H_
