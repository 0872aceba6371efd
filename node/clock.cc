#include "node/clock.h"

#include <ctime>

#include "absl/time/time.h"

namespace sessionmesh::node {
namespace {

absl::Time Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace

Instant RealClock::Now() const {
  return {Read(CLOCK_MONOTONIC), Read(CLOCK_REALTIME)};
}

}  // namespace sessionmesh::node
