#include "replication/types.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

constexpr int kRandomBits = 22;
constexpr int64_t kEpochMillisMax = (int64_t{1} << 42) - 1;

absl::Time EpochBase() {
  return absl::FromUnixSeconds(1704067200);  // 2024-01-01T00:00:00Z
}

}  // namespace

ActorId MakeActorId(absl::Time start, uint64_t random) {
  const int64_t millis = std::clamp<int64_t>(
      absl::ToInt64Milliseconds(start - EpochBase()), 0, kEpochMillisMax);
  return static_cast<uint64_t>(millis) << kRandomBits |
         (random & ((uint64_t{1} << kRandomBits) - 1));
}

absl::Time ActorEpoch(ActorId actor) {
  return EpochBase() +
         absl::Milliseconds(static_cast<int64_t>(actor >> kRandomBits));
}

ActorId FirstActorSince(absl::Time floor) {
  const absl::Duration age =
      absl::Ceil(floor - EpochBase(), absl::Milliseconds(1));
  const int64_t millis = absl::ToInt64Milliseconds(age);
  if (millis <= 0) return 0;
  if (millis > kEpochMillisMax) return ~ActorId{0};
  return static_cast<uint64_t>(millis) << kRandomBits;
}

void SortUnique(std::vector<Dot>* dots) {
  std::sort(dots->begin(), dots->end());
  dots->erase(std::unique(dots->begin(), dots->end()), dots->end());
}

std::string DotName(const Dot& dot) {
  return absl::StrCat(absl::Hex(dot.actor), ":", dot.counter);
}

absl::string_view EndReasonName(EndReason reason) {
  switch (reason) {
    case EndReason::kDeleted:
      return "deleted";
    case EndReason::kIdle:
      return "idle";
    case EndReason::kDeadline:
      return "deadline";
    case EndReason::kRevoked:
      return "revoked";
  }
  return "unknown";
}

}  // namespace sessionmesh::replication
