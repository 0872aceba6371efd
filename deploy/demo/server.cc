#include "deploy/demo/server.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "deploy/demo/endpoints.h"
#include "deploy/demo/shop.h"
#include "deploy/demo/visit.h"

namespace sessionmesh::demo {
namespace {

constexpr int kBacklog = 512;
constexpr std::size_t kBodySizeMax = 64 << 10;
// Longer than a load balancer keeps idle connections (HAProxy: 5 s): who closes
// first must be the one that knows whether a request is about to be sent.
constexpr int kKeepAliveSeconds = 60;
constexpr std::size_t kRequestsPerConnectionMax = 1u << 30;

}  // namespace

class Server::Http : public httplib::Server {
 public:
  // The library listens with a backlog of 5, which a burst of connections
  // overflows: each that is dropped waits a second for the next SYN. A second
  // listen() on the same socket only changes the backlog.
  bool WidenBacklog() { return ::listen(svr_sock_, kBacklog) == 0; }
};

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(
    const ServerOptions& options) {
  auto client = client::Client::Open({.addresses = {options.node_address}});
  if (!client.ok()) return client.status();
  auto cookies = client::SessionCookies::Make({.name = options.cookie});
  if (!cookies.ok()) return cookies.status();
  std::unique_ptr<Server> server(
      new Server(*std::move(client), *std::move(cookies), options));
  const absl::Status bound = server->Bind(options);
  if (!bound.ok()) return bound;
  return server;
}

Server::Server(std::unique_ptr<client::Client> client,
               client::SessionCookies cookies, const ServerOptions& options)
    : client_(std::move(client)),
      cookies_(std::move(cookies)),
      health_(options.node_address),
      http_(std::make_shared<Http>()) {
  const Store store{client_.get(), &cookies_};
  AddEndpoints(store, &health_, http_.get());
  AddShop(store, options.name, http_.get());
}

absl::Status Server::Bind(const ServerOptions& options) {
  http_->set_tcp_nodelay(true);
  http_->set_keep_alive_timeout(kKeepAliveSeconds);
  http_->set_keep_alive_max_count(kRequestsPerConnectionMax);
  http_->set_payload_max_length(kBodySizeMax);
  http_->set_default_headers({{"X-Server", options.name}});
  http_->new_task_queue = [threads = options.threads] {
    return new httplib::ThreadPool(static_cast<std::size_t>(threads));
  };
  errno = 0;
  port_ = options.port;
  const bool bound = options.port != 0
                         ? http_->bind_to_port(options.host, options.port)
                         : (port_ = http_->bind_to_any_port(options.host)) > 0;
  if (!bound || !http_->WidenBacklog()) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.host, ":", options.port, ": ",
                     errno != 0 ? std::strerror(errno) : "address refused",
                     "; choose another --port, or 0 for a free one"));
  }
  return absl::OkStatus();
}

void Server::Serve() { http_->listen_after_bind(); }

void Server::Stop() { http_->stop(); }

}  // namespace sessionmesh::demo
