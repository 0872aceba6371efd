#ifndef NODE_CLI_TEXT_H_
#define NODE_CLI_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace sessionmesh::cli {

// How values are written for people. Pure.

// Whether the bytes are UTF-8 without control characters (line feed and tab
// are allowed): text that may go to a terminal, and into JSON as it is.
bool IsPrintable(absl::string_view bytes);

// Text as it is, but for \n, \r, \t, \\ and, for other control characters and
// what is not UTF-8, \xNN: what a node or a user stored must not drive the
// terminal of the operator, and must not be taken for something else. Quotes
// stay: nothing here stands in quotes.
std::string Printable(absl::string_view bytes);

// "350ms", "12s", "3m5s", "2h10m", "4d3h": two units at most, rounded down.
std::string ShortDuration(absl::Duration duration);

// "512 B", "3.1 MiB".
std::string ShortBytes(std::uint64_t bytes);

// "1 member", "2 members".
std::string Count(std::uint64_t n, absl::string_view noun);

absl::Duration ToDuration(const google::protobuf::Duration& duration);
absl::Time ToTime(const google::protobuf::Timestamp& time);

// RFC 3339 in UTC with milliseconds.
std::string TimeText(const google::protobuf::Timestamp& time);

}  // namespace sessionmesh::cli

#endif  // NODE_CLI_TEXT_H_
