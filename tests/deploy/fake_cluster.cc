#include "tests/deploy/fake_cluster.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "proto/cluster.grpc.pb.h"
#include "proto/session.grpc.pb.h"

namespace sessionmesh::testing {
namespace {

grpc::Status WithInfo(grpc::StatusCode code, const std::string& message,
                      const v1::ErrorInfo& info) {
  v1::StatusDetails details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(info);
  return {code, message, details.SerializeAsString()};
}

grpc::Status WithReason(grpc::StatusCode code, const std::string& message,
                        v1::Reason reason) {
  v1::ErrorInfo info;
  info.set_reason(reason);
  return WithInfo(code, message, info);
}

grpc::Status NotFound() {
  return WithReason(grpc::NOT_FOUND, "no such session",
                    v1::REASON_SESSION_NOT_FOUND);
}

template <typename Tokens>
std::uint64_t VersionOf(const Tokens& tokens) {
  std::uint64_t newest = 0;
  for (const std::string& token : tokens) {
    std::uint64_t version = 0;
    if (absl::SimpleAtoi(token.substr(1), &version))
      newest = std::max(newest, version);
  }
  return newest;
}

}  // namespace

class FakeCluster::Node : public v1::SessionService::Service,
                          public v1::ClusterService::Service {
 public:
  Node(FakeCluster* cluster, std::string name)
      : cluster_(cluster), name_(std::move(name)) {}

  std::atomic<bool> ready = true;
  std::atomic<bool> stale = false;
  std::atomic<bool> alone = false;

  grpc::Status NodeStatus(grpc::ServerContext*, const v1::NodeStatusRequest*,
                          v1::NodeStatusResponse* reply) override {
    reply->set_name(name_);
    reply->set_ready(ready);
    reply->set_state(ready ? "serving" : "syncing");
    return grpc::Status::OK;
  }

  grpc::Status Create(grpc::ServerContext*, const v1::CreateRequest* request,
                      v1::CreateResponse* reply) override {
    if (stale) return Stale();
    const std::lock_guard<std::mutex> lock(cluster_->mutex_);
    Entry entry;
    entry.session.set_id(NewId());
    entry.session.set_user(request->user());
    *entry.session.mutable_attributes() = request->attributes();
    Store(&entry);
    if (alone) return Unmet(entry);
    *reply->mutable_session() = entry.session;
    Fill(entry, false, reply->mutable_info());
    return grpc::Status::OK;
  }

  grpc::Status Get(grpc::ServerContext*, const v1::GetRequest* request,
                   v1::GetResponse* reply) override {
    if (stale) return Stale();
    const std::lock_guard<std::mutex> lock(cluster_->mutex_);
    bool caught_up = false;
    Entry* entry =
        Find(request->id(), VersionOf(request->tokens()), &caught_up);
    if (entry == nullptr) return NotFound();
    *reply->mutable_session() = entry->session;
    Fill(*entry, caught_up, reply->mutable_info());
    return grpc::Status::OK;
  }

  grpc::Status Update(grpc::ServerContext*, const v1::UpdateRequest* request,
                      v1::UpdateResponse* reply) override {
    if (stale) return Stale();
    const std::lock_guard<std::mutex> lock(cluster_->mutex_);
    bool caught_up = false;
    const Entry* copy =
        Find(request->id(), VersionOf(request->tokens()), &caught_up);
    if (copy == nullptr) return NotFound();
    const std::uint64_t nth = ++cluster_->writes_;
    const bool drop =
        cluster_->fault_ == Fault::kForgetsWrites && nth % 50 == 0;
    Entry entry = cluster_->fault_ == Fault::kLosesConcurrent
                      ? *copy
                      : cluster_->sessions_.at(request->id());
    if (!drop) Apply(*request, &entry.session);
    Store(&entry);
    Fill(entry, caught_up, reply->mutable_info());
    if (cluster_->fault_ == Fault::kLosesSessions && nth % 50 == 0)
      Erase(request->id());
    return grpc::Status::OK;
  }

  grpc::Status Rotate(grpc::ServerContext*, const v1::RotateRequest* request,
                      v1::RotateResponse* reply) override {
    if (stale) return Stale();
    const std::lock_guard<std::mutex> lock(cluster_->mutex_);
    bool caught_up = false;
    if (Find(request->id(), VersionOf(request->tokens()), &caught_up) ==
        nullptr)
      return NotFound();
    Entry entry = cluster_->sessions_.at(request->id());
    Erase(request->id());
    entry.session.set_id(NewId());
    if (request->has_user()) entry.session.set_user(request->user());
    Store(&entry);
    if (alone) return Unmet(entry);
    *reply->mutable_session() = entry.session;
    Fill(entry, caught_up, reply->mutable_info());
    return grpc::Status::OK;
  }

  grpc::Status Delete(grpc::ServerContext*, const v1::DeleteRequest* request,
                      v1::DeleteResponse* reply) override {
    if (stale) return Stale();
    const std::lock_guard<std::mutex> lock(cluster_->mutex_);
    cluster_->last_delete_durability_ = request->durability();
    const auto at = cluster_->sessions_.find(request->id());
    if (at == cluster_->sessions_.end()) return NotFound();
    Fill(at->second, false, reply->mutable_info());
    if (cluster_->fault_ == Fault::kForgetsLogout) {
      cluster_->sessions_.erase(at);
      copies_.erase(request->id());
    } else {
      Erase(request->id());
    }
    return grpc::Status::OK;
  }

 private:
  static grpc::Status Stale() {
    return WithReason(grpc::UNAVAILABLE, "the token is ahead of this node",
                      v1::REASON_STALE);
  }

  static grpc::Status Unmet(const Entry& entry) {
    v1::ErrorInfo info;
    info.set_reason(v1::REASON_DURABILITY_UNMET);
    info.set_applied(true);
    info.set_replicas(1);
    *info.mutable_session() = entry.session;
    info.set_token(absl::StrCat("v", entry.version));
    return WithInfo(grpc::DEADLINE_EXCEEDED,
                    "the change is applied here, but only 1 of 2 owners are "
                    "known to hold it yet",
                    info);
  }

  static void Apply(const v1::UpdateRequest& request, v1::Session* session) {
    for (const auto& [name, value] : request.set())
      (*session->mutable_attributes())[name] = value;
    for (const std::string& name : request.unset())
      session->mutable_attributes()->erase(name);
  }

  std::string NewId() {
    return absl::StrFormat("fake-session-id-%014d", cluster_->next_id_++);
  }

  // Everywhere, at once.
  void Erase(const std::string& id) {
    cluster_->sessions_.erase(id);
    for (const auto& node : cluster_->nodes_) node->copies_.erase(id);
  }

  void Store(Entry* entry) {
    entry->version = cluster_->next_version_++;
    cluster_->sessions_[entry->session.id()] = *entry;
    copies_[entry->session.id()] = *entry;
  }

  Entry* Find(const std::string& id, std::uint64_t at_least, bool* caught_up) {
    const auto copy = copies_.find(id);
    const bool enough =
        copy != copies_.end() && (copy->second.version >= at_least ||
                                  cluster_->fault_ == Fault::kIgnoresTokens);
    if (enough) return &copy->second;
    const auto at = cluster_->sessions_.find(id);
    if (at == cluster_->sessions_.end()) return nullptr;
    *caught_up = copy != copies_.end();
    return &(copies_[id] = at->second);
  }

  void Fill(const Entry& entry, bool caught_up, v1::ReplyInfo* info) const {
    info->set_token(absl::StrCat("v", entry.version));
    info->set_node(name_);
    info->set_caught_up(caught_up);
    info->set_replicas(2);
  }

  FakeCluster* const cluster_;
  const std::string name_;
  std::map<std::string, Entry> copies_;  // guarded by the cluster's mutex
};

FakeCluster::FakeCluster(int nodes, Fault fault) : fault_(fault) {
  for (int i = 0; i < nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(this, absl::StrCat("node", i + 1)));
    Node* node = nodes_.back().get();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(static_cast<v1::SessionService::Service*>(node));
    builder.RegisterService(static_cast<v1::ClusterService::Service*>(node));
    servers_.push_back(builder.BuildAndStart());
    addresses_.push_back(absl::StrCat("127.0.0.1:", port));
  }
}

FakeCluster::~FakeCluster() {
  for (const auto& server : servers_) server->Shutdown();
}

void FakeCluster::SetReady(int node, bool ready) {
  nodes_[static_cast<std::size_t>(node)]->ready = ready;
}

void FakeCluster::SetStale(int node, bool stale) {
  nodes_[static_cast<std::size_t>(node)]->stale = stale;
}

void FakeCluster::SetAlone(int node, bool alone) {
  nodes_[static_cast<std::size_t>(node)]->alone = alone;
}

v1::Durability FakeCluster::last_delete_durability() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_delete_durability_;
}

}  // namespace sessionmesh::testing
