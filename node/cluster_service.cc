#include "node/cluster_service.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpcpp/alarm.h"
#include "node/event_stream.h"
#include "node/grpc_settings.h"
#include "node/proto_time.h"
#include "node/session_codec.h"
#include "node/socket_address.h"

namespace sessionmesh::node {
namespace {

constexpr absl::Duration kPeerTimeout = absl::Seconds(2);
constexpr absl::Duration kJoinTimeoutDefault = absl::Seconds(10);
constexpr absl::Duration kJoinTimeoutMax = absl::Minutes(1);
constexpr int64_t kEventStreamsMax = 64;
constexpr int kJoinSeedsMax = 256;
constexpr size_t kJoinsMax = 64;
// Seeds that the error of a Join says something about.
constexpr size_t kSeedsExplainedMax = 3;

// A node that holds nothing of the session cannot say which version is current:
// all are if all are the same, else none is known to be.
void CompareOwners(v1::WhereIsResponse* response) {
  std::set<std::set<std::string>> versions;
  for (const auto& owner : response->owners()) {
    if (owner.error().empty()) {
      versions.insert({owner.version().begin(), owner.version().end()});
    }
  }
  for (auto& owner : *response->mutable_owners()) {
    owner.set_current(owner.error().empty() && versions.size() == 1);
  }
}

grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                    const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

bool MayAnswer(const membership::Member& member) {
  return member.claim.state == membership::State::kAlive ||
         member.claim.state == membership::State::kSuspect;
}

// Counts answers and runs `done` after the last of them. Thread-safe.
class Gather {
 public:
  Gather(size_t count, std::function<void()> done)
      : left_(count), done_(std::move(done)) {}

  // `store` puts the answer in its place; one at a time.
  template <typename Store>
  void Answer(Store store) {
    bool last = false;
    {
      MutexLock lock(&mutex_);
      store();
      last = --left_ == 0;
    }
    if (last) done_();
  }

 private:
  Mutex mutex_;
  size_t left_ ABSL_GUARDED_BY(mutex_);
  const std::function<void()> done_;
};

// "healthy", "degraded" or "unavailable", see cluster.proto.
std::string Verdict(const v1::ClusterStatusResponse& response) {
  bool all = true;
  bool any = false;
  for (const auto& node : response.nodes()) {
    if (node.member().state() == v1::MEMBER_STATE_LEFT) continue;
    const bool ready = node.has_status() && node.status().ready();
    all = all && ready && node.member().state() == v1::MEMBER_STATE_ALIVE;
    any = any || ready;
  }
  return all ? "healthy" : any ? "degraded" : "unavailable";
}

}  // namespace

// A Join that waits for the first answer of one of its seeds, or for its
// time-out.
class ClusterService::JoinCall {
 public:
  JoinCall(grpc::ServerUnaryReactor* reactor, std::vector<std::string> seeds,
           v1::JoinResponse* response)
      : reactor_(reactor), seeds_(std::move(seeds)), response_(response) {}

  const std::vector<std::string>& seeds() const { return seeds_; }

  // `due` is called once, at `time` or soon after Disarm, whichever is first;
  // on another thread.
  void Arm(std::chrono::system_clock::time_point time,
           std::function<void(bool)> due) {
    MutexLock lock(&alarm_mutex_);
    alarm_.Set(time, std::move(due));
    armed_ = true;
    if (disarmed_) alarm_.Cancel();
  }
  void Disarm() {
    MutexLock lock(&alarm_mutex_);
    disarmed_ = true;
    if (armed_) alarm_.Cancel();
  }

  void SetFailure(const std::string& why) {
    MutexLock lock(&mutex_);
    failure_ = why;
  }
  // The last one, or "".
  std::string failure() const {
    MutexLock lock(&mutex_);
    return failure_;
  }

  // Whoever comes first.
  void Succeed(uint32_t members) {
    if (!TakeTurn()) return;
    response_->set_members(members);
    reactor_->Finish(grpc::Status::OK);
  }
  void GiveUp(const std::string& why) {
    if (!TakeTurn()) return;
    reactor_->Finish(
        grpc::Status(grpc::StatusCode::UNAVAILABLE,
                     absl::StrCat("no seed has answered in time (", why,
                                  "); the node goes on trying")));
  }

