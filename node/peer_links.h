#ifndef NODE_PEER_LINKS_H_
#define NODE_PEER_LINKS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "membership/view.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/mutex.h"
#include "node/peer_link.h"
#include "node/peer_sender.h"
#include "node/self_info.h"

namespace sessionmesh::node {

// PeerLinks keeps a PeerLink to every other member that is alive or suspect, as
// the view of membership says, and finds the link for what lanes send.
//
// Thread-safe. The clock, the log, self and the listener must outlive it.
class PeerLinks : public PeerSender, private PeerLink::Listener {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The outgoing stream to the peer stands; is broken. In turn for a peer.
    virtual void OnPeerUp(const membership::NodeName& peer) = 0;
    virtual void OnPeerDown(const membership::NodeName& peer) = 0;
  };

  PeerLinks(SelfInfo* self, const Clock* clock, EventLog* log,
            Listener* listener);
  ~PeerLinks() override;  // shuts down
  PeerLinks(const PeerLinks&) = delete;
  PeerLinks& operator=(const PeerLinks&) = delete;

  void SetView(const membership::ViewPtr& view);

  // Closes all links, for good, and waits until they are gone. Something else
  // must keep gRPC's callback threads alive meanwhile (a server does): the last
  // channel to go ends them, and must not do so from one of them.
  void Shutdown();

  void Enqueue(const membership::NodeName& peer, uint32_t lane,
               replication::Message message) override;
  void Flush(const membership::NodeName& peer) override;

 private:
  void OnLinkUp(const membership::NodeName& peer) override;
  void OnLinkDown(const membership::NodeName& peer,
                  const std::string& why) override;
  void OnLinkGone() override;
  std::shared_ptr<PeerLink> Find(const membership::NodeName& peer);

  SelfInfo* const self_;
  const Clock* const clock_;
  EventLog* const log_;
  Listener* const listener_;

  Mutex mutex_;
  CondVar gone_;
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  size_t alive_ ABSL_GUARDED_BY(mutex_) = 0;  // links not gone yet
  std::map<membership::NodeName, std::shared_ptr<PeerLink>> links_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_PEER_LINKS_H_
