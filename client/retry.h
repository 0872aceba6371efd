#ifndef CLIENT_RETRY_H_
#define CLIENT_RETRY_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace sessionmesh::client {

// When a failed try of a call may be repeated, and where. Pure: no clock, no
// randomness, no network.
//
// A try that failed is one of two things:
//   - certainly not applied: the connection was refused, so nothing was sent;
//     or the node said so, an ErrorInfo with applied = false (NOT_READY, STALE,
//     SHUTTING_DOWN, ...);
//   - perhaps applied: the connection broke after the request was sent, or no
//     answer came in time.
// After the first kind every call goes to the next address. After the second:
//
//   Get, Touch               go to the next address: they change nothing that
//                            a repetition could spoil.
//   Create, Rotate, Delete   too: a repetition anywhere means the same session.
//                            The id of a new session and the new id of a
//                            rotated one follow from the request id, the same
//                            on every node (a node that has heard of the first
//                            try answers with its result, one that has not does
//                            it again under the same id, which is no conflict),
//                            and a session is ended only once. NOT_FOUND on a
//                            repeated Delete: the first try has ended it.
//   Update                   is not repeated: the error says MayBeApplied.
//   Create with an own id    the same.
//
// Why not an Update. A node remembers request ids for 60 seconds, but only in
// memory. Node a applies `x = 1`, hands it on to b and is killed before it
// answers; another client sets `x = 2` on b and is acknowledged; a is back
// within the budget of the call, an empty process at the same address. `x = 1`
// sent there again would be a second, later write, and `x = 2` gone. From here
// a restart looks like any broken connection. And an own id may belong to
// somebody else's session by the time of the repetition. So the caller, who
// knows what the write means, reads and decides, or sets `repeat_updates`.
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
  // Repeat also what is marked "not repeated" above, on any node. For callers
  // whose updates are idempotent and whose attributes have one writer.
  bool repeat_updates = false;
};

enum class CallKind {
  kRead,        // Get, Touch
  kRepeatable,  // Create without an own id, Rotate, Delete: with a request id
  kOnce,        // Update, Create with an own id
};

// One failed try.
struct FailedTry {
  absl::Status status;  // with its ErrorInfo, if the node gave one (error.h)
  bool sent = true;     // false: no connection, so the node cannot have seen it
};

enum class NextTry { kNone, kSameNode, kNextNode };

// What one call has been through. Feed it every failed try; it says what to do.
//
// Example, an Update over {a, b}: a refuses -> kNextNode; b breaks the
// connection -> kNone, may_be_applied(). A Create there: -> kNextNode, which is
// a again, after a delay.
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

  const RetryPolicy policy_;
  const CallKind kind_;
  const int addresses_;
  int tries_ = 0;
  int nodes_in_round_ = 1;  // tried since the last delay
  int delays_ = 0;
  bool delay_next_ = false;
  bool may_be_applied_ = false;
};

}  // namespace sessionmesh::client

#endif  // CLIENT_RETRY_H_
