#ifndef REPLICATION_PARKED_H_
#define REPLICATION_PARKED_H_

#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "membership/member.h"
#include "replication/context.h"
#include "replication/delta.h"

namespace sessionmesh::replication {

// ParkedDeltas holds the deltas of one slot whose dependencies have not come
// yet. Each waits for one missing dot at a time, so the arrival of a dot costs
// only those that waited for it.
//
// Bounded in bytes: the newest is refused when full, its sender still has it
// (it was not acknowledged). Not thread-safe.
class ParkedDeltas {
 public:
  struct Entry {
    DeltaPtr delta;
    std::vector<membership::NodeName> from;  // who has sent it, distinct
    Dot missing;
    size_t bytes = 0;
  };
  enum class Added {
    kNew,
    kAgain,  // it was here; `from` is remembered
    kFull,   // nothing changed
  };

  explicit ParkedDeltas(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Of two deltas that end with the same dot (one of them in a coalesced group)
  // the longer is kept: it needs no more than the shorter. They take at most
  // `bytes_most` afterwards, if that is less than the bound of this object.
  Added Add(const DeltaPtr& delta, const membership::NodeName& from,
            const Dot& missing,
            size_t bytes_most = std::numeric_limits<size_t>::max());

  // Puts back what one of the Take functions gave, now waiting for `missing`.
  void PutBack(Entry entry, const Dot& missing);

  // Take out the delta that ends with `last`; those that wait for a dot in
  // `range`; all. Ascending by last dot within one awaited dot.
  std::optional<Entry> Take(const Dot& last);
  std::vector<Entry> TakeWaitingFor(const DotRange& range);
  std::vector<Entry> TakeAll();

  // Drops those that `hopeless` picks; returns how many.
  size_t DropIf(const std::function<bool(const Delta&)>& hopeless);

  // Ascending by last dot.
  const std::map<Dot, Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  void StopWaiting(const Entry& entry);

  size_t bytes_max_;
  size_t bytes_ = 0;
  std::map<Dot, Entry> entries_;  // by the delta's last dot
  // Missing dot -> last dots of those that wait for it.
  std::map<Dot, std::vector<Dot>> waiting_;
};

}  // namespace sessionmesh::replication

#endif  // REPLICATION_PARKED_H_
