#include "client/client.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/request_id.h"
#include "client/retry.h"

namespace sessionmesh::client {
namespace {

// A try gets no less than this, or a slow node would be given up before it can
// answer.
constexpr absl::Duration kTryMin = absl::Milliseconds(50);

double Jitter() {
  thread_local absl::InsecureBitGen random;
  return absl::Uniform(random, 0.0, 1.0);
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration result;
  result.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  result.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(duration)));
  return result;
}

template <typename Request>
void SetTokens(const Tokens& tokens, Request* request) {
  request->mutable_tokens()->Assign(tokens.begin(), tokens.end());
}

template <typename Map>
void SetAttributes(const Attributes& attributes, Map* map) {
  for (const auto& [name, value] : attributes) {
    (*map)[name] = value;
  }
}

// The caller's id, or a new one.
template <typename Request>
absl::Status SetRequestId(const std::string& callers, Request* request) {
  if (!callers.empty()) {
    request->set_request_id(callers);
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> id = NewRequestId();
  if (!id.ok()) return id.status();
  request->set_request_id(*std::move(id));
  return absl::OkStatus();
}

// Half of what is left while there are others to ask, so that one silent node
// cannot use up the call.
absl::Time TryDeadline(absl::Time deadline, bool others) {
  const absl::Time now = absl::Now();
  return others
             ? std::min(deadline, now + std::max(kTryMin, (deadline - now) / 2))
             : deadline;
}

absl::Status WithAddress(const absl::Status& status,
                         absl::string_view address) {
  absl::Status result(
      status.code(), absl::StrCat("node at ", address, ": ", status.message()));
  status.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) {
        result.SetPayload(url, payload);
      });
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Open(ClientOptions options) {
  if (options.addresses.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no address: give at least one, for example ", kDefaultAddress));
  }
  for (const std::string& address : options.addresses) {
    if (absl::Status status = CheckAddress(address); !status.ok()) {
      return status;
    }
  }
  return std::unique_ptr<Client>(new Client(std::move(options)));
}

Client::Client(ClientOptions options) : options_(std::move(options)) {
  for (const std::string& address : options_.addresses) {
    Node node{address, MakeChannel(address, options_.credentials), nullptr};
    node.stub = v1::SessionService::NewStub(node.channel);
    node.channel->GetState(/*try_to_connect=*/true);
    nodes_.push_back(std::move(node));
  }
}

std::size_t Client::FirstNode() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!KnownBroken(*nodes_[i].channel)) {
      return i;
    }
  }
  return 0;
}

template <typename Request, typename Response>
FailedTry Client::TryOnce(const Node& node, Method<Request, Response> method,
                          const Request& request, absl::Time connect_deadline,
                          absl::Time call_deadline, Response* response) {
  if (absl::Status status = WaitConnected(*node.channel, connect_deadline);
      !status.ok()) {
    return {WithAddress(absl::UnavailableError(status.message()), node.address),
            /*sent=*/false};
  }
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(call_deadline));
  const absl::Status status =
      FromGrpc(((*node.stub).*method)(&context, request, response));
  // Only what the node did not say itself needs the address.
  return {status.ok() || ErrorDetail(status)
              ? status
              : WithAddress(status, node.address),
          /*sent=*/true};
}

template <typename Request, typename Response>
absl::StatusOr<Response> Client::Call(CallKind kind,
                                      Method<Request, Response> method,
                                      const Request& request,
                                      std::optional<absl::Duration> timeout) {
  const absl::Time deadline = absl::Now() + timeout.value_or(options_.timeout);
  RetryState state(options_.retry, kind, static_cast<int>(nodes_.size()));
  std::size_t at = FirstNode();
  absl::Status explained;  // the last failure that a node gave reasons for
  for (;;) {
    const absl::Time part = TryDeadline(deadline, nodes_.size() > 1);
    // A write that is silent may be waiting for the owners it asked for; it
    // moves on when the connection breaks, not because it takes long.
    Response response;
    FailedTry failed =
        TryOnce(nodes_[at], method, request, part,
                kind == CallKind::kRead ? part : deadline, &response);
    if (failed.status.ok()) {
      return response;
    }
    if (ErrorDetail(failed.status)) {
      explained = failed.status;
    }
    const NextTry next = state.OnFailure(failed);
    const absl::Time again = absl::Now() + state.Delay(Jitter());
    if (next == NextTry::kNone || again >= deadline) {
      absl::Status status =
          failed.sent || explained.ok() ? failed.status : explained;
      return state.may_be_applied() ? WithMayBeApplied(std::move(status))
                                    : status;
    }
    absl::SleepFor(again - absl::Now());
    if (next == NextTry::kNextNode) {
      at = (at + 1) % nodes_.size();
    }
  }
}

