#include "node/socket_address.h"

#include <arpa/inet.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::node {
namespace {

const sockaddr_in& V4(const SocketAddress& address) {
  return *reinterpret_cast<const sockaddr_in*>(&address.storage);
}
const sockaddr_in6& V6(const SocketAddress& address) {
  return *reinterpret_cast<const sockaddr_in6*>(&address.storage);
}

absl::Status Malformed(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not host:port: ", why));
}

}  // namespace

std::string HostPort::ToString() const {
  if (absl::StrContains(host, ':')) {
    return absl::StrCat("[", host, "]:", port);
  }
  return absl::StrCat(host, ":", port);
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  absl::string_view host;
  absl::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return Malformed(text, "] is missing");
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (port.empty() || port.front() != ':') {
      return Malformed(text, "the port is missing");
    }
    port.remove_prefix(1);
  } else {
    const size_t colon = text.rfind(':');
    if (colon == absl::string_view::npos) {
      return Malformed(text, "the port is missing");
    }
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (absl::StrContains(host, ':')) {
      return Malformed(text, "put an IPv6 address into brackets, [::1]:7400");
    }
  }
  if (host.empty()) return Malformed(text, "the host is missing");
  uint32_t number = 0;
  if (!absl::SimpleAtoi(port, &number) || number > 65535) {
    return Malformed(text, "the port must be a number from 0 to 65535");
  }
  return HostPort{std::string(host), static_cast<uint16_t>(number)};
}

uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? V6(*this).sin6_port : V4(*this).sin_port);
}

void SocketAddress::set_port(uint16_t port) {
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  }
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET6) {
    const in6_addr& v6 = V6(*this).sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&v6) ||
           (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  return (ntohl(V4(*this).sin_addr.s_addr) >> 24) == 127;
}

bool SocketAddress::is_wildcard() const {
  if (family() == AF_INET6) {
    return IN6_IS_ADDR_UNSPECIFIED(&V6(*this).sin6_addr);
  }
  return V4(*this).sin_addr.s_addr == INADDR_ANY;
}

std::string SocketAddress::ToString() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &V6(*this).sin6_addr, host, sizeof(host));
  } else {
    inet_ntop(AF_INET, &V4(*this).sin_addr, host, sizeof(host));
  }
  return HostPort{host, port()}.ToString();
}

absl::StatusOr<SocketAddress> ParseSocketAddress(absl::string_view text) {
  absl::StatusOr<HostPort> parts = ParseHostPort(text);
  if (!parts.ok()) return parts.status();
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, parts->host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    address.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, parts->host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    address.size = sizeof(sockaddr_in6);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a numeric address with a port"));
  }
  address.set_port(parts->port);
  return address;
}

}  // namespace sessionmesh::node
