#ifndef NODE_PEER_LINK_H_
#define NODE_PEER_LINK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "membership/member.h"
#include "node/mutex.h"
#include "node/peer_queue.h"
#include "node/self_info.h"
#include "proto/peer.grpc.pb.h"

namespace sessionmesh::node {

// Where a peer is to be found. Another generation is another process: the link
// to the former one is given up.
struct PeerTarget {
  membership::Address address;
  membership::Generation generation = 0;

  bool operator==(const PeerTarget&) const = default;
};

// PeerLink keeps one Replicate call to one peer open while the peer has a
// target: everything that this node's lanes say to the peer's.
//
//   idle --target--> opening --accepted--> open --ended--> waiting --> opening
//                        \________ended________________/   (50 ms .. 1 s)
//
// Messages are taken only while it is open, and leave in order. When the call
// ends, whatever waits is dropped; the cores resume from what was acknowledged.
// LinkUp and LinkDown reach the listener in turn, never at the same time.
//
// gRPC may run callbacks inside of any call that starts or cancels something,
// so no such call is made under a lock.
//
// Thread-safe. Kept alive by its own calls: after Shutdown it goes away by
// itself.
class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
  // Called without locks, on gRPC's threads.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnLinkUp(const membership::NodeName& peer) = 0;
    virtual void OnLinkDown(const membership::NodeName& peer,
                            const std::string& why) = 0;
    // Nothing follows: the link was shut down and has ended.
    virtual void OnLinkGone() = 0;
  };

  // The pointers must outlive the link (OnLinkGone).
  PeerLink(membership::NodeName peer, SelfInfo* self, const Clock* clock,
           Listener* listener);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  // nullopt: close the link, the peer is gone.
  void SetTarget(std::optional<PeerTarget> target);
  void Shutdown();

  // PeerSender's two halves, for this peer.
  void Enqueue(uint32_t lane, replication::Message message);
  void Flush();

 private:
  class Stream;
  enum class State : uint8_t { kIdle, kOpening, kOpen, kWaiting };

  // Opens a call, if there is a target and none is open.
  void Open();
  // From the stream, in this order; OnEnded is the last.
  void OnAccepted(Stream* stream, const v1::ReplicateAccepted& accepted);
  void OnWritten();
  void OnReadEnded();
  void OnEnded(const absl::Status& status);
  // Tries again when the back-off is over.
  void WaitAndOpen(bool refused);
  void OnAlarm();

  const membership::NodeName peer_;
  SelfInfo* const self_;
  const Clock* const clock_;
  Listener* const listener_;

  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kIdle;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<PeerTarget> target_ ABSL_GUARDED_BY(mutex_);
  // From opening until OnEnded. Its context, to cancel it by, lives longer.
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::shared_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  bool was_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool overflowed_ ABSL_GUARDED_BY(mutex_) = false;
  // The stream may be released when both say so.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_ended_ ABSL_GUARDED_BY(mutex_) = false;
  PeerQueue queue_ ABSL_GUARDED_BY(mutex_);
  absl::Duration backoff_ ABSL_GUARDED_BY(mutex_);
  absl::Time opened_at_ ABSL_GUARDED_BY(mutex_);
  // One per wait: an alarm cannot be set again while it is being cancelled.
  std::shared_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_LINK_H_
