#include "membership/scaling.h"

#include <algorithm>
#include <cmath>

namespace sessionmesh::membership {

int RetransmitLimit(int mult, size_t members) {
  // ceil(log10(n + 1)) is the number of decimal digits of n.
  int digits = 1;
  for (size_t n = members; n >= 10; n /= 10) ++digits;
  return mult * digits;
}

absl::Duration SuspicionMin(int mult, size_t members,
                            absl::Duration probe_interval) {
  const double log =
      std::log10(static_cast<double>(std::max<size_t>(1, members)));
  const double thousandths = std::floor(std::max(1.0, log) * 1000.0);
  return mult * probe_interval * static_cast<int64_t>(thousandths) / 1000;
}

int ExpectedConfirmations(int mult, size_t members) {
  const int expected = std::max(0, mult - 2);
  return members < static_cast<size_t>(expected) + 2 ? 0 : expected;
}

absl::Duration SuspicionTimeout(int confirmations, int expected,
                                absl::Duration min, absl::Duration max) {
  if (expected <= 0) return min;
  const double fraction =
      std::log(confirmations + 1.0) / std::log(expected + 1.0);
  const absl::Duration shrunk =
      absl::Floor(max - (max - min) * fraction, absl::Milliseconds(1));
  return std::max(min, shrunk);
}

absl::Duration SyncInterval(absl::Duration base, size_t members) {
  int factor = 1;
  for (size_t covered = 32; covered < members; covered *= 2) ++factor;
  return base * factor;
}

}  // namespace sessionmesh::membership
