#include "deploy/demo/visit.h"

#include <optional>
#include <utility>

#include "client/error.h"

namespace sessionmesh::demo {

Visit::Visit(const Store& store, const httplib::Request& request)
    : store_(store),
      presented_(store.cookies->Parse(request.get_header_value("Cookie"))),
      id_(presented_.session_id),
      tokens_(presented_.tokens) {}

absl::StatusOr<v1::Session> Visit::Read() {
  if (!has_session()) return absl::NotFoundError("no session cookie");
  auto reply = store_.client->Get(id_, tokens_);
  if (!reply.ok()) return NoteError(reply.status());
  Note(reply->info(), Outcome::kAnswered);
  return std::move(*reply->mutable_session());
}

absl::Status Visit::Change(const client::UpdateOptions& options) {
  if (!has_session()) return absl::NotFoundError("no session cookie");
  const auto reply = store_.client->Update(id_, tokens_, options);
  if (!reply.ok()) return NoteError(reply.status());
  Note(reply->info(), Outcome::kAnswered);
  return absl::OkStatus();
}

absl::StatusOr<v1::Session> Visit::Begin(const client::CreateOptions& options) {
  session_is_gone_ = false;  // it makes room for this one
  auto reply = store_.client->Create(options);
  if (!reply.ok()) return NoteMoved(reply.status(), Outcome::kBegun);
  id_ = reply->session().id();
  Note(reply->info(), Outcome::kBegun);
  return std::move(*reply->mutable_session());
}

absl::StatusOr<v1::Session> Visit::Rotate(
    const client::RotateOptions& options) {
  if (!has_session()) return absl::NotFoundError("no session cookie");
  auto reply = store_.client->Rotate(id_, tokens_, options);
  if (!reply.ok()) return NoteMoved(reply.status(), Outcome::kRotated);
  id_ = reply->session().id();
  Note(reply->info(), Outcome::kRotated);
  return std::move(*reply->mutable_session());
}

absl::Status Visit::End() {
  if (has_session()) {
    // ALL and not the default QUORUM: whoever still has the old cookies
    // presents no token that names the logout, so only what every node knows
    // keeps that session shut everywhere at once.
    const auto reply =
        store_.client->Delete(id_, tokens_, {.durability = v1::DURABILITY_ALL});
    if (reply.ok()) {
      Note(reply->info(), Outcome::kEnded);
    } else if (!absl::IsNotFound(reply.status())) {
      return NoteError(reply.status());
    }
  }
  id_.clear();
  outcome_ = Outcome::kEnded;
  return absl::OkStatus();
}

void Visit::Note(const v1::ReplyInfo& info, Outcome outcome) {
  last_ = info;
  tokens_ = {info.token()};
  caught_up_ = caught_up_ || info.caught_up();
  if (info.degraded()) {
    degraded_reason_ =
        info.degraded_reason().empty() ? "degraded" : info.degraded_reason();
  }
  // A new id that was answered in this request must reach the browser whatever
  // follows.
  if (outcome == Outcome::kAnswered &&
      (outcome_ == Outcome::kBegun || outcome_ == Outcome::kRotated)) {
    return;
  }
  outcome_ = outcome;
}

absl::Status Visit::NoteMoved(absl::Status status, Outcome outcome) {
  const std::optional<v1::ErrorInfo> detail = client::ErrorDetail(status);
  if (!detail || !detail->applied() || !detail->has_session()) {
    return NoteError(std::move(status));
  }
  id_ = detail->session().id();
  v1::ReplyInfo info;
  info.set_token(detail->token());
  Note(info, outcome);
  return status;
}

absl::Status Visit::NoteError(absl::Status status) {
  session_is_gone_ = session_is_gone_ || absl::IsNotFound(status);
  if (outcome_ == Outcome::kBegun || outcome_ == Outcome::kRotated) {
    return status;  // its id must not be lost
  }
  const v1::Reason reason = client::ErrorReason(status);
  if (reason != v1::REASON_INVALID_TOKEN && reason != v1::REASON_WRITE_LOST) {
    return status;
  }
  const std::optional<v1::ErrorInfo> detail = client::ErrorDetail(status);
  last_.set_token(detail ? detail->token() : "");
  outcome_ = Outcome::kForget;
  return status;
}

std::vector<std::string> Visit::SetCookies() const {
  switch (outcome_) {
    case Outcome::kNothing:
      return {};
    case Outcome::kAnswered:
      return store_.cookies->Answer(presented_, last_.token());
    case Outcome::kBegun:
      return store_.cookies->Begin(presented_, id_, last_.token());
    case Outcome::kRotated:
      return store_.cookies->Rotated(presented_, id_, last_.token());
    case Outcome::kEnded:
      return store_.cookies->End(presented_);
    case Outcome::kForget:
      return store_.cookies->Forget(presented_, last_.token());
  }
  return {};
}

void Visit::Finish(httplib::Response* response) const {
  for (const std::string& cookie : SetCookies()) {
    response->set_header("Set-Cookie", cookie);
  }
  if (!last_.node().empty()) response->set_header("X-Node", last_.node());
  response->set_header("X-Caught-Up", caught_up_ ? "1" : "0");
  response->set_header("X-Degraded", degraded_reason_.empty() ? "0" : "1");
  if (outcome_ == Outcome::kBegun) {
    response->set_header("X-Session", "begun");
  } else if (session_is_gone_) {
    response->set_header("X-Session", "none");
  }
  if (presented_.ignored > 0) {
    response->set_header("X-Tokens-Ignored",
                         std::to_string(presented_.ignored));
  }
  response->set_header("Cache-Control", "no-store");
}

}  // namespace sessionmesh::demo
