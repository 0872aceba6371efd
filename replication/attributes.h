#ifndef REPLICATION_ATTRIBUTES_H_
#define REPLICATION_ATTRIBUTES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "replication/types.h"

namespace sessionmesh::replication {

// One value that some write gave to an attribute. Several entries of one name
// are siblings: writes that did not know of each other. The strings live as
// long as what they were read from.
struct EntryView {
  absl::string_view name;
  Dot dot;
  Hlc hlc = 0;
  absl::string_view value;
};

// AttributeTable holds all entries of one life in one block of memory, ordered
// by (name, dot). Packing costs a copy of the block at each change and saves
// more than half of the memory that a tree of strings takes: with 8 attributes
// of 64 bytes that one write set, 640 instead of 1,500 bytes.
//
// A value type, immutable but for assignment; not thread-safe.
class AttributeTable {
 public:
  AttributeTable() = default;

  // REQUIRES: `entries` ascending by (name, dot), without duplicates.
  static AttributeTable Pack(absl::Span<const EntryView> entries);

  // Views into this table; void when it is changed or destroyed.
  std::vector<EntryView> Unpack() const;

  // The entries of one attribute, siblings included.
  std::vector<EntryView> Find(absl::string_view name) const;

  // Whether the attribute has more entries than one.
  bool HasSiblings(absl::string_view name) const;

  // Appends the dot of each entry, in the order of the entries.
  void AppendDots(std::vector<Dot>* dots) const;

  // Names and values without the bookkeeping, in bytes.
  size_t payload_bytes() const;
  size_t memory_bytes() const { return block_.capacity(); }
  bool empty() const { return block_.empty(); }

  bool operator==(const AttributeTable&) const = default;

 private:
  std::string block_;
};

// The sibling that readers see: the greatest (hlc, dot). Choosing at read and
// never at receipt is what keeps replicas from diverging (invariant I7).
// REQUIRES: `siblings` not empty.
const EntryView& Winner(absl::Span<const EntryView> siblings);

}  // namespace sessionmesh::replication

#endif  // REPLICATION_ATTRIBUTES_H_
