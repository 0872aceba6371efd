#include "node/grpc_settings.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "node/socket_address.h"
#include "proto/limits.h"

namespace sessionmesh::node {
namespace {

constexpr int kKeepaliveMs = 2000;
constexpr int kReconnectMinMs = 50;
constexpr int kReconnectMaxMs = 1000;
// An attempt to connect that a firewall swallows.
constexpr int kConnectTimeoutMs = 2000;

// Memory that gRPC may take for buffers of all calls of one server. What it
// refuses fails with RESOURCE_EXHAUSTED.
constexpr size_t kServerBufferBytes = size_t{256} << 20;
// The callback API needs a thread only while a callback runs.
constexpr int kServerThreadsMax = 64;
// Calls at a time on one connection. A peer has one stream, a few exchanges and
// questions of operators, and the calls of its clients that it gives to this
// node.
constexpr int kClientStreamsMax = 8192;
constexpr int kPeerStreamsMax = 8192;

// Tells gRPC that the host is numeric, so that no resolver is asked.
std::string Target(const std::string& address) {
  const absl::StatusOr<SocketAddress> numeric = ParseSocketAddress(address);
  if (!numeric.ok()) return absl::StrCat("dns:///", address);
  return absl::StrCat(numeric->family() == AF_INET6 ? "ipv6:" : "ipv4:",
                      address);
}

void ConfigureServer(const char* name, grpc::ServerBuilder* builder) {
  grpc::ResourceQuota quota(name);
  quota.Resize(kServerBufferBytes);
  quota.SetMaxThreads(kServerThreadsMax);
  builder->SetResourceQuota(quota);
  builder->SetMaxReceiveMessageSize(static_cast<int>(wire::kMessageBytesMax));
  // What gRPC does for each call and nobody needs: lanes and exchanges keep
  // their deadlines themselves, replies are not worth compressing, call
  // counters are our own. With the same in client/channel.cc an empty call
  // takes 96 instead of 111 us.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // Two processes must not share a port without noticing.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

std::shared_ptr<grpc::Channel> MakePeerChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMinMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A connection of its own: bulk data of one channel must not hold up
  // another's pings.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(wire::kMessageBytesMax));
  return grpc::CreateCustomChannel(
      Target(address), grpc::InsecureChannelCredentials(), arguments);
}

void ConfigurePeerServer(grpc::ServerBuilder* builder) {
  ConfigureServer("peers", builder);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kPeerStreamsMax);
  // Pings of peers are welcome at the rate that MakePeerChannel sends them.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kKeepaliveMs / 2);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
}

void ConfigureClientServer(grpc::ServerBuilder* builder) {
  ConfigureServer("clients", builder);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              kClientStreamsMax);
  // Clients are applications beside this node; see client/channel.cc.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

}  // namespace sessionmesh::node
