// Tells the stories of scenario.h on a cluster of two nodes that it starts;
// tests/e2e/scenarios builds and calls it.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/scenario.h"

namespace sessionmesh::e2e {
namespace {

int Main(int argc, char** argv) {
  CLI::App app{"What happens when two servers change one session at once"};
  int tries = 500;
  std::vector<std::string> only;
  bool json = false;
  app.add_option("--tries", tries, "of each scenario")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--scenario", only, "only these")
      ->check(CLI::IsMember(ScenarioNames()));
  app.add_flag("--json", json, "print only a JSON array");
  CLI11_PARSE(app, argc, argv);

  Cluster cluster;
  if (!cluster.StartAll({"a", "b"})) {
    std::cerr << "the two nodes did not come up\n"
              << cluster.daemon("a").Log() << cluster.daemon("b").Log();
    return 1;
  }
  const auto a = *client::Client::Open(
      {.addresses = {cluster.daemon("a").Field("client")}});
  const auto b = *client::Client::Open(
      {.addresses = {cluster.daemon("b").Field("client")}});
  std::vector<Tally> tallies;
  int wrong = 0;
  for (const std::string& name : only.empty() ? ScenarioNames() : only) {
    std::cerr << name << ", " << tries << " tries\n";
    const auto tally = RunScenario(name, tries, a.get(), b.get());
    if (!tally.ok()) {
      std::cerr << name << ": " << tally.status() << "\n";
      return 1;
    }
    wrong += tally->lost + tally->diverged + tally->resurrected;
    tallies.push_back(*tally);
  }
  std::cout << (json ? TallyJson(tallies) : TallyTable(tallies));
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sessionmesh::e2e

int main(int argc, char** argv) { return sessionmesh::e2e::Main(argc, argv); }
