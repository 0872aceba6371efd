#include "client/channel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace sessionmesh::client {
namespace {

constexpr int kReconnectInitialMs = 100;  // gRPC allows no less
constexpr int kReconnectMaxMs = 500;
constexpr int kResolveAgainMs = 500;  // gRPC's default is 30 s
constexpr absl::Duration kBrokenPatience = absl::Milliseconds(50);

bool IsHostAndPort(absl::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) {
    return false;
  }
  const absl::string_view host = address.substr(0, colon);
  for (const char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        !absl::StrContains("-._:[]%", c)) {
      return false;
    }
  }
  if (absl::StrContains(host, ':') &&
      !(host.front() == '[' && host.back() == ']')) {
    return false;
  }
  int port = 0;
  return absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 1 &&
         port <= 65535;
}

}  // namespace

absl::Status CheckAddress(absl::string_view address) {
  const bool good = absl::StartsWith(address, "unix:")
                        ? absl::StartsWith(address, "unix:/")
                        : IsHostAndPort(address);
  if (good) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("address \"", absl::CEscape(address),
                   "\": use HOST:PORT with a port of 1 to 65535, for example ",
                   kDefaultAddress, " or [::1]:7400, or unix:/absolute/path"));
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    std::shared_ptr<grpc::ChannelCredentials> credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectInitialMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS,
                   kResolveAgainMs);
  // What gRPC does for each call and this library does itself (retries) or
  // nobody needs: nodes never compress, nobody looks at its call counters.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // The node is beside the application: no path whose bandwidth would have to
  // be probed with a ping and a window update for each read.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Not shared with other channels of the process: somebody else's broken
  // connection says nothing here.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A node is a neighbour; a proxy from the environment must not come between.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Nodes bound the size of a session, not this library; requests are bounded
  // by the node.
  arguments.SetMaxReceiveMessageSize(-1);
  if (credentials == nullptr) {
    credentials = grpc::InsecureChannelCredentials();
  }
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

absl::Status WaitConnected(grpc::Channel& channel, absl::Time deadline) {
  for (;;) {
    const grpc_connectivity_state state =
        channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) {
      return absl::OkStatus();
    }
    if (state == GRPC_CHANNEL_SHUTDOWN) {
      return absl::UnavailableError("connection refused or broken");
    }
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      // gRPC moves a connection attempt on only while some thread waits on the
      // channel; without this wait a node that is back stays unnoticed for
      // long.
      const absl::Time patience =
          std::min(deadline, absl::Now() + kBrokenPatience);
      if (channel.WaitForStateChange(state, absl::ToChronoTime(patience))) {
        continue;
      }
      return absl::UnavailableError("connection refused or broken");
    }
    if (!channel.WaitForStateChange(state, absl::ToChronoTime(deadline))) {
      return absl::DeadlineExceededError("no connection in time");
    }
  }
}

bool KnownBroken(grpc::Channel& channel) {
  return channel.GetState(/*try_to_connect=*/true) ==
         GRPC_CHANNEL_TRANSIENT_FAILURE;
}

}  // namespace sessionmesh::client
