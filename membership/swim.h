#ifndef MEMBERSHIP_SWIM_H_
#define MEMBERSHIP_SWIM_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "membership/config.h"
#include "membership/effects.h"
#include "membership/instant.h"
#include "membership/member.h"
#include "membership/message.h"
#include "membership/view.h"

namespace sessionmesh::membership {

// Who this node is. `generation` must be higher than that of every former
// process of the name.
struct Self {
  NodeName name;
  Address address;
  Generation generation = 0;
  Zone zone;
};

class SwimImpl;

// Swim decides who is a member of the cluster and who of them lives: SWIM (Das,
// Gupta, Motivala, 2002) with suspicion, incarnations and piggybacked gossip, a
// reliable plane beside UDP, anti-entropy, and re-dialling of the dead, so that
// any partition heals by itself. DESIGN.md has the protocol.
//
// A state machine without clock, thread, socket or randomness of its own: the
// shell says what happened and what time it is, and performs the Effects. The
// same seed and the same calls give the same effects, on every machine. The
// loop of a shell:
//
//   Swim swim(config, self, seed, now);
//   swim.Join(seeds, now, &effects);           // if there are seeds
//   for (;;) {
//     perform and clear effects; publish swim.view() if its version has
//     changed; wait for a message or for swim.NextDeadline(); while (a message
//     is there) swim.Step(message, now, &effects); swim.Tick(now, &effects); //
//     after the messages: an Ack that is here is in time
//   }
//
// `now.steady` must not go back between calls. Not thread-safe: one owner
// calls; views may be shared.
class Swim {
 public:
  // REQUIRES: config.Validate() is OK; the name, the address and the zone of
  // `self` are of legal size (limits.h) and its generation at most
  // kGenerationMax.
  Swim(const Config& config, const Self& self, uint64_t seed, Instant now);
  ~Swim();
  Swim(Swim&&) noexcept;
  Swim& operator=(Swim&&) noexcept;

  // Start joining through `seeds`, and keep them for re-dial. Addresses of this
  // node among them are harmless. With an empty list the core asks by
  // Effects::want_seeds and goes on at SeedsResolved. The outcome is an event,
  // kJoinSucceeded or kJoinFailed; failures are retried for ever.
  void Join(std::vector<Address> seeds, Instant now, Effects* effects);

  // Say goodbye. Others see kLeft, not kDied. Until kLeaveCompleted the shell
  // must go on calling Step and Tick; after it, the process may end. A second
  // call changes nothing.
  void Leave(Instant now, Effects* effects);

  // A peer, or the shell on its behalf, said something. Malformed or hostile
  // content is dropped.
  void Step(const Message& message, Instant now, Effects* effects);

  // Do what has become due. Harmless when nothing is.
  void Tick(Instant now, Effects* effects);

  // The steady time at which Tick has something to do; InfiniteFuture if never.
  absl::Time NextDeadline() const;

  // Everybody known to this node; the same pointer until something changes.
  ViewPtr view() const;
  // view()->version(), without making the view.
  uint64_t view_version() const;

 private:
  // Behind a pointer so that this header stays what a stranger needs to read.
  std::unique_ptr<SwimImpl> impl_;
};

}  // namespace sessionmesh::membership

#endif  // MEMBERSHIP_SWIM_H_
