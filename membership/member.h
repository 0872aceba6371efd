#ifndef MEMBERSHIP_MEMBER_H_
#define MEMBERSHIP_MEMBER_H_

#include <compare>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sessionmesh::membership {

// Names of members are chosen by operators, unique in a cluster, and stable
// over restarts.
using NodeName = std::string;

// Counts the starts of the process that carries a name. Kept in the state file
// of sessiond, so a restart is never taken for its former self: a higher
// generation ends everything that was said of a lower one.
using Generation = uint64_t;

// Counts, within one generation, how often a member has refuted a doubt about
// itself. Only the member itself raises it (SWIM paper, section 4.2).
using Incarnation = uint64_t;

// Where a member can be reached: "10.0.0.7:7401" or "[fd00::7]:7401". Gossip
// (UDP) and the peer gRPC service (TCP) share the port number.
using Address = std::string;

// What fails together: a rack, a room, an availability zone. Chosen by
// operators; empty where they name none. Fixed for one generation. Placement
// (replication/placement.h) spreads the copies of a session over zones.
using Zone = std::string;

// A verdict about a member. The values are their rank: with equal generation
// and incarnation the higher one wins.
enum class State : uint8_t {
  kAlive = 0,
  kSuspect = 1,  // did not answer; may still refute. Routed around, never
                 // re-replicated away.
  kDead = 2,     // the suspicion ran out. Kept for re-dial.
  kLeft = 3,     // said goodbye itself: not a failure.
};

absl::string_view StateName(State state);  // "alive", "suspect", "dead", "left"

// What is gossiped about a member, and the one order that decides between two
// such claims:
//
//   (generation, incarnation, state)   compared left to right; the greater one
//   wins.
//
// A claim that is not greater than what is known changes nothing.
struct Claim {
  Generation generation = 0;
  Incarnation incarnation = 0;
  State state = State::kAlive;

  auto operator<=>(const Claim&) const = default;
};

// One member as this node knows it.
struct Member {
  NodeName name;
  Address address;
  Claim claim;
  // Wall time of the last change of state here, for people; and who made it, if
  // not the member itself: the accuser of a suspicion or of a death.
  absl::Time since;
  NodeName accuser;
  // How many distinct members have confirmed the present suspicion, the accuser
  // not counted.
  int confirmations = 0;
  Zone zone;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_MEMBER_H_
