#include "replication/attributes.h"

#include <cstring>

#include "glog/logging.h"

namespace sessionmesh::replication {
namespace {

// The block, name by name:
//
//   varint name length << 1 | siblings | name | [varint entries] | entries
//
// with the number of entries only where there are siblings, and each entry:
//
//   varint value length << 3 | flags
//   [actor 8] | [hlc 8] | [varint counter] | value
//
// without what follows from the entry before, as most of it does for what one
// write set: the same actor, the same hlc, the next counter. The block never
// leaves the process, so fixed numbers are in its byte order.

constexpr uint64_t kSiblings = 1;
constexpr uint64_t kSameActor = 1;
constexpr uint64_t kSameHlc = 2;
constexpr uint64_t kNextCounter = 4;
constexpr int kFlagBits = 3;

// Measures what a Writer would write.
class Sizer {
 public:
  size_t size() const { return size_; }

  void Varint(uint64_t value) {
    for (++size_; value >= 0x80; value >>= 7) ++size_;
  }
  void Fixed(uint64_t value) { size_ += sizeof(value); }
  void Bytes(absl::string_view bytes) { size_ += bytes.size(); }

 private:
  size_t size_ = 0;
};

// Writes into room that a Sizer has measured.
class Writer {
 public:
  explicit Writer(char* at) : at_(at) {}

  const char* at() const { return at_; }

  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<char>(value | 0x80);
    *at_++ = static_cast<char>(value);
  }

  void Fixed(uint64_t value) {
    std::memcpy(at_, &value, sizeof(value));
    at_ += sizeof(value);
  }

  void Bytes(absl::string_view bytes) {
    // An empty view may have no data to copy from.
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  char* at_;
};

// The entry before: what need not be repeated.
struct Before {
  Dot dot;
  Hlc hlc = 0;

  uint64_t Flags(const EntryView& entry) const {
    return (entry.dot.actor == dot.actor ? kSameActor : 0) |
           (entry.hlc == hlc ? kSameHlc : 0) |
           (entry.dot.counter == dot.counter + 1 ? kNextCounter : 0);
  }
  void Set(const EntryView& entry) {
    dot = entry.dot;
    hlc = entry.hlc;
  }
};

// Walks a block that Pack wrote, hence without bounds to check.
class Reader {
 public:
  explicit Reader(const std::string& block)
      : at_(block.data()), end_(at_ + block.size()) {}

  // Goes on to the next name; false at the end.
  bool NextName() {
    if (at_ == end_) return false;
    const uint64_t head = Varint();
    name_ = Bytes(head >> 1);
    left_ = (head & kSiblings) == 0 ? 1 : Varint();
    return true;
  }
  absl::string_view name() const { return name_; }
  // Entries of the name that are still to come.
  uint64_t left() const { return left_; }

  // Goes on to the next entry of the name; false after the last.
  bool NextEntry(EntryView* entry) {
    if (left_ == 0) return false;
    --left_;
    const uint64_t head = Varint();
    entry->name = name_;
    entry->dot.actor = (head & kSameActor) != 0 ? before_.dot.actor : Fixed();
    entry->hlc = (head & kSameHlc) != 0 ? before_.hlc : Fixed();
    entry->dot.counter =
        (head & kNextCounter) != 0 ? before_.dot.counter + 1 : Varint();
    entry->value = Bytes(head >> kFlagBits);
    before_.Set(*entry);
    return true;
  }

 private:
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  uint64_t Fixed() {
    uint64_t value;
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }

  absl::string_view Bytes(size_t size) {
    const absl::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }

  const char* at_;
  const char* end_;
  absl::string_view name_;
  uint64_t left_ = 0;
  Before before_;
};

// The end of the run of entries that share the name of `entries[begin]`.
size_t RunEnd(absl::Span<const EntryView> entries, size_t begin) {
  size_t end = begin + 1;
  while (end < entries.size() && entries[end].name == entries[begin].name) {
    ++end;
  }
  return end;
}

template <typename Sink>
void PackInto(absl::Span<const EntryView> entries, Sink* sink) {
  Before before;
  for (size_t begin = 0; begin < entries.size();) {
    const absl::string_view name = entries[begin].name;
    const size_t end = RunEnd(entries, begin);
    DCHECK(end == entries.size() || name < entries[end].name);
    const bool siblings = end - begin > 1;
    sink->Varint(uint64_t{name.size()} << 1 | (siblings ? kSiblings : 0));
    sink->Bytes(name);
    if (siblings) sink->Varint(end - begin);
    for (; begin < end; ++begin) {
      const EntryView& entry = entries[begin];
      DCHECK(begin + 1 == end || entry.dot < entries[begin + 1].dot);
      const uint64_t flags = before.Flags(entry);
      sink->Varint(uint64_t{entry.value.size()} << kFlagBits | flags);
      if ((flags & kSameActor) == 0) sink->Fixed(entry.dot.actor);
      if ((flags & kSameHlc) == 0) sink->Fixed(entry.hlc);
      if ((flags & kNextCounter) == 0) sink->Varint(entry.dot.counter);
      sink->Bytes(entry.value);
      before.Set(entry);
    }
  }
}

}  // namespace

AttributeTable AttributeTable::Pack(absl::Span<const EntryView> entries) {
  Sizer sizer;
  PackInto(entries, &sizer);
  AttributeTable table;
  table.block_.resize(sizer.size());
  Writer writer(table.block_.data());
  PackInto(entries, &writer);
  DCHECK(writer.at() == table.block_.data() + table.block_.size());
  return table;
}

std::vector<EntryView> AttributeTable::Unpack() const {
  std::vector<EntryView> entries;
  entries.reserve(16);
  EntryView entry;
  for (Reader reader(block_); reader.NextName();) {
    while (reader.NextEntry(&entry)) entries.push_back(entry);
  }
  return entries;
}

std::vector<EntryView> AttributeTable::Find(absl::string_view name) const {
  std::vector<EntryView> found;
  EntryView entry;
  for (Reader reader(block_); reader.NextName();) {
    if (reader.name() > name) break;
    while (reader.NextEntry(&entry)) {
      if (entry.name == name) found.push_back(entry);
    }
  }
  return found;
}

bool AttributeTable::HasSiblings(absl::string_view name) const {
  EntryView entry;
  Reader reader(block_);
  while (reader.NextName() && reader.name() < name) {
    while (reader.NextEntry(&entry)) {
    }
  }
  return reader.name() == name && reader.left() > 1;
}

void AttributeTable::AppendDots(std::vector<Dot>* dots) const {
  EntryView entry;
  for (Reader reader(block_); reader.NextName();) {
    while (reader.NextEntry(&entry)) dots->push_back(entry.dot);
  }
}

size_t AttributeTable::payload_bytes() const {
  size_t bytes = 0;
  EntryView entry;
  for (Reader reader(block_); reader.NextName();) {
    bytes += reader.name().size();
    while (reader.NextEntry(&entry)) bytes += entry.value.size();
  }
  return bytes;
}

const EntryView& Winner(absl::Span<const EntryView> siblings) {
  CHECK(!siblings.empty());
  const EntryView* winner = &siblings[0];
  for (const EntryView& entry : siblings) {
    if (winner->hlc < entry.hlc ||
        (winner->hlc == entry.hlc && winner->dot < entry.dot)) {
      winner = &entry;
    }
  }
  return *winner;
}

}  // namespace sessionmesh::replication
