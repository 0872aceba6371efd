#ifndef REPLICATION_HLC_CLOCK_H_
#define REPLICATION_HLC_CLOCK_H_

#include "absl/time/time.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// HlcClock is the hybrid logical clock of one lane: close to the wall clock,
// never behind anything it has seen, strictly growing (Kulkarni et al. 2014).
// It orders concurrent writes for readers and nothing else.
class HlcClock {
 public:
  // Greater than every value returned or observed before.
  Hlc Next(absl::Time wall);

  // Callers refuse clocks too far ahead before they come here.
  void Observe(Hlc remote);

  Hlc latest() const { return latest_; }
  // How far it is ahead of this node's wall clock: that clock has been set
  // back, or another node's is ahead.
  absl::Duration Ahead(absl::Time wall) const {
    return absl::FromUnixMillis(HlcMillis(latest_)) - wall;
  }

 private:
  Hlc latest_ = 0;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_HLC_CLOCK_H_
