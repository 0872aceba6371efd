#include "proto/wire_check.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sessionmesh::wire {

absl::Status Within(absl::string_view outer, absl::Status status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(outer, ".", status.message()));
}

absl::Status WithinElement(absl::string_view list, size_t index,
                           absl::Status status) {
  if (status.ok()) return status;
  return Within(absl::StrCat(list, "[", index, "]"), std::move(status));
}

absl::Status CheckPresent(absl::string_view field, bool present) {
  if (present) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is missing"));
}

absl::Status CheckCount(absl::string_view field, size_t count, size_t max) {
  if (count <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " has ", count, " elements; at most ", max, " are allowed"));
}

absl::Status CheckSameCount(absl::string_view field, size_t count,
                            absl::string_view other, size_t other_count) {
  if (count == other_count) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " has ", count, " elements, but ", other, " has ", other_count));
}

absl::Status CheckBytes(absl::string_view field, size_t bytes, size_t min,
                        size_t max) {
  if (bytes >= min && bytes <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " has ", bytes, " bytes; ", min, " to ", max, " are allowed"));
}

absl::Status CheckNumber(absl::string_view field, uint64_t value, uint64_t min,
                         uint64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " is ", value, "; ", min, " to ", max, " are allowed"));
}

absl::Status CheckAbsent(absl::string_view field, bool absent,
                         absl::string_view why) {
  if (absent) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " must not be there: ", why));
}

}  // namespace sessionmesh::wire
