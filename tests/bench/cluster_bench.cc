// Measures two running nodes of one cluster; tests/bench/run starts them.

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
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
      {"get_local_1",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGets(g, g.first, "get_local_1", 1, r);
       }},
      {"get_local_64",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGets(g, g.first, "get_local_64", 64, r);
       }},
      {"get_tcp_1",
       [](const Ground& g, std::vector<Row>* r) {
         return MeasureGets(g, g.first_tcp, "get_tcp_1", 1, r);
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

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

int Main(int argc, char** argv) {
  CLI::App app{"Measures two running nodes of one cluster"};
  std::string first;
  std::string first_tcp;
  std::string second;
  std::vector<int> peer_ports;
  std::vector<std::string> only;
  bool json = false;
  bool smoke = false;
  app.add_option("--first", first, "client socket of one node")->required();
  app.add_option("--first-tcp", first_tcp, "client address of the same node")
      ->required();
  app.add_option("--second", second, "client address of the other")->required();
  app.add_option("--peer-port", peer_ports, "peer ports of both")->required();
  app.add_option("--case", only, "only these cases");
  app.add_flag("--json", json, "print only a JSON array");
  app.add_flag("--smoke", smoke, "fewer calls");
  CLI11_PARSE(app, argc, argv);

  Ground ground;
  ground.first = Connect(first);
  ground.first_tcp = Connect(first_tcp);
  ground.second = Connect(second);
  ground.smoke = smoke;
  ground.peer_bytes =
      [ports = std::set<int>(peer_ports.begin(), peer_ports.end())] {
        return PeerBytes(ports);
      };
  std::vector<Row> rows;
  for (const Case& c : Cases()) {
    if (!only.empty() && std::count(only.begin(), only.end(), c.name) == 0) {
      continue;
    }
    std::cerr << "measuring " << c.name << "\n";
    const absl::Status status = c.measure(ground, &rows);
    if (!status.ok()) {
      std::cerr << c.name << ": " << status << "\n";
      return 1;
    }
  }
  std::cout << (json ? Json(rows) : Table(rows));
  return 0;
}

}  // namespace
}  // namespace sessionmesh::bench

int main(int argc, char** argv) { return sessionmesh::bench::Main(argc, argv); }
