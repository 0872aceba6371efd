#ifndef REPLICATION_DELTA_LOG_H_
#define REPLICATION_DELTA_LOG_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "replication/context.h"
#include "replication/delta.h"

namespace sessionmesh::replication {

// DeltaLog remembers the deltas that a slot applied last, to bring a peer that
// lacks a few up to date without a state transfer. Nothing depends on it being
// complete: Since() checks that what is left here covers the whole difference,
// and a joined state, a dropped tail or a delta too large to be logged is a
// difference that it does not.
//
// Bounded in bytes; the oldest go first. Not thread-safe.
class DeltaLog {
 public:
  explicit DeltaLog(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Add(const DeltaPtr& delta);

  // The logged deltas that `peer` lacks, in the order of Add, if applying them
  // makes it cover all of `mine`.
  std::optional<std::vector<DeltaPtr>> Since(const Context& mine,
                                             const Context& peer) const;

  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    DeltaPtr delta;
    size_t bytes = 0;
  };

  size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_DELTA_LOG_H_
