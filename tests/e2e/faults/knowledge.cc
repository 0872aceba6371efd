#include "tests/e2e/faults/knowledge.h"

#include <algorithm>

namespace sessionmesh::e2e {
namespace {

void Raise(const std::pair<std::string, int>& key, int64_t count,
           Knowledge::Counts* counts) {
  int64_t& place = (*counts)[key];
  place = std::max(place, count);
}

int64_t CountOf(const Knowledge::Counts& counts, const std::string& attribute,
                int writer) {
  const auto found = counts.find({attribute, writer});
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

void Knowledge::Merge(const Knowledge& other) {
  for (const auto& [key, count] : other.known_) Raise(key, count, &known_);
  for (const auto& [key, count] : other.replaced_) {
    Raise(key, count, &replaced_);
  }
  AddId(other.id_number_);
}

void Knowledge::AddWrite(const Value& value, const Knowledge& past) {
  for (const auto& [key, count] : past.known_) {
    if (key.first == value.attribute) Raise(key, count, &replaced_);
  }
  Merge(past);
  Raise({value.attribute, value.writer}, value.count, &known_);
}

bool Knowledge::Replaced(const Value& value) const {
  return value.count <= CountOf(replaced_, value.attribute, value.writer);
}

int64_t Knowledge::Newest(const std::string& attribute, int writer) const {
  return CountOf(known_, attribute, writer);
}

}  // namespace sessionmesh::e2e
