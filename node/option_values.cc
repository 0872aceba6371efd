#include "node/option_values.h"

#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "proto/limits.h"

namespace sessionmesh::node {
namespace {

struct Unit {
  absl::string_view name;
  size_t bytes;
};
constexpr Unit kUnits[] = {{"GiB", size_t{1} << 30},
                           {"MiB", size_t{1} << 20},
                           {"KiB", size_t{1} << 10}};

}  // namespace

absl::StatusOr<absl::Duration> ParseDurationBetween(absl::string_view text,
                                                    absl::Duration low,
                                                    absl::Duration high) {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value) || value < low || value > high) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a duration from ", absl::FormatDuration(low), " to ",
        absl::FormatDuration(high), ", written like 90s, 1h30m or 250ms"));
  }
  return value;
}

absl::StatusOr<size_t> ParseBytesBetween(absl::string_view text, size_t low,
                                         size_t high) {
  size_t unit_bytes = 1;
  absl::string_view number = text;
  for (const Unit& unit : kUnits) {
    if (absl::ConsumeSuffix(&number, unit.name)) {
      unit_bytes = unit.bytes;
      break;
    }
  }
  uint64_t count = 0;
  if (!absl::SimpleAtoi(number, &count) ||
      count > std::numeric_limits<size_t>::max() / unit_bytes ||
      count * unit_bytes < low || count * unit_bytes > high) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a number of bytes from ", FormatBytes(low), " to ",
        FormatBytes(high), ", written like 4096, 64KiB, 256MiB or 2GiB"));
  }
  return count * unit_bytes;
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return absl::InvalidArgumentError("must be true or false");
}

absl::StatusOr<replication::Consistency> ParseConsistency(
    absl::string_view text) {
  if (text == "local") return replication::Consistency::kLocal;
  if (text == "session") return replication::Consistency::kSession;
  if (text == "quorum") return replication::Consistency::kQuorum;
  return absl::InvalidArgumentError("must be local, session or quorum");
}

absl::StatusOr<replication::Durability> ParseDurability(
    absl::string_view text) {
  if (text == "local") return replication::Durability::kLocal;
  if (text == "one") return replication::Durability::kOne;
  if (text == "quorum") return replication::Durability::kQuorum;
  if (text == "all") return replication::Durability::kAll;
  return absl::InvalidArgumentError("must be local, one, quorum or all");
}

absl::Status CheckName(absl::string_view text) {
  bool good = !text.empty() && text.size() <= wire::kNodeNameBytesMax;
  for (const char c : text) {
    good = good && (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                    c == '.' || c == '_' || c == '-');
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("must be 1 to ", wire::kNodeNameBytesMax,
                   " letters, digits, dots, underscores or hyphens"));
}

absl::Status CheckZone(absl::string_view text) {
  static_assert(wire::kZoneBytesMax == wire::kNodeNameBytesMax);
  return text.empty() ? absl::OkStatus() : CheckName(text);
}

std::string FormatBytes(size_t bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes > 0 && bytes % unit.bytes == 0) {
      return absl::StrCat(bytes / unit.bytes, unit.name);
    }
  }
  return absl::StrCat(bytes);
}

}  // namespace sessionmesh::node
