#ifndef REPLICATION_LIFE_H_
#define REPLICATION_LIFE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/attributes.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// Most sessions have one head.
using Heads = absl::InlinedVector<Dot, 1>;

// 64-bit hash of a session id, the same in every process.
using IdHash = uint64_t;
IdHash HashId(absl::string_view id);

// An id that this life held once, with the dot that gave it. Only a DELETE
// looks at these (rule A4).
struct EndedId {
  Dot dot;
  IdHash hash = 0;

  auto operator<=>(const EndedId&) const = default;
};

// A Life is a session from its CREATE to its end, named by its birth dot. Its
// id is an ordinary attribute: a ROTATE replaces the id and leaves the life, so
// a logout on its way to the old id still finds it.
//
// A Life is immutable once its Slot holds it (each change makes a new one), so
// a state transfer pins the lives it sends by sharing them. The time of the
// last access is not part of it: it has no dot, merges by max, and stands
// beside the life in the slot.
struct Life {
  Dot birth;
  // The deltas that no other delta of this life depends on; ascending.
  Heads heads;
  int64_t deadline_ms = 0;     // wall clock; immutable
  int64_t idle_ms = 0;         // immutable
  AttributeTable attributes;   // the reserved ones included
  std::vector<EndedId> ended;  // ascending by dot; the kEndedIdsMax greatest

  absl::Time deadline() const { return absl::FromUnixMillis(deadline_ms); }

  // The ids that open this session: normally one; two after rotations that
  // raced; never none.
  std::vector<std::string> Ids() const;
  bool HoldsId(absl::string_view id) const;
  bool HeldIdOnce(IdHash hash) const;

  // Every dot that keeps something of this life alive: birth, heads and
  // entries. Ascending, distinct.
  std::vector<Dot> LiveDots() const;

  size_t memory_bytes() const;
};

// Enough for a session that rotates at each privilege change; the greatest dots
// win, so that the union of two bounded sets is bounded and still a join.
inline constexpr size_t kEndedIdsMax = 16;

// Union of both, bounded.
std::vector<EndedId> JoinEnded(const std::vector<EndedId>& a,
                               const std::vector<EndedId>& b);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_LIFE_H_
