#ifndef NODE_UDP_SOCKET_H_
#define NODE_UDP_SOCKET_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "node/socket_address.h"

namespace sessionmesh::node {

// A bound UDP socket that never blocks. Sending may be done by any thread,
// receiving by one.
class UdpSocket {
 public:
  // UNAVAILABLE, with the address, when it is in use or not of this machine.
  static absl::StatusOr<std::unique_ptr<UdpSocket>> Bind(
      const SocketAddress& address);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  int file() const { return file_; }
  // With the port that the kernel chose, if 0 was asked for.
  const SocketAddress& address() const { return address_; }

  // Best effort: what the kernel does not take is lost like any datagram.
  void Send(const SocketAddress& to, absl::string_view datagram) const;

  // False when there is none. Longer ones than kReceiveBytesMax are cut off.
  bool Receive(std::string* datagram, SocketAddress* from) const;

  static constexpr size_t kReceiveBytesMax = 2048;

 private:
  UdpSocket(int file, const SocketAddress& address);

  const int file_;
  const SocketAddress address_;
};

}  // namespace sessionmesh::node

#endif  // NODE_UDP_SOCKET_H_
