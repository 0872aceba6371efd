#ifndef NODE_RELIABLE_PLANE_H_
#define NODE_RELIABLE_PLANE_H_

#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "membership/message.h"

namespace sessionmesh::node {

// The calls of membership beside its datagrams (PeerService.Exchange).
class ReliablePlane {
 public:
  virtual ~ReliablePlane() = default;

  // Calls the node at `to` and gives `done` its answer, exactly once, on any
  // thread, at the latest when `timeout` is over. FAILED_PRECONDITION: the two
  // nodes do not belong together. Does not block.
  virtual void Call(
      const membership::Address& to, const membership::Request& request,
      absl::Duration timeout,
      std::function<void(absl::StatusOr<membership::Reply>)> done) = 0;
};

}  // namespace sessionmesh::node

#endif  // NODE_RELIABLE_PLANE_H_
