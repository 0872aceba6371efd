#include "tests/e2e/cluster.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "grpcpp/grpcpp.h"
#include "tests/e2e/eventually.h"

namespace sessionmesh::e2e {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(10);

template <typename Response>
void TakeSession(Response* response, NodeClient::Result* result) {
  if constexpr (requires { response->mutable_session(); }) {
    result->session = std::move(*response->mutable_session());
  }
}

}  // namespace

v1::ErrorInfo InfoOf(const grpc::Status& status) {
  v1::StatusDetails details;
  v1::ErrorInfo info;
  if (details.ParseFromString(status.error_details()) &&
      details.details_size() == 1) {
    details.details(0).UnpackTo(&info);
  }
  return info;
}

NodeClient::NodeClient(const std::string& address)
    : channel_([&] {
        grpc::ChannelArguments arguments;
        // A connection of its own for every client, also after a restart.
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
        return grpc::CreateCustomChannel(
            address, grpc::InsecureChannelCredentials(), arguments);
      }()),
      sessions_(v1::SessionService::NewStub(channel_)),
      cluster_(v1::ClusterService::NewStub(channel_)) {}

template <typename Request, typename Response>
NodeClient::Result NodeClient::Call(
    grpc::Status (v1::SessionService::Stub::*method)(grpc::ClientContext*,
                                                     const Request&, Response*),
    const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
  Response response;
  Result result;
  result.status = (sessions_.get()->*method)(&context, request, &response);
  result.error = InfoOf(result.status);
  result.info = response.info();
  TakeSession(&response, &result);
  return result;
}

NodeClient::Result NodeClient::Create(const v1::CreateRequest& request) {
  return Call(&v1::SessionService::Stub::Create, request);
}
NodeClient::Result NodeClient::Get(const v1::GetRequest& request) {
  return Call(&v1::SessionService::Stub::Get, request);
}
NodeClient::Result NodeClient::Update(const v1::UpdateRequest& request) {
  return Call(&v1::SessionService::Stub::Update, request);
}
NodeClient::Result NodeClient::Delete(const v1::DeleteRequest& request) {
  return Call(&v1::SessionService::Stub::Delete, request);
}
NodeClient::Result NodeClient::Rotate(const v1::RotateRequest& request) {
  return Call(&v1::SessionService::Stub::Rotate, request);
}
NodeClient::Result NodeClient::Touch(const v1::TouchRequest& request) {
  return Call(&v1::SessionService::Stub::Touch, request);
}

NodeClient::Result NodeClient::Create(
    const std::map<std::string, std::string>& attributes) {
  v1::CreateRequest request;
  request.mutable_attributes()->insert(attributes.begin(), attributes.end());
  return Create(request);
}

NodeClient::Result NodeClient::Get(const std::string& id,
                                   const std::string& token,
                                   v1::Consistency consistency) {
  v1::GetRequest request;
  request.set_id(id);
  if (!token.empty()) request.add_tokens(token);
  request.set_consistency(consistency);
  return Get(request);
}

NodeClient::Result NodeClient::Set(const std::string& id,
                                   const std::string& name,
                                   const std::string& value,
                                   const std::string& token,
                                   v1::Durability durability) {
  v1::UpdateRequest request;
  request.set_id(id);
  if (!token.empty()) request.add_tokens(token);
  (*request.mutable_set())[name] = value;
  request.set_durability(durability);
  return Update(request);
}

NodeClient::Result NodeClient::Delete(const std::string& id,
                                      const std::string& token) {
  v1::DeleteRequest request;
  request.set_id(id);
  if (!token.empty()) request.add_tokens(token);
  return Delete(request);
}

v1::NodeStatusResponse NodeClient::Status() {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
  v1::NodeStatusResponse response;
  cluster_->NodeStatus(&context, {}, &response);
  return response;
}

v1::ClusterStatusResponse NodeClient::ClusterStatus() {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
  v1::ClusterStatusResponse response;
  cluster_->ClusterStatus(&context, {}, &response);
  return response;
}

v1::MemberState NodeClient::StateOf(const std::string& name) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kCallTimeout));
  v1::MembersResponse response;
  cluster_->Members(&context, {}, &response);
  for (const v1::Member& member : response.members()) {
    if (member.name() == name) return member.state();
  }
  return v1::MEMBER_STATE_UNSPECIFIED;
}

Cluster::Cluster(std::string profile) : profile_(std::move(profile)) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "sessionmesh-e2e-XXXXXX")
          .string();
  PCHECK(mkdtemp(pattern.data()) != nullptr) << pattern;
  directory_ = pattern;
}

Cluster::~Cluster() {
  if (::testing::Test::HasFailure()) {
    for (auto& [name, node] : nodes_) {
      LOG(INFO) << "---- log of " << name << "\n" << node.daemon->Log();
    }
  }
  nodes_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Daemon& Cluster::Start(const std::string& name,
                       const std::vector<std::string>& more,
                       const std::string& join) {
  std::vector<std::string> arguments = {
      "--name",           name,
      "--client-address", "127.0.0.1:0",
      "--peer-address",   "127.0.0.1:0",
      "--state-dir",      absl::StrCat(directory_, "/", name),
      "--profile",        profile_};
  std::string seed = join;
  for (const std::string& other : order_) {
    if (!seed.empty() || other == name) continue;
    if (daemon(other).running()) seed = daemon(other).Field("peer");
  }
  if (!seed.empty()) {
    arguments.push_back("--join");
    arguments.push_back(seed);
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (nodes_.count(name) == 0) order_.push_back(name);
  Node& node = nodes_[name];
  node.client.reset();
  node.daemon.reset();
  node.daemon = std::make_unique<Daemon>(directory_, name, arguments);
  node.daemon->AwaitLine("listening");
  return *node.daemon;
}

bool Cluster::StartAll(const std::vector<std::string>& names) {
  for (const std::string& name : names) Start(name);
  return AllSeeEachOther(names);
}

bool Cluster::AllSeeEachOther(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!daemon(name).AwaitLine("ready")) return false;
  }
  return Eventually([&] {
    for (const std::string& name : names) {
      for (const std::string& other : names) {
        if (client(name).StateOf(other) != v1::MEMBER_STATE_ALIVE) return false;
      }
    }
    return true;
  });
}

void Cluster::Kill(const std::string& name) {
  daemon(name).Signal(SIGKILL);
  daemon(name).Wait();
}

void Cluster::Forget(const std::string& name) {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(directory_, "/", name), ignored);
}

Daemon& Cluster::daemon(const std::string& name) {
  return *nodes_.at(name).daemon;
}

NodeClient& Cluster::client(const std::string& name) {
  Node& node = nodes_.at(name);
  if (node.client == nullptr) {
    node.client = std::make_unique<NodeClient>(node.daemon->Field("client"));
  }
  return *node.client;
}

}  // namespace sessionmesh::e2e
