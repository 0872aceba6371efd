#ifndef NODE_MEMBERSHIP_LOOP_H_
#define NODE_MEMBERSHIP_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "membership/swim.h"
#include "node/clock.h"
#include "node/event_log.h"
#include "node/inbox.h"
#include "node/mutex.h"
#include "node/rate_limit.h"
#include "node/reliable_plane.h"
#include "node/seed_resolver.h"
#include "node/udp_socket.h"

namespace sessionmesh::node {

// MembershipLoop is the thread that owns this node's Swim: it waits for
// datagrams, for notes in a bounded inbox and for Swim's next deadline, and
// performs what Swim wants done.
//
//   UDP socket ----------\                       /--> UDP socket
//   calls of peers -------> inbox -> Swim -> effects -> reliable plane, answers
//   answers to our calls-/                       \--> resolver, listener
//
// Public functions are thread-safe. The socket, the clock, the plane, the log
// and the listener must outlive it.
class MembershipLoop {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // All are called on the loop's thread and must not block.
    virtual void OnView(const membership::ViewPtr& view) = 0;
    // After the event has been logged.
    virtual void OnMemberEvent(const membership::Event& event) = 0;
    // AddressesOf may answer differently now.
    virtual void OnSeedsResolved() {}
  };

  struct Settings {
    membership::Config config;
    membership::Self self;
    uint64_t seed = 0;
    uint64_t cluster_hash = 0;
    // Joined from the start, as "host:port"; may be empty.
    std::vector<std::string> seeds;
  };

  struct Surroundings {
    const UdpSocket* socket = nullptr;
    const Clock* clock = nullptr;
    ReliablePlane* plane = nullptr;
    EventLog* log = nullptr;
    Listener* listener = nullptr;
  };

  MembershipLoop(Settings settings, Surroundings surroundings);
  ~MembershipLoop();  // stops
  MembershipLoop(const MembershipLoop&) = delete;
  MembershipLoop& operator=(const MembershipLoop&) = delete;

  // Begins; the listener gets the first view before it returns.
  void Start();

  using Answered = std::function<void(absl::StatusOr<membership::Reply>)>;
  // A peer calls. `done` gets the reply, exactly once, on the loop's thread;
  // RESOURCE_EXHAUSTED at once when the inbox is full, UNAVAILABLE when the
  // loop stops.
  void HandleRequest(membership::Request request, Answered done);

  // Adds seeds and joins through all of them. False when too much waits for
  // the loop already, or it has ended.
  bool Join(std::vector<std::string> seeds);

  // What the last look-up found for some of the seeds; those that are not
  // looked up yet, or have no address, add nothing.
  std::vector<membership::Address> AddressesOf(
      const std::vector<std::string>& seeds) const;
  // Why the last look-up found no address for the seed; "" when it found some,
  // or has not answered yet.
  std::string WhyUnresolved(const std::string& seed) const;

  // Says goodbye; the listener hears of kLeaveCompleted.
  void Leave();

  // Ends the thread. Nothing is called afterwards, except answers of the plane
  // that come in late and are dropped.
  void Stop();

  // What is known now; never null after Start.
  membership::ViewPtr view() const;

 private:
  struct PeerCall {
    membership::Request request;
    Answered done;
  };
  struct JoinNote {
    std::vector<std::string> seeds;
  };
  struct LeaveNote {};
  struct StopNote {};
  using Note = std::variant<membership::Message, PeerCall, JoinNote, LeaveNote,
                            StopNote>;
  using NoteInbox = Inbox<Note>;

  void Run();
  // Until there is something to do.
  void Wait();
  void HandleNotes();
  void Handle(Note note);
  void HandleDatagrams();
  // One that did not decode.
  void ReportBadDatagram(const absl::Status& status, const SocketAddress& from);
  // Performs and clears the effects, publishes a changed view.
  void Perform();
  void Resolve();
  void OnResolved(const ResolvedSeeds& resolved);
  void Publish();

  const Settings settings_;
  const Surroundings surroundings_;
  // Shared with answers that are under way when the loop ends.
  const std::shared_ptr<NoteInbox> inbox_;

  // ---- Of the owner thread.
  membership::Swim swim_;
  membership::Effects effects_;
  std::vector<std::string> seeds_;
  std::map<membership::CallId, Answered> calls_;
  membership::CallId next_call_ = 1;
  uint64_t published_version_ = 0;
  bool running_ = true;
  RateLimit bad_datagrams_;
  std::string last_join_failure_;

  mutable Mutex view_mutex_;
  membership::ViewPtr view_ ABSL_GUARDED_BY(view_mutex_);
  std::map<std::string, std::vector<membership::Address>> resolved_
      ABSL_GUARDED_BY(view_mutex_);
  // Changed by the resolver's thread only.
  std::map<std::string, std::string> unresolved_ ABSL_GUARDED_BY(view_mutex_);

  std::unique_ptr<SeedResolver> resolver_;
  std::thread thread_;
};

}  // namespace sessionmesh::node

#endif  // NODE_MEMBERSHIP_LOOP_H_
