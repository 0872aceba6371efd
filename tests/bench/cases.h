#ifndef TESTS_BENCH_CASES_H_
#define TESTS_BENCH_CASES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "tests/bench/report.h"

namespace sessionmesh::bench {

// Where a case runs: channels to two ready nodes of one cluster, and how long
// it may take.
struct Ground {
  std::shared_ptr<grpc::Channel> first;      // through its Unix socket
  std::shared_ptr<grpc::Channel> first_tcp;  // through its port, on loopback
  std::shared_ptr<grpc::Channel> second;
  // Bytes sent and received on all TCP connections between the peer ports of
  // the two nodes, headers of HTTP/2 included, as the kernel counts them.
  std::function<absl::StatusOr<uint64_t>()> peer_bytes;
  // A quarter of the calls, and fewer sessions: says that the machinery works.
  bool smoke = false;
};

// Each measures one case and appends its rows; an error says what did not
// work.
// Calls that do nothing (a health check) one after the other: what gRPC and the
// machine take of every other figure. A machine whose cores fall asleep between
// two calls takes twice as much as one that is busy.
absl::Status MeasureEmptyCalls(const Ground& ground, std::vector<Row>* rows);
// Reads through `node`: one after the other, as the thread of a request handler
// makes them (client::Client blocks, too) ...
absl::Status MeasureGet(const Ground& ground,
                        const std::shared_ptr<grpc::Channel>& node,
                        absl::string_view name, std::vector<Row>* rows);
// ... and many at a time, kept going by callbacks.
absl::Status MeasureGets(const Ground& ground,
                         const std::shared_ptr<grpc::Channel>& node,
                         absl::string_view name, size_t in_flight,
                         std::vector<Row>* rows);
// Writes with durability ONE, one after the other.
absl::Status MeasureSets(const Ground& ground, std::vector<Row>* rows);
absl::Status MeasurePipeline(const Ground& ground, std::vector<Row>* rows);
// How long after a write begins on one node its change is seen on the other.
absl::Status MeasureVisibility(const Ground& ground, std::vector<Row>* rows);
// Bytes between two nodes for one 32-byte attribute of a 4 KiB session, at
// 1,000 changes a second, acknowledgements included.
absl::Status MeasureWire(const Ground& ground, std::vector<Row>* rows);
// Resident bytes of a node for each session of 8 attributes of 64 bytes.
absl::Status MeasureMemory(const Ground& ground, std::vector<Row>* rows);

}  // namespace sessionmesh::bench

#endif  // TESTS_BENCH_CASES_H_
