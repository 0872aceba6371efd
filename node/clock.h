#ifndef NODE_CLOCK_H_
#define NODE_CLOCK_H_

#include "membership/instant.h"

namespace sessionmesh::node {

// The only place of the daemon that reads a clock; everything else is told the
// time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

// CLOCK_MONOTONIC as Instant::steady, counted from the Unix epoch;
// CLOCK_REALTIME as Instant::wall.
class RealClock : public Clock {
 public:
  Instant Now() const override;
};

}  // namespace sessionmesh::node

#endif  // NODE_CLOCK_H_
