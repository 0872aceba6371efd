#include "node/session_watch.h"

#include <memory>
#include <utility>

namespace sessionmesh::node {

using replication::WatchUpdate;

namespace {

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

void SessionWatch::Watch(const DecodedCommand& decoded) {
  if (!decoded.status.ok()) {
    {
      MutexLock lock(&mutex_);
      refused_ = FailedCall(decoded.status, EncodeFailure(decoded.failure));
    }
    Pump();
    return;
  }
  ticket_ = parts_.lanes->NewTicket(*decoded.command.slot);
  parts_.lanes->Watch(
      ticket_, decoded.command.session_id, decoded.command.tokens,
      std::static_pointer_cast<SessionWatch>(shared_from_this()));
}

void SessionWatch::Put(WatchUpdate update) {
  MutexLock lock(&mutex_);
  latest_ = std::move(update);
}

void SessionWatch::Wake() { Pump(); }

std::optional<v1::WatchResponse> SessionWatch::Next(
    std::optional<grpc::Status>* end) {
  MutexLock lock(&mutex_);
  if (refused_.has_value()) {
    *end = *refused_;
  } else if (last_sent_) {
    *end = grpc::Status::OK;
  } else if (latest_.has_value()) {
    WatchUpdate update = *std::move(latest_);
    latest_.reset();
    if (!update.status.ok()) {
      *end = FailedCall(update.status, InfoOf(update.status));
      return std::nullopt;
    }
    last_sent_ = update.end != WatchUpdate::End::kNone;
    return parts_.codec->Encode(std::move(update));
  }
  return std::nullopt;
}

void SessionWatch::OnEnded() {
  if (ticket_.handle != 0) parts_.lanes->Unwatch(ticket_);
  if (gate_ != nullptr) gate_->Leave();
}

}  // namespace sessionmesh::node
