#ifndef DEPLOY_DEMO_SERVER_H_
#define DEPLOY_DEMO_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"
#include "client/cookies.h"
#include "deploy/demo/health.h"
#include "httplib.h"

namespace sessionmesh::demo {

struct ServerOptions {
  std::string name = "app";  // shown on the page
  std::string host = "127.0.0.1";
  int port = 0;      // 0: a free one
  int threads = 64;  // each serves one connection at a time
  std::string node_address = "localhost:7400";  // the node beside this server
  std::string cookie = "sid";
};

// The demo's HTTP server: listens, and hands requests to endpoints.h and
// shop.h.
//
// A connection that is kept alive holds its thread, as this HTTP library works;
// `threads` must exceed the number of connections that a load balancer keeps
// open. Handlers block on their node, at most for the client's timeout.
class Server {
 public:
  // Binds the port. INVALID_ARGUMENT for a bad address or cookie name,
  // UNAVAILABLE when the port is taken.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(
      const ServerOptions& options);

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }

  // Serves until Stop().
  void Serve();
  // Lets the requests that are being served finish. Thread-safe.
  void Stop();

 private:
  class Http;
  Server(std::unique_ptr<client::Client> client, client::SessionCookies cookies,
         const ServerOptions& options);
  absl::Status Bind(const ServerOptions& options);

  std::unique_ptr<client::Client> client_;
  const client::SessionCookies cookies_;
  NodeHealth health_;
  std::shared_ptr<Http> http_;
  int port_ = 0;
};

}  // namespace sessionmesh::demo

#endif  // DEPLOY_DEMO_SERVER_H_
