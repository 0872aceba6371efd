#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "client/error.h"

namespace sessionmesh::client {
namespace {

// Of one try, not of the whole call. CANCELLED: this library cancels no call,
// so it is a node that stopped in the middle of one.
bool IsTransient(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable ||
         code == absl::StatusCode::kDeadlineExceeded ||
         code == absl::StatusCode::kCancelled;
}

// Codes that gRPC and a dying server produce by themselves: without an
// ErrorInfo nobody knows how far the request has come. All others are a node's
// considered refusal.
bool SaysNothing(absl::StatusCode code) {
  return IsTransient(code) || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kInternal;
}

}  // namespace

RetryState::RetryState(const RetryPolicy& policy, CallKind kind, int addresses)
    : policy_(policy), kind_(kind), addresses_(addresses) {}

NextTry RetryState::OnFailure(const FailedTry& failed) {
  ++tries_;
  delay_next_ = false;
  const NextTry next =
      kind_ == CallKind::kRead ? OnReadFailure(failed) : OnWriteFailure(failed);
  return tries_ >= policy_.tries_max ? NextTry::kNone : next;
}

NextTry RetryState::OnReadFailure(const FailedTry& failed) {
  return !failed.sent || IsTransient(failed.status.code()) ? MoveOn()
                                                           : NextTry::kNone;
}

NextTry RetryState::OnWriteFailure(const FailedTry& failed) {
  const std::optional<v1::ErrorInfo> info = ErrorDetail(failed.status);
  if (info && info->applied()) {
    may_be_applied_ = true;
    return NextTry::kNone;  // done, with fewer replicas than asked for: a
                            // repetition adds nothing
  }
  if (failed.sent && !info && SaysNothing(failed.status.code())) {
    may_be_applied_ = true;
  }
  if (failed.sent && !IsTransient(failed.status.code())) {
    return NextTry::kNone;
  }
  const bool repeatable =
      kind_ == CallKind::kRepeatable || policy_.repeat_updates;
  return may_be_applied_ && !repeatable ? NextTry::kNone : MoveOn();
}

NextTry RetryState::MoveOn() {
  if (nodes_in_round_ < addresses_) {
    ++nodes_in_round_;
  } else {
    nodes_in_round_ = 1;
    delay_next_ = true;
    ++delays_;
  }
  return addresses_ > 1 ? NextTry::kNextNode : NextTry::kSameNode;
}

absl::Duration RetryState::Delay(double random) const {
  if (!delay_next_) {
    return absl::ZeroDuration();
  }
  const int doublings = std::min(delays_ - 1, 30);
  const absl::Duration whole =
      std::min(policy_.backoff_max,
               policy_.backoff_initial * std::ldexp(1.0, doublings));
  return whole * (0.5 + 0.5 * random);
}

}  // namespace sessionmesh::client
