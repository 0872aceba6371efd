#include "tests/client/fake_node.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sessionmesh::client {

grpc::Status NodeError(grpc::StatusCode code, const std::string& message,
                       const v1::ErrorInfo& info) {
  v1::StatusDetails details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(info);
  return grpc::Status(code, message, details.SerializeAsString());
}

class FakeNode::Sessions final : public v1::SessionService::Service {
 public:
  struct Plan {
    grpc::Status status;
    bool apply = false;
    bool hang = false;
  };

  grpc::Status Create(grpc::ServerContext* context,
                      const v1::CreateRequest* request,
                      v1::CreateResponse* response) override {
    return Serve(context, *request, request->request_id(), [&] {
      const std::string id = request->id().empty()
                                 ? absl::StrCat("fake-session-id-", ++ids_)
                                 : request->id();
      if (sessions_.count(id) > 0) {
        v1::ErrorInfo info;
        info.set_reason(v1::REASON_ALREADY_EXISTS);
        return NodeError(grpc::StatusCode::ALREADY_EXISTS,
                         "a live session has this id", info);
      }
      v1::Session& session = sessions_[id];
      session.set_id(id);
      session.set_user(request->user());
      *session.mutable_attributes() = request->attributes();
      session.mutable_idle_timeout()->set_seconds(1800);
      *response->mutable_session() = session;
      Changed(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Get(grpc::ServerContext* context, const v1::GetRequest* request,
                   v1::GetResponse* response) override {
    return Serve(context, *request, "", [&] {
      const auto found = sessions_.find(request->id());
      if (found == sessions_.end()) {
        return NotFound();
      }
      *response->mutable_session() = found->second;
      Info(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Update(grpc::ServerContext* context,
                      const v1::UpdateRequest* request,
                      v1::UpdateResponse* response) override {
    return Serve(context, *request, request->request_id(), [&] {
      if (sessions_.count(request->id()) == 0 && !request->upsert()) {
        return NotFound();
      }
      response->set_created(sessions_.count(request->id()) == 0);
      v1::Session& session = sessions_[request->id()];
      for (const std::string& name : request->if_absent()) {
        if (session.attributes().contains(name)) {
          v1::ErrorInfo info;
          info.set_reason(v1::REASON_PRECONDITION_FAILED);
          *info.mutable_session() = session;
          info.set_token(absl::StrCat("t", changes_));
          return NodeError(grpc::StatusCode::ABORTED,
                           absl::StrCat("attribute \"", name, "\" exists"),
                           info);
        }
      }
      session.set_id(request->id());
      Apply(request->set(), request->unset(), &session);
      if (request->return_session()) {
        *response->mutable_session() = session;
      }
      Changed(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Touch(grpc::ServerContext* context,
                     const v1::TouchRequest* request,
                     v1::TouchResponse* response) override {
    return Serve(context, *request, "", [&] {
      if (sessions_.count(request->id()) == 0) {
        return NotFound();
      }
      Info(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Delete(grpc::ServerContext* context,
                      const v1::DeleteRequest* request,
                      v1::DeleteResponse* response) override {
    return Serve(context, *request, request->request_id(), [&] {
      if (sessions_.erase(request->id()) == 0) {
        return NotFound();
      }
      Changed(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Rotate(grpc::ServerContext* context,
                      const v1::RotateRequest* request,
                      v1::RotateResponse* response) override {
    return Serve(context, *request, request->request_id(), [&] {
      auto node = sessions_.extract(request->id());
      if (node.empty()) {
        return NotFound();
      }
      const std::string id = absl::StrCat("fake-session-id-", ++ids_);
      node.key() = id;
      node.mapped().set_id(id);
      Apply(request->set(), request->unset(), &node.mapped());
      *response->mutable_session() = node.mapped();
      sessions_.insert(std::move(node));
      Changed(response->mutable_info());
      return grpc::Status::OK;
    });
  }

  grpc::Status Watch(grpc::ServerContext* context,
                     const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    std::unique_lock<std::mutex> lock(mutex_);
    calls_.push_back(request->ShortDebugString());
    if (sessions_.count(request->id()) == 0) {
      return NotFound();
    }
    for (int shown = -1;;) {
      const bool changed =
          changed_.wait_for(lock, std::chrono::milliseconds(10),
                            [&] { return shown != changes_ || stopping_; });
      if (stopping_ || context->IsCancelled()) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
      }
      if (!changed) {
        continue;
      }
      shown = changes_;
      const auto found = sessions_.find(request->id());
      v1::WatchResponse event;
      event.set_token(absl::StrCat("t", changes_));
      if (found == sessions_.end()) {
        event.mutable_ended()->set_reason(v1::SessionEnded::DELETED);
        writer->Write(event);
        return grpc::Status::OK;
      }
      *event.mutable_session() = found->second;
      writer->Write(event);
    }
  }

  grpc::Status Pipeline(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::PipelineResponse, v1::PipelineRequest>*
          stream) override {
    std::vector<v1::PipelineResponse> group;
    v1::PipelineRequest request;
    while (stream->Read(&request)) {
      group.push_back(Execute(context, request));
      const int size = GroupSize();
      if (size > 0 && static_cast<int>(group.size()) >= size) {
        std::for_each(group.rbegin(), group.rend(),
                      [stream](const v1::PipelineResponse& reply) {
                        stream->Write(reply);
                      });
        group.clear();
      }
    }
    return grpc::Status::OK;
  }

  void Add(const Plan& plan) {
    const std::lock_guard<std::mutex> lock(mutex_);
    plans_.push_back(plan);
  }
  void SetGroupSize(int size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    group_size_ = size;
  }
  void Stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  std::vector<std::string> calls() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }
  std::vector<std::string> request_ids() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return request_ids_;
  }

 private:
  template <typename Request, typename Body>
  grpc::Status Serve(grpc::ServerContext* context, const Request& request,
                     const std::string& request_id, Body body) {
    std::unique_lock<std::mutex> lock(mutex_);
    calls_.push_back(request.ShortDebugString());
    if (!request_id.empty()) {
      request_ids_.push_back(request_id);
    }
    if (plans_.empty()) {
      return body();
    }
    const Plan plan = plans_.front();
    plans_.pop_front();
    if (plan.hang) {
      while (!context->IsCancelled() && !stopping_) {
        changed_.wait_for(lock, std::chrono::milliseconds(10));
      }
    }
    if (plan.apply) {
      (void)body();
    }
    return plan.status;
  }

  v1::PipelineResponse Execute(grpc::ServerContext* context,
                               const v1::PipelineRequest& request) {
    v1::PipelineResponse reply;
    reply.set_correlation(request.correlation());
    grpc::Status status(grpc::StatusCode::UNIMPLEMENTED, "not in this fake");
    if (request.has_create()) {
      status = Create(context, &request.create(), reply.mutable_create());
    } else if (request.has_get()) {
      status = Get(context, &request.get(), reply.mutable_get());
    } else if (request.has_update()) {
      status = Update(context, &request.update(), reply.mutable_update());
    }
    if (!status.ok()) {
      v1::StatusDetails details;
      reply.mutable_error()->set_code(status.error_code());
      reply.mutable_error()->set_message(status.error_message());
      if (details.ParseFromString(status.error_details()) &&
          details.details_size() > 0) {
        details.details(0).UnpackTo(reply.mutable_error()->mutable_info());
      }
    }
    return reply;
  }

  int GroupSize() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return group_size_;
  }

  // All below: REQUIRES mutex_.

  template <typename Map, typename List>
  void Apply(const Map& set, const List& unset, v1::Session* session) {
    for (const auto& [name, value] : set) {
      (*session->mutable_attributes())[name] = value;
    }
    for (const std::string& name : unset) {
      session->mutable_attributes()->erase(name);
    }
  }
  void Info(v1::ReplyInfo* info) {
    info->set_token(absl::StrCat("t", changes_));
    info->set_node("fake");
  }
  void Changed(v1::ReplyInfo* info) {
    ++changes_;
    changed_.notify_all();
    Info(info);
    info->set_replicas(2);
  }
  static grpc::Status NotFound() {
    v1::ErrorInfo info;
    info.set_reason(v1::REASON_SESSION_NOT_FOUND);
    return NodeError(grpc::StatusCode::NOT_FOUND, "no such session", info);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, v1::Session> sessions_;
  std::deque<Plan> plans_;
  std::vector<std::string> calls_;
  std::vector<std::string> request_ids_;
  int ids_ = 0;
  int changes_ = 0;
  int group_size_ = 1;
  bool stopping_ = false;
};

class FakeNode::Cluster final : public v1::ClusterService::Service {
 public:
  explicit Cluster(FakeNode* node) : node_(node) {}

  grpc::Status Members(grpc::ServerContext*, const v1::MembersRequest*,
                       v1::MembersResponse* response) override {
    *response = node_->members;
    return node_->cluster_failure;
  }
  grpc::Status ClusterStatus(grpc::ServerContext*,
                             const v1::ClusterStatusRequest*,
                             v1::ClusterStatusResponse* response) override {
    *response = node_->cluster_status;
    if (!node_->verdicts.empty()) {
      response->set_verdict(node_->verdicts.front());
      node_->verdicts.pop_front();
    }
    return node_->cluster_failure;
  }
  grpc::Status Replication(grpc::ServerContext*, const v1::ReplicationRequest*,
                           v1::ReplicationResponse* response) override {
    *response = node_->replication;
    return node_->cluster_failure;
  }
  grpc::Status WhereIs(grpc::ServerContext*, const v1::WhereIsRequest*,
                       v1::WhereIsResponse* response) override {
    *response = node_->where_is;
    return node_->cluster_failure;
  }
  grpc::Status WatchEvents(grpc::ServerContext*, const v1::WatchEventsRequest*,
                           grpc::ServerWriter<v1::Event>* writer) override {
    for (const v1::Event& event : node_->events) {
      writer->Write(event);
    }
    return node_->cluster_failure;
  }
  grpc::Status Join(grpc::ServerContext*, const v1::JoinRequest*,
                    v1::JoinResponse* response) override {
    *response = node_->join;
    return node_->cluster_failure;
  }
  grpc::Status Leave(grpc::ServerContext*, const v1::LeaveRequest*,
                     v1::LeaveResponse* response) override {
    *response = node_->leave;
    return node_->cluster_failure;
  }

 private:
  FakeNode* const node_;
};

FakeNode::FakeNode(const std::string& listen)
    : sessions_(std::make_unique<Sessions>()),
      cluster_(std::make_unique<Cluster>(this)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(sessions_.get());
  builder.RegisterService(cluster_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    std::cerr << "cannot listen on " << listen << "\n";
    std::abort();
  }
  address_ = absl::StartsWith(listen, "unix:")
                 ? listen
                 : absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

FakeNode::~FakeNode() { Stop(); }

void FakeNode::Stop() {
  sessions_->Stop();
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeNode::FailNext(const grpc::Status& status) {
  sessions_->Add({.status = status});
}
void FakeNode::ApplyAndFailNext(const grpc::Status& status) {
  sessions_->Add({.status = status, .apply = true});
}
void FakeNode::HangNext() {
  sessions_->Add({.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "hung"),
                  .hang = true});
}
void FakeNode::AnswerInGroups(int size) { sessions_->SetGroupSize(size); }

std::vector<std::string> FakeNode::calls() const { return sessions_->calls(); }
std::vector<std::string> FakeNode::request_ids() const {
  return sessions_->request_ids();
}

}  // namespace sessionmesh::client
