// sessionmesh_demo: a small web shop whose sessions live in the node beside it.

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "deploy/demo/server.h"

namespace {

void AddFlags(CLI::App* app, sessionmesh::demo::ServerOptions* options) {
  app->add_option("--port", options->port,
                  "HTTP port on 127.0.0.1; 0: a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app->add_option("--node-address", options->node_address,
                  "Client address of the sessiond beside this server")
      ->capture_default_str();
  app->add_option("--name", options->name,
                  "Name of this server, shown on the page")
      ->capture_default_str();
  app->add_option(
         "--cookie", options->cookie,
         "Name of the session cookie; tokens are kept beside it in <name>_t...")
      ->capture_default_str();
  app->add_option("--threads", options->threads,
                  "Connections served at the same time")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
}

int RunServer(const sessionmesh::demo::ServerOptions& options) {
  // Blocked in all threads, so that sigwait below gets them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  auto server = sessionmesh::demo::Server::Listen(options);
  if (!server.ok()) {
    std::cerr << "sessionmesh_demo: " << server.status().message() << "\n";
    return absl::IsInvalidArgument(server.status()) ? 2 : 1;
  }
  std::thread serving([&server] { (*server)->Serve(); });
  std::cout << "ready http=" << options.host << ":" << (*server)->port()
            << std::endl;
  int signal = 0;
  sigwait(&stop_signals, &signal);
  (*server)->Stop();
  serving.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "A demo shop: log in, fill a cart, log out. Its sessions live in the "
      "sessiond beside it.\n"
      "Prints `ready http=HOST:PORT` when it serves; SIGTERM stops it.",
      "sessionmesh_demo"};
  app.footer(
      "Example: sessionmesh_demo --port 8080 --node-address localhost:7400 "
      "--name app1");
  sessionmesh::demo::ServerOptions options;
  AddFlags(&app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return RunServer(options);
}
