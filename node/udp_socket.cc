#include "node/udp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::node {
namespace {

// Room for the bursts of a whole cluster while the owner thread is held up.
constexpr int kReceiveBufferBytes = 1 << 20;

absl::Status BindError(absl::string_view doing, const SocketAddress& address) {
  return absl::UnavailableError(absl::StrCat(
      "cannot ", doing, " UDP ", address.ToString(), ": ", strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<UdpSocket>> UdpSocket::Bind(
    const SocketAddress& address) {
  const int file =
      socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return BindError("make a socket for", address);
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (bind(file, address.get(), address.size) != 0 ||
      getsockname(file, bound.get(), &bound.size) != 0) {
    const absl::Status status = BindError("listen on", address);
    close(file);
    return status;
  }
  // A smaller buffer than asked for only loses more of a burst.
  setsockopt(file, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes,
             sizeof(kReceiveBufferBytes));
  return absl::WrapUnique(new UdpSocket(file, bound));
}

UdpSocket::UdpSocket(int file, const SocketAddress& address)
    : file_(file), address_(address) {}

UdpSocket::~UdpSocket() { close(file_); }

void UdpSocket::Send(const SocketAddress& to,
                     absl::string_view datagram) const {
  if (to.family() != address_.family()) return;
  sendto(file_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
         to.get(), to.size);
}

bool UdpSocket::Receive(std::string* datagram, SocketAddress* from) const {
  char buffer[kReceiveBytesMax];
  for (;;) {
    from->size = sizeof(from->storage);
    const ssize_t got = recvfrom(file_, buffer, sizeof(buffer), MSG_DONTWAIT,
                                 from->get(), &from->size);
    if (got >= 0) {
      datagram->assign(buffer, static_cast<size_t>(got));
      return true;
    }
    // A refused earlier send shows up here; it says nothing about what came in.
    if (errno != EINTR && errno != ECONNREFUSED) return false;
  }
}

}  // namespace sessionmesh::node
