#include "tests/e2e/stranger.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"

namespace sessionmesh::e2e {
namespace {

sockaddr_in OnLoopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

v1::NodeInfo StrangerInfo(const std::string& peer_address,
                          uint64_t generation) {
  v1::NodeInfo info;
  info.set_cluster_id("sessionmesh");
  info.set_protocol_min(1);
  info.set_protocol_max(1);
  info.set_slot_count(1024);
  info.set_lane_count(8);
  info.set_replicas(3);
  info.set_absolute_lifetime_max_ms(
      static_cast<uint64_t>(absl::ToInt64Milliseconds(absl::Hours(24 * 30))));
  info.set_name("stranger");
  info.set_generation(generation);
  info.set_process(7);
  info.set_peer_address(peer_address);
  info.set_wall_us(absl::ToUnixMicros(absl::Now()));
  // Of the key that is made from the cluster id.
  info.set_key_check(0x13bd369ee01823a4u);
  return info;
}

grpc::Status Introduce(const std::string& peer, const v1::NodeInfo& info) {
  v1::ExchangeRequest request;
  *request.mutable_info() = info;
  request.mutable_sender()->set_name(info.name());
  request.mutable_sender()->set_address(info.peer_address());
  request.mutable_sender()->set_generation(info.generation());
  request.mutable_sender()->set_incarnation(0);
  request.mutable_sync()->set_digest(1);
  grpc::ClientContext context;
  v1::ExchangeResponse response;
  return v1::PeerService::NewStub(
             grpc::CreateChannel(peer, grpc::InsecureChannelCredentials()))
      ->Exchange(&context, request, &response);
}

Datagrams::Datagrams()
    : file_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  PCHECK(file_ >= 0);
  const sockaddr_in any_port = OnLoopback(0);
  PCHECK(bind(file_, reinterpret_cast<const sockaddr*>(&any_port),
              sizeof(any_port)) == 0);
}

Datagrams::~Datagrams() { close(file_); }

std::string Datagrams::address() const {
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  PCHECK(getsockname(file_, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  return absl::StrCat("127.0.0.1:", ntohs(bound.sin_port));
}

std::vector<Datagrams::Received> Datagrams::Take() {
  std::vector<Received> received;
  for (;;) {
    std::string bytes(65'536, '\0');
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    const ssize_t got = recvfrom(file_, bytes.data(), bytes.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return received;
    bytes.resize(static_cast<size_t>(got));
    received.push_back(
        {absl::StrCat("127.0.0.1:", ntohs(from.sin_port)), std::move(bytes)});
  }
}

void Datagrams::Send(const std::string& to, const std::string& bytes) {
  int port = 0;
  CHECK(absl::SimpleAtoi(to.substr(to.rfind(':') + 1), &port)) << to;
  const sockaddr_in address = OnLoopback(static_cast<uint16_t>(port));
  sendto(file_, bytes.data(), bytes.size(), 0,
         reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace sessionmesh::e2e
