#ifndef NODE_NODE_H_
#define NODE_NODE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "node/clock.h"
#include "node/cluster_service.h"
#include "node/event_log.h"
#include "node/forwarder.h"
#include "node/identity.h"
#include "node/keys.h"
#include "node/lanes.h"
#include "node/membership_loop.h"
#include "node/mutex.h"
#include "node/node_report.h"
#include "node/options.h"
#include "node/peer_client.h"
#include "node/peer_links.h"
#include "node/peer_service.h"
#include "node/self_info.h"
#include "node/session_codec.h"
#include "node/session_service.h"
#include "node/udp_socket.h"

namespace sessionmesh::node {

// Node is one running member of a cluster: it builds every part of the daemon,
// connects them, and takes them down in the right order.
//
//   clients --> SessionService --+
//                                +--> Lanes --> PeerLinks --> other nodes
//   peers ----> PeerService -----+      ^
//                    |                  | view
//                    +-------> MembershipLoop <--> UDP
//
// Start, then Run on one thread; RequestLeave from any.
class Node : private MembershipLoop::Listener,
             private Lanes::Listener,
             private PeerLinks::Listener {
 public:
  // Opens the state file and all ports, and begins to look for the cluster. The
  // error says which option it is about. The clock must outlive the node.
  static absl::StatusOr<std::unique_ptr<Node>> Start(const Options& options,
                                                     const Clock* clock);
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Serves until it has been asked to leave, then leaves. `on_ready` is called
  // once, when every slot serves. Not OK when the node had to end by itself,
  // because another process has its name.
  absl::Status Run(const std::function<void()>& on_ready);

  // Begins to leave the cluster; Run returns when that is over. Later calls
  // change nothing. Thread-safe, but not for signal handlers.
  void RequestLeave();

  // The machine-readable lines for standard output:
  //   listening name=N client=ADDRESS peer=ADDRESS
  //   ready name=N client=ADDRESS peer=ADDRESS generation=G slots=S
  std::string ListeningLine() const;
  std::string ReadyLine() const;

 private:
  // What a start decides before anything is built.
  struct Plan;
  // What Leave answers.
  struct HandedOver {
    bool all = false;
    std::string message;  // for people
  };

  Node(Plan plan, const Clock* clock);

  absl::Status Open();
  absl::Status OpenPeerServer();
  absl::Status OpenClientServer(SocketAddress address);

  void OnView(const membership::ViewPtr& view) override;
  void OnMemberEvent(const membership::Event& event) override;
  void OnSeedsResolved() override;
  void OnLaneProgress() override;
  void OnPeerUp(const membership::NodeName& peer) override;
  void OnPeerDown(const membership::NodeName& peer) override;

  void LeaveFor(ClusterService::LeaveDone done);
  void Fail(absl::Status status);
  void Announce(Severity severity, absl::string_view kind, std::string message);
  void SetServing(bool serving);
  void SavePeers(const membership::ViewPtr& view);

  // The steps of leaving, in order.
  void HandOver();
  void SayGoodbye();
  void StopEverything();

  const Options options_;
  const Clock* const clock_;
  const std::vector<std::string> seeds_;
  const std::string advertised_;
  const membership::Generation generation_;
  std::string client_address_;  // set before anybody asks
  std::atomic<bool> leaving_{false};

  EventLog log_;
  const std::unique_ptr<Identity> identity_;
  const std::unique_ptr<UdpSocket> udp_;
  const HmacKeyedHash key_;
  const replication::SessionIds ids_;
  SelfInfo self_;
  PeerClient peer_client_;
  Forwarder forwarder_;
  PeerLinks links_;
  Lanes lanes_;
  MembershipLoop membership_;
  NodeReport report_;
  const SessionCodec codec_;
  SessionService sessions_;
  ClusterService cluster_;
  PeerService peers_;
  std::unique_ptr<grpc::Server> peer_server_;
  std::unique_ptr<grpc::Server> client_server_;

  // What other threads leave for Run.
  Mutex mutex_;
  CondVar changed_;
  bool progress_ ABSL_GUARDED_BY(mutex_) = true;
  bool leave_requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool goodbye_said_ ABSL_GUARDED_BY(mutex_) = false;
  bool joined_ ABSL_GUARDED_BY(mutex_) = false;
  membership::ViewPtr view_to_save_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<ClusterService::LeaveDone> leavers_ ABSL_GUARDED_BY(mutex_);
  // How handing over went, once it is over: for those who ask after that.
  std::optional<HandedOver> handed_over_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_NODE_H_
