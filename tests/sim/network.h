#ifndef TESTS_SIM_NETWORK_H_
#define TESTS_SIM_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "membership/member.h"
#include "membership/random.h"
#include "tests/sim/event_queue.h"

namespace sessionmesh::sim {

using membership::Address;
using membership::NodeName;

// A machine: it stays when the process on it ends, and so do the faults of its
// links.
using HostId = size_t;
// One bound socket, that is one process, never used again.
using EndpointId = uint64_t;
using StreamId = uint64_t;
using CallId = uint64_t;

// How one direction of a link treats what passes it.
struct LinkQuality {
  absl::Duration latency = absl::Microseconds(100);
  absl::Duration jitter = absl::Microseconds(400);
  // Of datagrams only, in permille. A reordered datagram is late by up to
  // twenty times the jitter.
  uint32_t lost = 0;
  uint32_t duplicated = 0;
  uint32_t reordered = 0;
};

// What the network has done, for the line of counts.
struct NetworkCounts {
  uint64_t datagrams = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t cut = 0;  // datagrams that met a cut
  uint64_t calls = 0;
  uint64_t calls_failed = 0;
  uint64_t stream_messages = 0;
  uint64_t stream_messages_lost = 0;
  uint64_t streams_opened = 0;
  uint64_t streams_broken = 0;
};

// A process as the network sees it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void OnDatagram(std::string bytes) = 0;
  // Somebody calls; Network::Answer ends it.
  virtual void OnCall(CallId call, std::string request) = 0;
  // The end of our own call: the answer, or nothing when it failed.
  virtual void OnCallDone(uint64_t tag, std::optional<std::string> reply) = 0;
  // A stream of ours stands, or is broken (also when it never stood). A broken
  // one is gone.
  virtual void OnStreamOpen(StreamId stream) = 0;
  virtual void OnStreamBroken(StreamId stream) = 0;
  virtual void OnStreamMessage(const NodeName& from, std::string bytes) = 0;
};

// Network is the virtual network between hosts. Three services, with the
// promises and the failures of UDP, of a unary gRPC call and of a gRPC stream:
//
//   datagram  may be lost, duplicated, reordered; a cut swallows it
//   call      answered, refused when nobody listens, or fails when its timeout
//   is over stream    ordered and reliable while it stands. It breaks by a
//   reset, by the end of either process, or when a
//             cut of either direction has lasted for `keepalive`. Whatever is
//             in flight then is lost. What meets a shorter cut arrives after
//             it.
//
// Cuts have a direction and belong to pairs of hosts. Not thread-safe.
class Network {
 public:
  static constexpr absl::Duration kKeepalive = absl::Seconds(3);

  Network(size_t hosts, uint64_t seed, EventQueue* queue);

  // --- processes
  EndpointId Attach(HostId host, const Address& address, Endpoint* endpoint);
  // The process has ended. When `flush`, what it has sent still arrives (the
  // kernel has it); otherwise what is in flight on its streams is lost.
  void Detach(EndpointId endpoint, bool flush);

  // --- services
  void SendDatagram(EndpointId from, const Address& to,
                    const std::string& bytes);
  void Call(EndpointId from, uint64_t tag, const Address& to,
            std::string request, absl::Duration timeout);
  void Answer(CallId call, std::string reply);
  StreamId OpenStream(EndpointId from, const NodeName& as, const Address& to);
  // Nothing happens on a stream that is broken.
  void Send(StreamId stream, std::string bytes);
  // Silently; in flight is lost.
  void CloseStream(StreamId stream);

  // --- faults
  void SetQuality(HostId from, HostId to, const LinkQuality& quality);
  void SetQuality(const LinkQuality& quality);  // of all links
  void Cut(HostId from, HostId to);
  void Heal(HostId from, HostId to);
  void HealAll();
  // Breaks every stream between the two hosts. Returns how many.
  size_t ResetStreams(HostId a, HostId b);

  bool IsCut(HostId from, HostId to) const {
    return links_[from * hosts_ + to].cut;
  }
  // When the present cut began, or the last one ended, whichever is the case.
  absl::Time CutChanged(HostId from, HostId to) const {
    return links_[from * hosts_ + to].changed;
  }
  // The longest cut of either direction between two hosts that touches [since,
  // now].
  absl::Duration LongestCut(HostId a, HostId b, absl::Time since) const;

  const NetworkCounts& counts() const { return counts_; }

 private:
  struct Link {
    LinkQuality quality;
    bool cut = false;
    absl::Time changed = absl::InfinitePast();
    std::vector<std::pair<absl::Time, absl::Time>> past_cuts;
  };
  struct Bound {
    HostId host = 0;
    Address address;
    Endpoint* endpoint = nullptr;
  };
  struct Stream {
    EndpointId from = 0;
    HostId from_host = 0;
    HostId to_host = 0;
    EndpointId to = 0;  // 0 until it stands
    NodeName as;
    Address address;
    bool open = false;
    absl::Time last_arrival = absl::InfinitePast();
    std::deque<std::string> stuck;  // met a cut
  };
  struct PendingCall {
    EndpointId from = 0;
    uint64_t tag = 0;
    HostId from_host = 0;
    HostId to_host = 0;
  };

  Link& link(HostId from, HostId to) { return links_[from * hosts_ + to]; }
  absl::Duration Delay(HostId from, HostId to);
  absl::Duration RoundTrip(HostId there, HostId back);
  Endpoint* Find(EndpointId id) const;
  const Bound* FindBound(EndpointId id) const;
  EndpointId Listener(const Address& address) const;

  void DeliverDatagram(HostId from, const Address& to,
                       const std::string& bytes);
  void FailCall(CallId call);
  void Connect(StreamId id);
  void Arrive(StreamId id, std::string bytes);
  void Deliver(Stream& stream, std::string bytes);
  void Break(StreamId id, absl::Duration notice);
  void BreakAfterKeepalive(HostId a, HostId b);

  const size_t hosts_;
  Random random_;
  EventQueue* const queue_;
  std::vector<Link> links_;
  std::map<EndpointId, Bound> endpoints_;
  std::map<Address, EndpointId> listeners_;
  std::map<Address, HostId>
      routes_;  // also of addresses where nobody listens any more
  std::map<StreamId, Stream> streams_;
  std::map<CallId, PendingCall> calls_;
  uint64_t last_id_ = 0;
  NetworkCounts counts_;
};

}  // namespace sessionmesh::sim

#endif  // TESTS_SIM_NETWORK_H_
