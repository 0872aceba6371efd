#ifndef MEMBERSHIP_INSTANT_H_
#define MEMBERSHIP_INSTANT_H_

#include "absl/time/time.h"

namespace sessionmesh {

// An Instant is what a core is told about the present: one reading of each
// clock, taken together.
//
//   steady   never goes back; deadlines, timeouts and intervals live on it. Its
//            epoch is arbitrary and differs between processes, so it is never
//            sent to a peer.
//   wall     what people call the time; may jump. Only session lifetimes, actor
//            epochs, hybrid logical clocks and the bound of generations use it.
//
// The cores never read a clock: the shell (or the simulator) passes an Instant
// into every call.
struct Instant {
  absl::Time steady = absl::UnixEpoch();
  absl::Time wall = absl::UnixEpoch();
};

}  // namespace sessionmesh

#endif  // MEMBERSHIP_INSTANT_H_
