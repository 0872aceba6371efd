#ifndef NODE_OPTION_VALUES_H_
#define NODE_OPTION_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/command.h"

namespace sessionmesh::node {

// Readers of single values. Every error says what is allowed and how to write
// it; it does not repeat the value.

// "30s", "1h30m", "250ms"; within [low, high].
absl::StatusOr<absl::Duration> ParseDurationBetween(absl::string_view text,
                                                    absl::Duration low,
                                                    absl::Duration high);

// "4096", "64KiB", "256MiB", "2GiB"; within [low, high].
absl::StatusOr<size_t> ParseBytesBetween(absl::string_view text, size_t low,
                                         size_t high);

absl::StatusOr<bool> ParseBool(absl::string_view text);  // "true", "false"

absl::StatusOr<replication::Consistency> ParseConsistency(
    absl::string_view text);
absl::StatusOr<replication::Durability> ParseDurability(absl::string_view text);

// A name of a node or a cluster: 1 to 64 letters, digits, '.', '_' or '-', so
// that it fits into logs, ready lines and file names as it is.
absl::Status CheckName(absl::string_view text);
// As a name, or empty.
absl::Status CheckZone(absl::string_view text);

// "256MiB" where it is exact, for help texts.
std::string FormatBytes(size_t bytes);

}  // namespace sessionmesh::node

#endif  // NODE_OPTION_VALUES_H_