absl::StatusOr<v1::CreateResponse> Client::Create(
    const CreateOptions& options) {
  v1::CreateRequest request;
  request.set_id(options.id);
  SetAttributes(options.attributes, request.mutable_attributes());
  request.set_user(options.user);
  if (options.idle_timeout) {
    *request.mutable_idle_timeout() = ToProto(*options.idle_timeout);
  }
  if (options.absolute_lifetime) {
    *request.mutable_absolute_lifetime() = ToProto(*options.absolute_lifetime);
  }
  request.set_durability(options.durability);
  request.set_strict(options.strict);
  if (absl::Status status = SetRequestId(options.request_id, &request);
      !status.ok()) {
    return status;
  }
  return Call<v1::CreateRequest, v1::CreateResponse>(
      // An own id does not follow from the request id (retry.h).
      options.id.empty() ? CallKind::kRepeatable : CallKind::kOnce,
      &v1::SessionService::Stub::Create, request, options.timeout);
}

absl::StatusOr<v1::GetResponse> Client::Get(absl::string_view id,
                                            const Tokens& tokens,
                                            const GetOptions& options) {
  v1::GetRequest request;
  request.set_id(std::string(id));
  SetTokens(tokens, &request);
  request.set_consistency(options.consistency);
  request.set_strict(options.strict);
  request.set_peek(options.peek);
  return Call<v1::GetRequest, v1::GetResponse>(CallKind::kRead,
                                               &v1::SessionService::Stub::Get,
                                               request, options.timeout);
}

absl::StatusOr<v1::UpdateResponse> Client::Update(
    absl::string_view id, const Tokens& tokens, const UpdateOptions& options) {
  v1::UpdateRequest request;
  request.set_id(std::string(id));
  SetTokens(tokens, &request);
  SetAttributes(options.set, request.mutable_set());
  request.mutable_unset()->Assign(options.unset.begin(), options.unset.end());
  request.set_upsert(options.upsert);
  request.set_if_version(options.if_version);
  request.mutable_if_absent()->Assign(options.if_absent.begin(),
                                      options.if_absent.end());
  request.set_durability(options.durability);
  request.set_strict(options.strict);
  if (options.user) {
    request.set_user(*options.user);
  }
  request.set_return_session(options.return_session);
  if (absl::Status status = SetRequestId(options.request_id, &request);
      !status.ok()) {
    return status;
  }
  return Call<v1::UpdateRequest, v1::UpdateResponse>(
      CallKind::kOnce, &v1::SessionService::Stub::Update, request,
      options.timeout);
}

absl::StatusOr<v1::TouchResponse> Client::Touch(absl::string_view id,
                                                const Tokens& tokens,
                                                const TouchOptions& options) {
  v1::TouchRequest request;
  request.set_id(std::string(id));
  SetTokens(tokens, &request);
  return Call<v1::TouchRequest, v1::TouchResponse>(
      CallKind::kRead, &v1::SessionService::Stub::Touch, request,
      options.timeout);
}

absl::StatusOr<v1::DeleteResponse> Client::Delete(
    absl::string_view id, const Tokens& tokens, const DeleteOptions& options) {
  v1::DeleteRequest request;
  request.set_id(std::string(id));
  SetTokens(tokens, &request);
  request.set_durability(options.durability);
  request.set_strict(options.strict);
  if (absl::Status status = SetRequestId(options.request_id, &request);
      !status.ok()) {
    return status;
  }
  return Call<v1::DeleteRequest, v1::DeleteResponse>(
      CallKind::kRepeatable, &v1::SessionService::Stub::Delete, request,
      options.timeout);
}

absl::StatusOr<v1::RotateResponse> Client::Rotate(
    absl::string_view id, const Tokens& tokens, const RotateOptions& options) {
  v1::RotateRequest request;
  request.set_id(std::string(id));
  SetTokens(tokens, &request);
  SetAttributes(options.set, request.mutable_set());
  request.mutable_unset()->Assign(options.unset.begin(), options.unset.end());
  request.set_durability(options.durability);
  request.set_strict(options.strict);
  if (options.user) {
    request.set_user(*options.user);
  }
  if (absl::Status status = SetRequestId(options.request_id, &request);
      !status.ok()) {
    return status;
  }
  return Call<v1::RotateRequest, v1::RotateResponse>(
      CallKind::kRepeatable, &v1::SessionService::Stub::Rotate, request,
      options.timeout);
}

absl::StatusOr<std::unique_ptr<Pipeline>> Client::OpenPipeline(
    const PipelineOptions& options) {
  absl::StatusOr<const Node*> node = AnyNode(absl::Now() + options_.timeout);
  if (!node.ok()) {
    return node.status();
  }
  return std::make_unique<Pipeline>((*node)->channel, options);
}

absl::StatusOr<std::unique_ptr<Watch>> Client::OpenWatch(
    absl::string_view id, const Tokens& tokens, Watch::EventCallback on_event) {
  absl::StatusOr<const Node*> node = AnyNode(absl::Now() + options_.timeout);
  if (!node.ok()) {
    return node.status();
  }
  return std::make_unique<Watch>((*node)->channel, id, tokens,
                                 std::move(on_event));
}

absl::StatusOr<const Client::Node*> Client::AnyNode(absl::Time deadline) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const bool others = i + 1 < nodes_.size();
    if (WaitConnected(*nodes_[i].channel, TryDeadline(deadline, others)).ok()) {
      return &nodes_[i];
    }
  }
  return absl::UnavailableError(absl::StrCat(
      "no node answers at ", absl::StrJoin(options_.addresses, ", ")));
}

}  // namespace sessionmesh::client
