#ifndef TESTS_CLIENT_FAKE_NODE_H_
#define TESTS_CLIENT_FAKE_NODE_H_

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/cluster.grpc.pb.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::client {

// The status a node answers with: code, message and ErrorInfo in the details.
grpc::Status NodeError(grpc::StatusCode code, const std::string& message,
                       const v1::ErrorInfo& info);

// A node in this process, on a loopback port of its own: sessions in a map,
// tokens that count changes ("t1", "t2", ...), and failures on demand. Knows
// nothing of replication; what tests need to see it writes down.
class FakeNode {
 public:
  // "127.0.0.1:0" chooses a port. Aborts the test program when it cannot bind.
  explicit FakeNode(const std::string& listen = "127.0.0.1:0");
  ~FakeNode();

  std::string address() const { return address_; }
  // Refuses connections from now on, as a process that has ended.
  void Stop();

  // The next calls of the session service fail in this order, without effect.
  void FailNext(const grpc::Status& status);
  // The next write is carried out, and yet its caller sees `status`.
  void ApplyAndFailNext(const grpc::Status& status);
  // The next call is not answered before its deadline.
  void HangNext();
  // Pipelines answer in groups of `size`, last command first; 0: never.
  void AnswerInGroups(int size);

  // Request messages so far, in the order of arrival, as text.
  std::vector<std::string> calls() const;
  std::vector<std::string> request_ids() const;

  // Canned answers of the operator's service.
  v1::MembersResponse members;
  v1::ClusterStatusResponse cluster_status;
  v1::ReplicationResponse replication;
  v1::WhereIsResponse where_is;
  v1::JoinResponse join;
  v1::LeaveResponse leave;
  std::vector<v1::Event> events;
  grpc::Status cluster_failure;
  // Verdicts for successive ClusterStatus calls, before `cluster_status`
  // counts.
  std::deque<std::string> verdicts;

 private:
  class Sessions;
  class Cluster;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace sessionmesh::client

#endif  // TESTS_CLIENT_FAKE_NODE_H_
