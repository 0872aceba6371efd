// demo_driver: many browsers at once on one site, and a check of everything
// that they were told.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "deploy/demo/driver/open_files.h"
#include "deploy/demo/driver/report.h"
#include "deploy/demo/driver/run.h"
#include "deploy/demo/driver/site.h"

namespace {

struct Flags {
  std::string url = "http://127.0.0.1:8080";
  int sessions = 200;
  double duration_s = 15;
  double think_ms = 250;
  double patience_s = 10;
  std::uint64_t seed = 1;
  std::string cookie = "sid";
  std::string events;
  bool plain = false;
  bool json = false;
};

void AddFlags(CLI::App* app, Flags* flags) {
  app->add_option("url", flags->url, "Site or load balancer, http://host:port")
      ->capture_default_str();
  app->add_option("--sessions", flags->sessions,
                  "Browsers at the same time, each with a cookie jar")
      ->check(CLI::Range(1, 2000))
      ->capture_default_str();
  app->add_option("--duration", flags->duration_s,
                  "Seconds of shopping; the last look comes after it")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app->add_option("--think", flags->think_ms,
                  "Mean milliseconds between the requests of a browser")
      ->check(CLI::Range(0.0, 60000.0))
      ->capture_default_str();
  app->add_option("--patience", flags->patience_s,
                  "Seconds for which a failing request is repeated")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app->add_option("--seed", flags->seed,
                  "Seed of what the visitors choose to do")
      ->capture_default_str();
  app->add_option("--cookie", flags->cookie,
                  "Name of the session cookie; other cookies count as tokens")
      ->capture_default_str();
  app->add_option(
      "--events", flags->events,
      "File or pipe for the lines `phase started|half|last-look|done`");
  app->add_flag(
      "--plain", flags->plain,
      "Only /new, /write, /read and /logout: works with any session store");
  app->add_flag("--json", flags->json, "One JSON object instead of the table");
}

// Beside the connections: standard streams, libraries, the events.
constexpr int kOtherFiles = 32;

int RunDriver(const Flags& flags) {
  const auto site = sessionmesh::driver::ParseBaseUrl(flags.url);
  if (!site.ok()) {
    std::cerr << "demo_driver: " << site.status().message() << "\n";
    return 2;
  }
  const auto sessions = static_cast<std::uint64_t>(flags.sessions);
  const absl::Status files = sessionmesh::driver::AllowOpenFiles(
      sessions * sessionmesh::driver::Browser::kConnections + kOtherFiles);
  if (!files.ok()) {
    std::cerr << "demo_driver: --sessions " << flags.sessions << ": "
              << files.message() << "\n";
    return 2;
  }
  std::ofstream events;
  if (!flags.events.empty()) {
    events.open(flags.events, std::ios::app);
    if (!events) {
      std::cerr << "demo_driver: cannot write to " << flags.events
                << " (--events)\n";
      return 2;
    }
  }

  sessionmesh::driver::RunOptions options;
  options.browsers = flags.sessions;
  options.duration = absl::Seconds(flags.duration_s);
  options.shopper.seed = flags.seed;
  options.shopper.think_mean = absl::Milliseconds(flags.think_ms);
  options.shopper.browser.site = *site;
  options.shopper.browser.id_cookie = flags.cookie;
  options.shopper.browser.patience = absl::Seconds(flags.patience_s);
  using Vocabulary = sessionmesh::driver::Site::Vocabulary;
  options.shopper.vocabulary =
      flags.plain ? Vocabulary::kPlain : Vocabulary::kShop;

  const sessionmesh::driver::Report report =
      sessionmesh::driver::Run(options, [&events](absl::string_view phase) {
        events << "phase " << phase << std::endl;
      });
  std::cout << (flags.json ? FormatJson(report) : FormatTable(report))
            << std::flush;
  const std::vector<std::string> broken = Judge(report);
  for (const std::string& line : broken) {
    std::cerr << "demo_driver: " << line << "\n";
  }
  return broken.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Shops at a site with many browsers at once and checks every answer.\n"
      "Exit code: 0 all held; 1 a count that must be zero is not, or a check "
      "tested nothing; 2 usage.",
      "demo_driver"};
  app.footer(
      "Example: demo_driver http://127.0.0.1:8080 --sessions 300 --duration "
      "30");
  Flags flags;
  AddFlags(&app, &flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return RunDriver(flags);
}
