#ifndef PROTO_WIRE_CHECK_H_
#define PROTO_WIRE_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sessionmesh::wire {

// What the decoders share: checks of one field each, whose INVALID_ARGUMENT
// says the field, its value and the limit, and the path to a field inside
// nested messages ("frame.deltas[3].ops[0].name has 2000 bytes; ..."). Text is
// only built when something is wrong.

#define WIRE_RETURN_IF_ERROR(expression) \
  if (absl::Status status_ = (expression); !status_.ok()) return status_

// Puts the name of what encloses the field before the message of an error; OK
// stays OK.
absl::Status Within(absl::string_view outer, absl::Status status);
absl::Status WithinElement(absl::string_view list, size_t index,
                           absl::Status status);

// The field has to be there.
absl::Status CheckPresent(absl::string_view field, bool present);
// Number of elements of a list.
absl::Status CheckCount(absl::string_view field, size_t count, size_t max);
// Columns of one table.
absl::Status CheckSameCount(absl::string_view field, size_t count,
                            absl::string_view other, size_t other_count);
// Bytes of a string.
absl::Status CheckBytes(absl::string_view field, size_t bytes, size_t min,
                        size_t max);
absl::Status CheckNumber(absl::string_view field, uint64_t value, uint64_t min,
                         uint64_t max);
// The field belongs to another kind of message.
absl::Status CheckAbsent(absl::string_view field, bool absent,
                         absl::string_view why);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_CHECK_H_
