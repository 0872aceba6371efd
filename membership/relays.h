#ifndef MEMBERSHIP_RELAYS_H_
#define MEMBERSHIP_RELAYS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "membership/member.h"

namespace sessionmesh::membership {

// A ping that this node sent as the helper of another one, and to whom the
// answer is owed.
struct Relay {
  uint64_t sequence = 0;  // of our ping
  NodeName target;
  Generation target_generation = 0;
  Address asker;
  uint64_t asker_sequence = 0;  // of its PingReq
  absl::Time expires;           // steady
};

// The relays in progress: at most kRelaysMax, the oldest dropped for a new one,
// since the oldest is the first that nobody waits for any more.
class Relays {
 public:
  // REQUIRES: it does not expire before those added earlier.
  void Add(Relay relay);

  // Removes and returns the relay that this Ack answers, if it is one and still
  // in time.
  std::optional<Relay> Match(uint64_t sequence, const NodeName& subject,
                             Generation subject_generation,
                             absl::Time steady_now);

  size_t size() const { return relays_.size(); }

 private:
  std::deque<Relay> relays_;  // in the order of Add, so of expiry
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_RELAYS_H_
