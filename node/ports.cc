#include "node/ports.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "node/seed_resolver.h"

namespace sessionmesh::node {
namespace {

// Addresses of this machine that are up and not loopback nor link-local.
std::vector<std::string> OwnAddresses(const SocketAddress& listening) {
  std::vector<std::string> result;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return result;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    if (one->ifa_addr->sa_family != listening.family()) continue;
    SocketAddress address;
    address.size = listening.size;
    std::memcpy(&address.storage, one->ifa_addr, address.size);
    if (address.is_loopback()) continue;
    if (address.family() == AF_INET6 &&
        IN6_IS_ADDR_LINKLOCAL(
            &reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr)) {
      continue;
    }
    address.set_port(listening.port());
    result.push_back(address.ToString());
  }
  freeifaddrs(all);
  return result;
}

}  // namespace

absl::Status CheckTcpPort(const SocketAddress& address,
                          const std::string& flag) {
  const int file = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a TCP socket: ", strerror(errno)));
  }
  const int on = 1;
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Listening, too: with SO_REUSEADDR, binding alone does not see a listener
  // on some kernels.
  absl::Status status;
  if (bind(file, address.get(), address.size) != 0 || listen(file, 1) != 0) {
    status = absl::UnavailableError(absl::StrCat(
        "cannot listen on TCP ", address.ToString(), ": ", strerror(errno),
        "; choose another address by ", flag, ", or stop what uses it"));
  }
  close(file);
  return status;
}

absl::Status ClearSocketFile(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path,
                     " exists and is not a socket; choose another "
                     "--client-socket"));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered =
      file >= 0 && connect(file, reinterpret_cast<const sockaddr*>(&address),
                           sizeof(address)) == 0;
  if (file >= 0) close(file);
  if (answered) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process listens on ", path,
                     "; stop it or choose another --client-socket"));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

absl::StatusOr<std::string> AdvertisedAddress(const SocketAddress& listening,
                                              const std::string& advertised) {
  if (!advertised.empty()) {
    absl::StatusOr<HostPort> parts = ParseHostPort(advertised);
    if (!parts.ok()) return parts.status();
    if (parts->port == 0) parts->port = listening.port();
    const ResolvedSeeds resolved = ResolveSeeds({parts->ToString()});
    for (const std::string& address : resolved.addresses) {
      // Gossip leaves through the listening socket, so the family must fit.
      const auto numeric = ParseSocketAddress(address);
      if (numeric.ok() && numeric->family() == listening.family()) {
        return address;
      }
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "--advertise-address ", advertised,
        " has no address of the kind that --peer-address listens on",
        resolved.failures.empty()
            ? ""
            : absl::StrCat(" (", resolved.failures.front().why, ")")));
  }
  if (!listening.is_wildcard()) return listening.ToString();
  const std::vector<std::string> own = OwnAddresses(listening);
  if (own.size() == 1) return own.front();
  return absl::FailedPreconditionError(absl::StrCat(
      "--peer-address ", listening.ToString(),
      " listens everywhere, and this machine has ", own.size(), " addresses",
      own.empty() ? "" : absl::StrCat(" (", absl::StrJoin(own, ", "), ")"),
      "; say by --advertise-address which one other nodes should use"));
}

absl::Status CheckReachable(const std::string& advertised,
                            absl::string_view caller) {
  const absl::StatusOr<SocketAddress> address = ParseSocketAddress(advertised);
  if (!address.ok() || !address->is_loopback()) return absl::OkStatus();
  // gRPC writes an address as a URI, so brackets may come as %5B and %5D.
  std::string plain =
      absl::StrReplaceAll(caller, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  // The zone of a link-local address is not part of what is parsed here.
  const size_t zone = plain.find('%');
  if (zone != plain.npos) plain.erase(zone, plain.find(']') - zone);
  absl::string_view from = plain;
  if (!absl::ConsumePrefix(&from, "ipv4:") &&
      !absl::ConsumePrefix(&from, "ipv6:")) {
    return absl::OkStatus();
  }
  const absl::StatusOr<SocketAddress> other = ParseSocketAddress(from);
  if (!other.ok() || other->is_loopback()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the node advertises ", advertised, " but calls from ", from,
                   ": others cannot reach it; start it with a --peer-address "
                   "or an --advertise-address of its network"));
}

}  // namespace sessionmesh::node
