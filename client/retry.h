#ifndef CLIENT_RETRY_H_
#define CLIENT_RETRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace sessionmesh::client {

// When a failed try of a call may be repeated, and where. Pure: no clock, no
// randomness, no network.
//
// Reads and touches change nothing that a repetition could spoil; they go to
// the next address at once.
//
// Writes carry a request id that the node remembers for 60 seconds: a
// repetition ON THE SAME NODE that finds the first try done gets its reply and
// changes nothing. ANOTHER NODE DOES NOT KNOW THE REQUEST ID. There a
// repetition would be a second write: harmless for `set x = 1`, wrong for a
// Create (two sessions), a Rotate (the old id has ended: NOT_FOUND) or an
// if_version that the first try has moved. So a write goes to another node only
// while every try so far is known not to be applied:
//   - the connection was refused, so nothing was sent; or
//   - the node said so: an ErrorInfo with applied = false (NOT_READY, STALE,
//     SHUTTING_DOWN, ...).
// As soon as one try may have been applied (the connection broke after the
// request was sent, or the try timed out), the call stays with that node until
// its deadline and then reports an error with MayBeApplied().
// `writes_to_other_nodes` lifts this for callers whose writes are idempotent.
struct RetryPolicy {
  // Delay before the n-th repetition (n = 0, 1, ...): initial * 2^n, at most
  // `backoff_max`, of which a random part between a half and the whole is
  // waited. No delay on the way to an address that this round has not tried
  // yet.
  absl::Duration backoff_initial = absl::Milliseconds(20);
  absl::Duration backoff_max = absl::Milliseconds(500);
  // Tries of one call, the first included; the deadline usually ends it
  // earlier.
  int tries_max = 16;
  // Repeat a write that may have been applied on another node when its own node
  // fails twice.
  bool writes_to_other_nodes = false;
};

enum class CallKind {
  kRead,   // Get, Touch: may be repeated anywhere
  kWrite,  // Create, Update, Delete, Rotate: with a request id
};

// One failed try.
struct FailedTry {
  absl::Status status;  // with its ErrorInfo, if the node gave one (error.h)
  bool sent = true;     // false: no connection, so the node cannot have seen it
};

enum class NextTry { kNone, kSameNode, kNextNode };

// What one call has been through. Feed it every failed try; it says what to do.
//
// Example, a write over {a, b}: a refuses -> kNextNode; b breaks the connection
// -> kSameNode, from now on b only; b refuses -> kSameNode, ... until the
// deadline.
//
// Not thread-safe; one per call.
class RetryState {
 public:
  // `addresses` >= 1: how many nodes the client knows.
  RetryState(const RetryPolicy& policy, CallKind kind, int addresses);

  NextTry OnFailure(const FailedTry& failed);

  // Whether a write that failed may nevertheless have been applied somewhere.
  bool may_be_applied() const { return may_be_applied_; }
  int tries() const { return tries_; }

  // How long to wait before the try that OnFailure has just granted. `random`
  // in [0, 1).
  absl::Duration Delay(double random) const;

 private:
  NextTry OnReadFailure(const FailedTry& failed);
  NextTry OnWriteFailure(const FailedTry& failed);
  NextTry MoveOn();  // to the next address; a delay after a whole round
  NextTry Stay();    // on this node, after a delay

  const RetryPolicy policy_;
  const CallKind kind_;
  const int addresses_;
  int tries_ = 0;
  int failures_here_ = 0;   // in a row, on the present node
  int nodes_in_round_ = 1;  // tried since the last delay
  int delays_ = 0;
  bool delay_next_ = false;
  bool may_be_applied_ = false;
};

}  // namespace sessionmesh::client

#endif  // CLIENT_RETRY_H_
