#include "replication/attributes.h"

#include <cstring>

#include "glog/logging.h"

namespace sessionmesh::replication {
namespace {

// The block, name by name:
//
//   varint name length | name | varint entries | entries
//
// and each entry:
//
//   actor 8 | hlc 8 | varint counter | varint value length | value
//
// The block never leaves the process, so fixed numbers are in its byte order.

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// Writes into room that PackedSize has measured.
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
    Varint(bytes.size());
    // An empty view may have no data to copy from.
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  char* at_;
};

// Walks a block that Pack wrote, hence without bounds to check.
class Reader {
 public:
  explicit Reader(const std::string& block)
      : at_(block.data()), end_(at_ + block.size()) {}

  bool done() const { return at_ == end_; }

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

  absl::string_view Bytes() {
    const size_t size = Varint();
    const absl::string_view bytes(at_, size);
    at_ += size;
    return bytes;
  }

  EntryView Entry(absl::string_view name) {
    EntryView entry;
    entry.name = name;
    entry.dot.actor = Fixed();
    entry.hlc = Fixed();
    entry.dot.counter = Varint();
    entry.value = Bytes();
    return entry;
  }

 private:
  const char* at_;
  const char* end_;
};

// The end of the run of entries that share the name of `entries[begin]`.
size_t RunEnd(absl::Span<const EntryView> entries, size_t begin) {
  size_t end = begin + 1;
  while (end < entries.size() && entries[end].name == entries[begin].name) {
    ++end;
  }
  return end;
}

size_t PackedSize(absl::Span<const EntryView> entries) {
  size_t size = 0;
  for (size_t begin = 0; begin < entries.size();) {
    const size_t end = RunEnd(entries, begin);
    const size_t name_size = entries[begin].name.size();
    size += VarintSize(name_size) + name_size + VarintSize(end - begin);
    for (; begin < end; ++begin) {
      const EntryView& entry = entries[begin];
      size += 16 + VarintSize(entry.dot.counter) +
              VarintSize(entry.value.size()) + entry.value.size();
    }
  }
  return size;
}

}  // namespace

AttributeTable AttributeTable::Pack(absl::Span<const EntryView> entries) {
  AttributeTable table;
  table.block_.resize(PackedSize(entries));
  Writer writer(table.block_.data());
  for (size_t begin = 0; begin < entries.size();) {
    const size_t end = RunEnd(entries, begin);
    DCHECK(end == entries.size() || entries[begin].name < entries[end].name);
    writer.Bytes(entries[begin].name);
    writer.Varint(end - begin);
    for (; begin < end; ++begin) {
      const EntryView& entry = entries[begin];
      DCHECK(begin + 1 == end || entry.dot < entries[begin + 1].dot);
      writer.Fixed(entry.dot.actor);
      writer.Fixed(entry.hlc);
      writer.Varint(entry.dot.counter);
      writer.Bytes(entry.value);
    }
  }
  DCHECK(writer.at() == table.block_.data() + table.block_.size());
  return table;
}

std::vector<EntryView> AttributeTable::Unpack() const {
  std::vector<EntryView> entries;
  entries.reserve(16);
  for (Reader reader(block_); !reader.done();) {
    const absl::string_view name = reader.Bytes();
    for (uint64_t left = reader.Varint(); left > 0; --left) {
      entries.push_back(reader.Entry(name));
    }
  }
  return entries;
}

std::vector<EntryView> AttributeTable::Find(absl::string_view name) const {
  std::vector<EntryView> found;
  for (Reader reader(block_); !reader.done();) {
    const absl::string_view here = reader.Bytes();
    if (here > name) break;
    for (uint64_t left = reader.Varint(); left > 0; --left) {
      const EntryView entry = reader.Entry(here);
      if (here == name) found.push_back(entry);
    }
  }
  return found;
}

void AttributeTable::AppendDots(std::vector<Dot>* dots) const {
  for (Reader reader(block_); !reader.done();) {
    const absl::string_view name = reader.Bytes();
    for (uint64_t left = reader.Varint(); left > 0; --left) {
      dots->push_back(reader.Entry(name).dot);
    }
  }
}

size_t AttributeTable::payload_bytes() const {
  size_t bytes = 0;
  for (Reader reader(block_); !reader.done();) {
    const absl::string_view name = reader.Bytes();
    bytes += name.size();
    for (uint64_t left = reader.Varint(); left > 0; --left) {
      bytes += reader.Entry(name).value.size();
    }
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
