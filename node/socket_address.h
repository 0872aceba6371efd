#ifndef NODE_SOCKET_ADDRESS_H_
#define NODE_SOCKET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::node {

struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;

  // "host:port", or "[host]:port" when the host has colons.
  std::string ToString() const;
};

// Splits "host:port" or "[v6]:port". INVALID_ARGUMENT says what is missing.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// An IPv4 or IPv6 address with a port.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

  int family() const { return storage.ss_family; }
  uint16_t port() const;
  void set_port(uint16_t port);
  // 127.0.0.0/8, also mapped into IPv6, or ::1.
  bool is_loopback() const;
  // 0.0.0.0 or ::
  bool is_wildcard() const;
  // "10.0.0.7:7401", "[fd00::7]:7401".
  std::string ToString() const;
};

// Parses a numeric address; never asks a resolver. INVALID_ARGUMENT otherwise.
absl::StatusOr<SocketAddress> ParseSocketAddress(absl::string_view text);

}  // namespace sessionmesh::node

#endif  // NODE_SOCKET_ADDRESS_H_
