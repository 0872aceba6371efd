#ifndef NODE_PEER_SENDER_H_
#define NODE_PEER_SENDER_H_

#include <cstdint>

#include "membership/member.h"
#include "replication/message.h"

namespace sessionmesh::node {

// Where lanes leave what they have to say to peers. Thread-safe.
class PeerSender {
 public:
  virtual ~PeerSender() = default;

  // Appends to the peer's queue; dropped when there is no open link. Called
  // with the lane's lock held, which is what keeps the order, so it only moves
  // the message.
  virtual void Enqueue(const membership::NodeName& peer, uint32_t lane,
                       replication::Message message) = 0;

  // Starts writing what is queued for the peer. Called without any lock.
  virtual void Flush(const membership::NodeName& peer) = 0;
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_SENDER_H_