 private:
  bool TakeTurn() {
    MutexLock lock(&mutex_);
    return !std::exchange(finished_, true);
  }

  grpc::ServerUnaryReactor* const reactor_;
  const std::vector<std::string> seeds_;
  v1::JoinResponse* const response_;
  Mutex alarm_mutex_;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(alarm_mutex_);
  bool armed_ ABSL_GUARDED_BY(alarm_mutex_) = false;
  bool disarmed_ ABSL_GUARDED_BY(alarm_mutex_) = false;
  mutable Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::string failure_ ABSL_GUARDED_BY(mutex_);
};

ClusterService::ClusterService(Parts parts)
    : parts_(std::move(parts)), event_streams_(kEventStreamsMax) {}

ClusterService::~ClusterService() {
  Shutdown();
  MutexLock lock(&mutex_);
  while (!joins_.empty()) no_joins_.Wait(&mutex_);
}

grpc::ServerUnaryReactor* ClusterService::Members(
    grpc::CallbackServerContext* context, const v1::MembersRequest* /*request*/,
    v1::MembersResponse* response) {
  *response = parts_.report->Members();
  return FinishNow(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ClusterService::NodeStatus(
    grpc::CallbackServerContext* context,
    const v1::NodeStatusRequest* /*request*/,
    v1::NodeStatusResponse* response) {
  *response = parts_.report->Status();
  return FinishNow(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ClusterService::ClusterStatus(
    grpc::CallbackServerContext* context,
    const v1::ClusterStatusRequest* /*request*/,
    v1::ClusterStatusResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const membership::ViewPtr view = parts_.membership->view();
  const auto gather =
      std::make_shared<Gather>(view->members().size(), [reactor, response] {
        response->set_verdict(Verdict(*response));
        reactor->Finish(grpc::Status::OK);
      });
  // All places first: answers come in on other threads.
  for (const membership::Member& member : view->members()) {
    *response->add_nodes()->mutable_member() =
        EncodeMember(member, view->self());
  }
  for (size_t i = 0; i < view->members().size(); ++i) {
    const membership::Member& member = view->members()[i];
    auto* node = response->mutable_nodes(static_cast<int>(i));
    if (member.name == view->self()) {
      gather->Answer(
          [&] { *node->mutable_status() = parts_.report->Status(); });
    } else if (!MayAnswer(member)) {
      gather->Answer([&] {
        node->set_error(absl::StrCat(
            "not asked: it is ",
            absl::string_view(membership::StateName(member.claim.state))));
      });
    } else {
      parts_.peers->NodeStatus(
          member.address, kPeerTimeout,
          [gather, node](absl::StatusOr<v1::NodeStatusResponse> status) {
            gather->Answer([&] {
              if (status.ok()) {
                *node->mutable_status() = *std::move(status);
              } else {
                node->set_error(status.status().ToString());
              }
            });
          });
    }
  }
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::Replication(
    grpc::CallbackServerContext* context,
    const v1::ReplicationRequest* /*request*/,
    v1::ReplicationResponse* response) {
  *response = parts_.report->Replication();
  return FinishNow(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ClusterService::WhereIs(
    grpc::CallbackServerContext* context, const v1::WhereIsRequest* request,
    v1::WhereIsResponse* response) {
  const absl::StatusOr<replication::SlotId> slot =
      parts_.lanes->ids().SlotOf(request->id());
  if (!slot.ok()) {
    v1::ErrorInfo info;
    info.set_reason(absl::IsNotFound(slot.status())
                        ? v1::REASON_SESSION_NOT_FOUND
                        : v1::REASON_INVALID_ID);
    grpc::ServerUnaryReactor* refused = context->DefaultReactor();
    refused->Finish(FailedCall(slot.status(), info));
    return refused;
  }
  const replication::Holder here = parts_.lanes->Holds(*slot, request->id());
  response->set_slot(*slot);
  response->set_session_hash(replication::SessionHash(request->id()));

  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const membership::ViewPtr view = parts_.membership->view();
  std::vector<membership::Member> owners;
  for (const membership::Member& member : view->members()) {
    const bool self = member.name == view->self();
    const bool asked = self
                           ? here.phase.phase != replication::Phase::kNone
                           : std::binary_search(here.others.begin(),
                                                here.others.end(), member.name);
    if (asked && MayAnswer(member)) owners.push_back(member);
  }
  const bool compare = here.phase.phase == replication::Phase::kNone;
  const auto gather =
      std::make_shared<Gather>(owners.size() + 1, [reactor, response, compare] {
        if (compare) CompareOwners(response);
        reactor->Finish(grpc::Status::OK);
      });
  for (const membership::Member& member : owners) {
    response->add_owners()->set_node(member.name);
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    auto* owner = response->mutable_owners(static_cast<int>(i));
    if (owners[i].name == view->self()) {
      auto holds = parts_.report->Holds(request->id(), here.version);
      gather->Answer([&] {
        if (holds.ok()) *owner = *std::move(holds);
        owner->set_self(true);
      });
      continue;
    }
    parts_.peers->Holds(
        owners[i].address, {request->id(), here.version}, kPeerTimeout,
        [gather, owner](absl::StatusOr<v1::HoldsResponse> holds) {
          gather->Answer([&] {
            if (holds.ok()) {
              *owner = std::move(*holds->mutable_owner());
            } else {
              owner->set_slot_state("unreachable");
              owner->set_error(holds.status().ToString());
            }
          });
        });
  }
  gather->Answer([] {});  // also a node that sees no owner answers
  return reactor;
}

grpc::ServerWriteReactor<v1::Event>* ClusterService::WatchEvents(
    grpc::CallbackServerContext* /*context*/,
    const v1::WatchEventsRequest* request) {
  CallGate* const gate = event_streams_.Enter() ? &event_streams_ : nullptr;
  const uint64_t from = request->history() ? 1 : parts_.log->next_number();
  auto stream = std::make_shared<EventStream>(parts_.log, from, gate);
  stream->Begin();
  parts_.log->AddListener(stream);
  stream->Pump();
  return stream.get();
}

grpc::ServerUnaryReactor* ClusterService::Join(
    grpc::CallbackServerContext* context, const v1::JoinRequest* request,
    v1::JoinResponse* response) {
  if (request->seeds().empty() || request->seeds_size() > kJoinSeedsMax) {
    return FinishNow(context, absl::InvalidArgumentError(absl::StrCat(
                                  "got ", request->seeds_size(),
                                  " seeds, expected 1 to ", kJoinSeedsMax)));
  }
  for (const std::string& seed : request->seeds()) {
    const absl::StatusOr<HostPort> parts = ParseHostPort(seed);
    if (!parts.ok()) return FinishNow(context, parts.status());
  }
  absl::Duration timeout = kJoinTimeoutDefault;
  if (request->has_timeout()) {
    const absl::StatusOr<absl::Duration> given = FromProto(request->timeout());
    if (!given.ok()) return FinishNow(context, given.status());
    timeout = std::min(*given, kJoinTimeoutMax);
  }
  std::vector<std::string> seeds = {request->seeds().begin(),
                                    request->seeds().end()};
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto call = std::make_shared<JoinCall>(reactor, seeds, response);
  {
    MutexLock lock(&mutex_);
    if (shut_down_) {
      reactor->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                   "this node is leaving or stopping"));
      return reactor;
    }
    if (joins_.size() >= kJoinsMax) {
      reactor->Finish(grpc::Status(
          grpc::StatusCode::RESOURCE_EXHAUSTED,
          absl::StrCat("more than ", kJoinsMax,
                       " calls of Join wait on this node; try again later")));
      return reactor;
    }
    joins_.emplace(call.get(), call);
  }
  if (!parts_.membership->Join(std::move(seeds))) {
    {
      MutexLock lock(&mutex_);
      joins_.erase(call.get());
      if (joins_.empty()) no_joins_.SignalAll();
    }
    call->GiveUp("membership has too much to do and did not even begin");
    return reactor;
  }
  // The alarm keeps its callback until it is destroyed, so that must not keep
  // the call.
  call->Arm(absl::ToChronoTime(parts_.clock->Now().wall + timeout),
            [this, key = call.get()](bool /*due*/) { EndJoin(key); });
  return reactor;
}

void ClusterService::EndJoin(JoinCall* key) {
  std::shared_ptr<JoinCall> call;
  {
    MutexLock lock(&mutex_);
    call = joins_.at(key);
  }
  // Before the service may end, which waits for joins_.
  const std::string why = WhyNotJoined(*call);
  {
    MutexLock lock(&mutex_);
    const auto found = joins_.find(key);
    joins_.erase(found);
    if (joins_.empty()) no_joins_.SignalAll();
  }
  call->GiveUp(why);
}

std::string ClusterService::WhyNotJoined(const JoinCall& call) const {
  const std::string failure = call.failure();
  const membership::ViewPtr view = parts_.membership->view();
  const membership::Member* self = view->Find(view->self());
  const size_t explained = std::min(call.seeds().size(), kSeedsExplainedMax);
  std::vector<std::string> reasons;
  for (size_t i = 0; i < explained; ++i) {
    const std::string& seed = call.seeds()[i];
    const std::string unresolved = parts_.membership->WhyUnresolved(seed);
    if (!unresolved.empty()) {
      reasons.push_back(absl::StrCat(seed, " does not resolve: ", unresolved));
      continue;
    }
    std::string reason = absl::StrCat(seed, " is still being looked up");
    for (const membership::Address& address :
         parts_.membership->AddressesOf({seed})) {
      if (absl::StartsWith(failure, absl::StrCat(address, ": "))) {
        reason = failure;
        break;
      }
      reason = absl::StrCat(seed, self != nullptr && self->address == address
                                      ? " is this node itself"
                                      : " has not answered");
    }
    reasons.push_back(std::move(reason));
  }
  if (call.seeds().size() > explained) {
    reasons.push_back(
        absl::StrCat("and ", call.seeds().size() - explained, " more"));
  }
  return absl::StrJoin(reasons, "; ");
}

std::vector<std::shared_ptr<ClusterService::JoinCall>> ClusterService::Joins() {
  std::vector<std::shared_ptr<JoinCall>> calls;
  MutexLock lock(&mutex_);
  for (const auto& [pointer, call] : joins_) calls.push_back(call);
  return calls;
}

bool ClusterService::HasJoined(const JoinCall& call,
                               const membership::Address& answered) {
  const std::vector<membership::Address> addresses =
      parts_.membership->AddressesOf(call.seeds());
  const auto is_seed = [&addresses](const membership::Address& address) {
    return std::find(addresses.begin(), addresses.end(), address) !=
           addresses.end();
  };
  if (is_seed(answered)) return true;
  const membership::ViewPtr view = parts_.membership->view();
  return std::any_of(view->members().begin(), view->members().end(),
                     [&](const membership::Member& member) {
                       return member.name != view->self() &&
                              member.claim.state == membership::State::kAlive &&
                              is_seed(member.address);
                     });
}

void ClusterService::OnMemberEvent(const membership::Event& event) {
  for (const std::shared_ptr<JoinCall>& call : Joins()) {
    if (event.kind == membership::EventKind::kJoinFailed) {
      call->SetFailure(event.detail);
    } else if (HasJoined(*call,
                         event.kind == membership::EventKind::kJoinSucceeded
                             ? event.detail
                             : "")) {
      Answer(call.get());
    }
  }
}

void ClusterService::OnSeedsResolved() {
  for (const std::shared_ptr<JoinCall>& call : Joins()) {
    if (HasJoined(*call, "")) Answer(call.get());
  }
}

void ClusterService::Answer(JoinCall* call) {
  call->Succeed(
      static_cast<uint32_t>(parts_.membership->view()->members().size()));
  call->Disarm();
}

void ClusterService::Shutdown() {
  {
    MutexLock lock(&mutex_);
    shut_down_ = true;
  }
  for (const std::shared_ptr<JoinCall>& call : Joins()) call->Disarm();
}

grpc::ServerUnaryReactor* ClusterService::Leave(
    grpc::CallbackServerContext* context, const v1::LeaveRequest* /*request*/,
    v1::LeaveResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  parts_.leave([reactor, response](bool handed_over, std::string message) {
    response->set_handed_over(handed_over);
    response->set_message(std::move(message));
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

}  // namespace sessionmesh::node
