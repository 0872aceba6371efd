#include "tests/e2e/eventually.h"

#include <poll.h>

#include "absl/time/clock.h"

namespace sessionmesh::e2e {
namespace {

constexpr int kLookEveryMs = 10;

}  // namespace

bool Eventually(const std::function<bool()>& condition,
                absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  for (;;) {
    if (condition()) return true;
    if (absl::Now() >= until) return false;
    poll(nullptr, 0, kLookEveryMs);
  }
}

}  // namespace sessionmesh::e2e
