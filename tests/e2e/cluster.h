#ifndef TESTS_E2E_CLUSTER_H_
#define TESTS_E2E_CLUSTER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/cluster.grpc.pb.h"
#include "proto/session.grpc.pb.h"
#include "tests/e2e/daemon.h"

namespace sessionmesh::e2e {

// The calls of one node, blocking, with a deadline of ten seconds unless said
// otherwise.
class NodeClient {
 public:
  explicit NodeClient(const std::string& address);

  struct Result {
    grpc::Status status;
    v1::ErrorInfo error;  // when the status is not OK and has one
    v1::Session session;
    v1::ReplyInfo info;

    bool ok() const { return status.ok(); }
  };

  Result Create(const v1::CreateRequest& request);
  Result Get(const v1::GetRequest& request);
  Result Update(const v1::UpdateRequest& request);
  Result Delete(const v1::DeleteRequest& request);
  Result Rotate(const v1::RotateRequest& request);
  Result Touch(const v1::TouchRequest& request);

  // The common cases.
  Result Create() { return Create(v1::CreateRequest()); }
  Result Create(const std::map<std::string, std::string>& attributes);
  Result Get(const std::string& id, const std::string& token = "",
             v1::Consistency consistency = v1::CONSISTENCY_DEFAULT);
  Result Set(const std::string& id, const std::string& name,
             const std::string& value, const std::string& token = "",
             v1::Durability durability = v1::DURABILITY_DEFAULT);
  Result Delete(const std::string& id, const std::string& token = "");

  v1::NodeStatusResponse Status();
  v1::ClusterStatusResponse ClusterStatus();
  // State of a member as this node sees it; UNSPECIFIED when unknown.
  v1::MemberState StateOf(const std::string& name);

  v1::SessionService::Stub* sessions() { return sessions_.get(); }
  v1::ClusterService::Stub* cluster() { return cluster_.get(); }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  template <typename Request, typename Response>
  Result Call(grpc::Status (v1::SessionService::Stub::*method)(
                  grpc::ClientContext*, const Request&, Response*),
              const Request& request);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::SessionService::Stub> sessions_;
  const std::unique_ptr<v1::ClusterService::Stub> cluster_;
};

v1::ErrorInfo InfoOf(const grpc::Status& status);

// Real sessiond processes on free ports of loopback, each with a state
// directory of its own; the first one started is the seed of the others.
class Cluster {
 public:
  // How fast its nodes find out about each other (sessiond --profile).
  explicit Cluster(std::string profile = "fast");
  ~Cluster();

  // Starts a node; does not wait. A former process of that name must have
  // ended. With `join` empty: the first one started that runs, if any.
  Daemon& Start(const std::string& name,
                const std::vector<std::string>& more = {},
                const std::string& join = "");
  // Starts and waits until all serve and see each other alive.
  bool StartAll(const std::vector<std::string>& names);

  // kill -9, and waits for the end.
  void Kill(const std::string& name);
  // Removes what the node remembers.
  void Forget(const std::string& name);

  Daemon& daemon(const std::string& name);
  NodeClient& client(const std::string& name);
  // Every node of `names` sees every other one alive and serves.
  bool AllSeeEachOther(const std::vector<std::string>& names);

  const std::string& directory() const { return directory_; }

 private:
  struct Node {
    std::unique_ptr<Daemon> daemon;
    std::unique_ptr<NodeClient> client;
  };

  const std::string profile_;
  std::string directory_;
  std::map<std::string, Node> nodes_;
  std::vector<std::string> order_;
};

}  // namespace sessionmesh::e2e

#endif  // TESTS_E2E_CLUSTER_H_
