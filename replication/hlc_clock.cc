#include "replication/hlc_clock.h"

#include <algorithm>
#include <limits>

namespace sessionmesh::replication {

Hlc HlcClock::Next(absl::Time wall) {
  constexpr int64_t kMillisMax = (int64_t{1} << 48) - 1;
  const int64_t millis =
      std::clamp<int64_t>(absl::ToUnixMillis(wall), 0, kMillisMax);
  // The logical part may carry into the milliseconds: 65,536 writes in one
  // millisecond push the clock ahead of the wall, which is harmless.
  const bool at_end = latest_ == std::numeric_limits<Hlc>::max();
  latest_ = std::max(MakeHlc(millis, 0), at_end ? latest_ : latest_ + 1);
  return latest_;
}

void HlcClock::Observe(Hlc remote) { latest_ = std::max(latest_, remote); }

}  // namespace sessionmesh::replication
