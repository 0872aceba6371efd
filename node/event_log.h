#ifndef NODE_EVENT_LOG_H_
#define NODE_EVENT_LOG_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "node/mutex.h"

namespace sessionmesh::node {

// How loud an event is in the log.
enum class Severity : uint8_t { kDebug, kInfo, kWarning, kError };

// What happened on this node, as sessionmesh.v1.Event shows it. Sessions are
// named by their hash only: ids are credentials.
struct NodeEvent {
  uint64_t number = 0;  // set by the log: 1, 2, 3, ...
  absl::Time time;      // wall
  Severity severity = Severity::kInfo;
  std::string area;     // "member", "replication", "session", "node"
  std::string kind;     // "dead", "queue_overflow", ...
  std::string node;     // the member or peer concerned, or empty
  std::string message;  // one sentence for people
  std::map<std::string, std::string> fields;
};

// EventLog is where everything that happens on a node ends up: one line in the
// log, one more on the counter "AREA_KIND", and a place among the last
// `capacity` events for those who watch.
//
// So for every kind of event there is a counter, once it has happened (names as
// the events have them, in snake case):
//
//   member_*       membership::EventKind, effects.h: member_joined,
//                  member_died, member_join_failed, ...
//   replication_*  replication::Event::Kind, effects.h, when they are not about
//                  one session: replication_lane_ready, ...
//   session_*      the rest of those: session_write_lost, ...
//   node_*         the daemon itself: node_ready, node_leaving,
//                  node_handed_over, node_peer_refused, node_refused_by_peer,
//                  node_seed_unresolved, node_seed_resolved, node_no_key,
//                  node_peers_not_saved, node_peer_garbage,
//                  node_datagram_refused, node_link_up, node_link_down
//
// Repetitions that are no event of their own count on the same counter. Only
// counted, since too frequent for events, are
//
//   node_datagrams_refused      datagrams that did not decode
//   node_peer_messages_refused  batches and calls of peers that did not
//   session_calls_refused       calls that found no place (call_gate.h)
//
// Readers pull: each remembers the number of the next event it wants, and one
// that is too slow learns how many it missed. So a slow reader costs nothing.
//
// Thread-safe.
class EventLog {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // There is something new to read. On the thread that appended, without a
    // lock of the log; must not block.
    virtual void OnEvent() = 0;
  };

  explicit EventLog(size_t capacity = 1024);

  // Logs, counts `times` and keeps. The event's number is chosen here.
  void Append(NodeEvent event, uint64_t times = 1);

  // Counts what is too frequent to be an event.
  void Count(absl::string_view counter, uint64_t times = 1);

  struct Batch {
    std::vector<NodeEvent> events;  // ascending by number
    uint64_t lost = 0;              // events that are gone already
    uint64_t next = 0;              // where to go on
  };
  // At most `limit` events from number `from` on.
  Batch Read(uint64_t from, size_t limit) const;

  // Number that the next event will get.
  uint64_t next_number() const;

  std::map<std::string, uint64_t> counters() const;

  // Forgets listeners that have died.
  void AddListener(std::weak_ptr<Listener> listener);

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  std::deque<NodeEvent> events_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<std::string, uint64_t, std::less<>> counters_
      ABSL_GUARDED_BY(mutex_);

  std::vector<std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sessionmesh::node

#endif  // NODE_EVENT_LOG_H_
