#include "replication/snapshot.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sessionmesh::replication {
namespace {

absl::Status NotCovered(const SnapshotLife& life, const Dot& dot) {
  return absl::InvalidArgumentError(
      absl::StrCat("a state has the life ", DotName(life.birth), " with ",
                   DotName(dot), ", which its context does not cover"));
}

}  // namespace

absl::Status CheckSnapshot(const Snapshot& snapshot) {
  for (const SnapshotLife& life : snapshot.lives) {
    if (!snapshot.context.Contains(life.birth)) {
      return NotCovered(life, life.birth);
    }
    for (const Dot& dot : life.live_dots) {
      if (!snapshot.context.Contains(dot)) return NotCovered(life, dot);
    }
    if (life.full == nullptr) continue;
    if (life.full->birth != life.birth || life.full->heads.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a state has the life ", DotName(life.birth), " without a head"));
    }
    for (const Dot& dot : life.full->LiveDots()) {
      if (!snapshot.context.Contains(dot)) return NotCovered(life, dot);
    }
  }
  return absl::OkStatus();
}

}  // namespace sessionmesh::replication
