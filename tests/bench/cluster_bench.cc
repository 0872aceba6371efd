// Measures two running nodes of one cluster; tests/bench/run starts them.

#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "client/channel.h"
#include "glog/logging.h"
#include "tests/bench/cases.h"
#include "tests/bench/peer_traffic.h"

namespace sessionmesh::bench {
namespace {

struct Case {
  std::string name;
  std::function<absl::Status(const Ground&, std::vector<Row>*)> measure;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case>* const cases = new std::vector<Case>{
      // First: what the others leave behind would be counted.
      {"memory_8x64", MeasureMemory},
      {"empty_call_1", MeasureEmptyCalls},
      {"get_local_1",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGet(g, g.first, "get_local_1", r);
       }},
      {"get_local_64",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGets(g, g.first, "get_local_64", 64, r);
       }},
      {"get_tcp_1",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGet(g, g.first_tcp, "get_tcp_1", r);
       }},
      {"get_tcp_64",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGets(g, g.first_tcp, "get_tcp_64", 64, r);
       }},
      {"set_one_1", MeasureSets},
      {"pipeline", MeasurePipeline},
      {"visibility", MeasureVisibility},
      {"wire", MeasureWire},
  };
  return *cases;
}

// Where the nodes are.
struct Addresses {
  std::string first;
  std::string first_tcp;
  std::string second;
  std::set<int> peer_ports;
};

absl::StatusOr<std::vector<Row>> Measure(const Case& what,
                                         const Addresses& addresses,
                                         bool smoke) {
  Ground ground;
  ground.first = client::MakeChannel(addresses.first, nullptr);
  ground.first_tcp = client::MakeChannel(addresses.first_tcp, nullptr);
  ground.second = client::MakeChannel(addresses.second, nullptr);
  ground.smoke = smoke;
  ground.peer_bytes = [&addresses] { return PeerBytes(addresses.peer_ports); };
  std::vector<Row> rows;
  if (absl::Status s = what.measure(ground, &rows); !s.ok()) return s;
  return rows;
}

// Measures in a process of its own: once a process has made calls with
// callbacks it has threads that poll for them, and a call that blocks then
// takes a fifth longer. REQUIRES: this process has not used gRPC.
absl::StatusOr<std::vector<Row>> MeasureInChild(const Case& what,
                                                const Addresses& addresses,
                                                bool smoke) {
  int ends[2];
  PCHECK(pipe(ends) == 0);
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    const auto rows = Measure(what, addresses, smoke);
    if (!rows.ok()) std::cerr << what.name << ": " << rows.status() << "\n";
    const std::string text = rows.ok() ? Json(*rows) : "";
    // Less than a pipe holds, so that it is written at once.
    const bool told = write(ends[1], text.data(), text.size()) ==
                      static_cast<ssize_t>(text.size());
    _exit(rows.ok() && told ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  PCHECK(waitpid(child, &status, 0) == child);
  if (status != 0) return absl::InternalError("it was not measured");
  return ParseJson(text);
}

int Main(int argc, char** argv) {
  CLI::App app{"Measures two running nodes of one cluster"};
  Addresses addresses;
  std::vector<int> peer_ports;
  std::vector<std::string> only;
  bool json = false;
  bool smoke = false;
  app.add_option("--first", addresses.first, "client socket of one node")
      ->required();
  app.add_option("--first-tcp", addresses.first_tcp,
                 "client address of the same node")
      ->required();
  app.add_option("--second", addresses.second, "client address of the other")
      ->required();
  app.add_option("--peer-port", peer_ports, "peer ports of both")->required();
  app.add_option("--case", only, "only these cases");
  app.add_flag("--json", json, "print only a JSON array");
  app.add_flag("--smoke", smoke, "fewer calls");
  CLI11_PARSE(app, argc, argv);

  addresses.peer_ports = {peer_ports.begin(), peer_ports.end()};
  std::vector<Row> rows;
  for (const Case& c : Cases()) {
    if (!only.empty() && std::count(only.begin(), only.end(), c.name) == 0) {
      continue;
    }
    std::cerr << "measuring " << c.name << "\n";
    const auto more = MeasureInChild(c, addresses, smoke);
    if (!more.ok()) {
      std::cerr << c.name << ": " << more.status() << "\n";
      return 1;
    }
    rows.insert(rows.end(), more->begin(), more->end());
  }
  std::cout << (json ? Json(rows) : Table(rows));
  return 0;
}

}  // namespace
}  // namespace sessionmesh::bench

int main(int argc, char** argv) { return sessionmesh::bench::Main(argc, argv); }
