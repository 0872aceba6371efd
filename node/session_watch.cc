#include "node/session_watch.h"

#include <memory>
#include <utility>
#include <vector>

#include "node/forwarder.h"

namespace sessionmesh::node {

using replication::WatchUpdate;

namespace {

// Moves from node to node without a state between them, after which the client
// is told.
constexpr int kMovesMax = 4;

// A watch that cannot begin comes with a status alone.
v1::ErrorInfo InfoOf(const absl::Status& status) {
  v1::ErrorInfo info;
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      info.set_reason(v1::REASON_SESSION_NOT_FOUND);
      break;
    case absl::StatusCode::kInvalidArgument:
      info.set_reason(v1::REASON_INVALID_TOKEN);
      break;
    case absl::StatusCode::kResourceExhausted:
      info.set_reason(v1::REASON_LIMIT);
      break;
    default:
      break;
  }
  return info;
}

}  // namespace

SessionWatch::SessionWatch(const SessionParts& parts, CallGate* gate)
    : parts_(parts), gate_(gate) {}

void SessionWatch::Watch(const DecodedCommand& decoded,
                         const v1::WatchRequest& request) {
  forwarded_ = decoded.command.forwarded;
  {
    MutexLock lock(&mutex_);
    request_ = request;
    if (!decoded.status.ok()) {
      refused_ = FailedCall(decoded.status, EncodeFailure(decoded.failure));
    }
  }
  if (!decoded.status.ok()) {
    Pump();
    return;
  }
  slot_ = *decoded.command.slot;
  WatchHere();
}

void SessionWatch::WatchHere() {
  const CallTicket ticket = parts_.lanes->NewTicket(slot_);
  std::vector<std::string> tokens;
  std::string id;
  {
    MutexLock lock(&mutex_);
    if (ended_) return;
    ticket_ = ticket;
    id = request_.id();
    tokens = {request_.tokens().begin(), request_.tokens().end()};
  }
  parts_.lanes->Watch(ticket, id, tokens, forwarded_, Self());
  bool ended = false;
  {
    // OnEnded may have come before there was something to end.
    MutexLock lock(&mutex_);
    ended = ended_;
  }
  if (ended) parts_.lanes->Unwatch(ticket);
}

void SessionWatch::Put(WatchUpdate update) {
  MutexLock lock(&mutex_);
  if (parts_.forwarder != nullptr && !update.forward_to.empty() &&
      moves_ < kMovesMax) {
    ++moves_;
    owners_ = std::move(update.forward_to);
    go_elsewhere_ = true;
    return;
  }
  if (!update.status.ok()) {
    refused_ = FailedCall(update.status, InfoOf(update.status));
    return;
  }
  Take(parts_.codec->Encode(std::move(update)));
}

void SessionWatch::Take(v1::WatchResponse response) {
  moves_ = 0;
  if (!response.token().empty()) {
    request_.clear_tokens();
    request_.add_tokens(response.token());
  }
  latest_ = std::move(response);
}

void SessionWatch::Wake() {
  bool go = false;
  {
    MutexLock lock(&mutex_);
    go = std::exchange(go_elsewhere_, false);
  }
  if (go) WatchElsewhere();
  Pump();
}

void SessionWatch::WatchElsewhere() {
  membership::NodeName owner;
  v1::WatchRequest request;
  {
    MutexLock lock(&mutex_);
    if (ended_) return;
    if (owners_.empty()) {
      const absl::Status status = absl::UnavailableError(
          "the session moves between nodes; watch it again");
      refused_ = FailedCall(status, InfoOf(status));
    } else {
      owner = owners_.front();
      owners_.erase(owners_.begin());
      request = request_;
    }
  }
  if (owner.empty()) {
    Pump();
    return;
  }
  const std::shared_ptr<SessionWatch> self = Self();
  const std::shared_ptr<grpc::ClientContext> remote = parts_.forwarder->Watch(
      owner, request,
      [self](v1::WatchResponse response) {
        self->OnRemote(std::move(response));
      },
      [self](const absl::Status& status) { self->OnRemoteEnd(status); });
  bool ended = false;
  {
    MutexLock lock(&mutex_);
    remote_ = remote;
    ended = ended_;
  }
  if (ended && remote != nullptr) remote->TryCancel();
}

void SessionWatch::OnRemote(v1::WatchResponse response) {
  {
    MutexLock lock(&mutex_);
    Take(std::move(response));
  }
  Pump();
}

void SessionWatch::OnRemoteEnd(const absl::Status& status) {
  bool here = false;
  {
    MutexLock lock(&mutex_);
    if (ended_ || status.ok()) return;  // with what ended the session
    if (absl::IsUnavailable(status) && owners_.empty() && moves_ < kMovesMax) {
      here = true;
    } else if (!absl::IsUnavailable(status)) {
      refused_ = FailedCall(status, InfoOf(status));
    }
  }
  if (here) {
    WatchHere();
  } else if (absl::IsUnavailable(status)) {
    WatchElsewhere();
  } else {
    Pump();
  }
}

std::optional<v1::WatchResponse> SessionWatch::Next(
    std::optional<grpc::Status>* end) {
  MutexLock lock(&mutex_);
  if (last_sent_) {
    *end = grpc::Status::OK;
  } else if (latest_.has_value()) {
    v1::WatchResponse response = *std::move(latest_);
    latest_.reset();
    last_sent_ = response.has_ended();
    return response;
  } else if (refused_.has_value()) {
    *end = *refused_;
  }
  return std::nullopt;
}

void SessionWatch::OnEnded() {
  CallTicket ticket;
  std::shared_ptr<grpc::ClientContext> remote;
  {
    MutexLock lock(&mutex_);
    ended_ = true;
    ticket = ticket_;
    remote = std::move(remote_);
  }
  if (ticket.handle != 0) parts_.lanes->Unwatch(ticket);
  if (remote != nullptr) remote->TryCancel();
  if (gate_ != nullptr) gate_->Leave();
}

}  // namespace sessionmesh::node
