#include "node/cli/text.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sessionmesh::cli {
namespace {

// Length of the UTF-8 sequence at the front of `bytes` (RFC 3629: shortest
// form, no surrogates, at most U+10FFFF); 0 when there is none.
std::size_t Utf8Length(absl::string_view bytes) {
  const auto at = [bytes](std::size_t i) -> unsigned {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const auto continues = [&at](std::size_t i) {
    return (at(i) & 0xC0U) == 0x80U;
  };
  const unsigned first = at(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool bad =
        (first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F);
    return continues(1) && continues(2) && !bad ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool bad =
        (first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F);
    return continues(1) && continues(2) && continues(3) && !bad ? 4 : 0;
  }
  return 0;
}

bool IsControl(absl::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) {
    return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
  }
  // U+0080..U+009F: some terminals obey them.
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

absl::string_view Shorthand(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\\':
      return "\\\\";
    default:
      return "";
  }
}

}  // namespace

bool IsPrintable(absl::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = Utf8Length(bytes);
    if (length == 0 || IsControl(bytes.substr(0, length))) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Printable(absl::string_view bytes) {
  std::string out;
  bool after_hex = false;
  while (!bytes.empty()) {
    const std::size_t known = Utf8Length(bytes);
    const absl::string_view sequence =
        bytes.substr(0, std::max<std::size_t>(known, 1));
    bytes.remove_prefix(sequence.size());
    const absl::string_view shorthand = Shorthand(sequence[0]);
    // A digit after \xNN would be read as part of it.
    const bool hex =
        known == 0 || (IsControl(sequence) && shorthand.empty()) ||
        (after_hex &&
         absl::ascii_isxdigit(static_cast<unsigned char>(sequence[0])));
    if (hex) {
      for (const char c : sequence) {
        absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
      }
    } else {
      absl::StrAppend(&out, shorthand.empty() ? sequence : shorthand);
    }
    after_hex = hex;
  }
  return out;
}

std::string ShortDuration(absl::Duration duration) {
  if (duration < absl::ZeroDuration()) {
    return "0s";
  }
  if (duration < absl::Seconds(1)) {
    return absl::StrCat(absl::ToInt64Milliseconds(duration), "ms");
  }
  struct Unit {
    absl::Duration size;
    const char* name;
  };
  const std::array<Unit, 4> units = {
      Unit{absl::Hours(24), "d"}, Unit{absl::Hours(1), "h"},
      Unit{absl::Minutes(1), "m"}, Unit{absl::Seconds(1), "s"}};
  std::string out;
  int written = 0;
  for (const Unit& unit : units) {
    const std::int64_t n = absl::IDivDuration(duration, unit.size, &duration);
    if (n > 0) {
      absl::StrAppend(&out, n, unit.name);
    }
    written += n > 0 || written > 0 ? 1 : 0;
    if (written == 2) {
      break;
    }
  }
  return out;
}

std::string ShortBytes(std::uint64_t bytes) {
  if (bytes < 1024) {
    return absl::StrCat(bytes, " B");
  }
  double value = static_cast<double>(bytes);
  const std::array<const char*, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < units.size(); ++unit) {
    value /= 1024;
  }
  return absl::StrFormat("%.1f %s", value, units[unit]);
}

std::string Count(std::uint64_t n, absl::string_view noun) {
  return absl::StrCat(n, " ", noun, n == 1 ? "" : "s");
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", ToTime(time),
                          absl::UTCTimeZone());
}

}  // namespace sessionmesh::cli
