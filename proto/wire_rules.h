#ifndef PROTO_WIRE_RULES_H_
#define PROTO_WIRE_RULES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "replication/delta.h"

namespace sessionmesh::wire {

// Whether a delta, whose fields are each in range, is one that a correct node
// mints:
//
//   all     the slot is of the lane; counters from 1 to kCounterMax; births,
//   deps and inner heads ascend; what it
//           refers to of its own actor was minted before it
//   CREATE  one birth, its own first dot; op 0 is PUT "\0id"; deadline and idle
//   timeout are positive UPDATE  at least one birth, dep and op; no op on
//   "\0id" ROTATE  as UPDATE, but op 0, and no other, is PUT "\0id" and
//   supersedes at least one; no inner heads KILL    at least one birth, a
//   reason other than the deadline, nothing else
//
// Of the reserved attribute names only the known ones occur. A session id has
// kIdBytesMin to kIdBytesMax bytes.
//
// The decoder (wire_delta.h) checks lists and ranges as it reads; this is the
// rest: what the fields must be together.
absl::Status CheckDelta(const replication::Delta& delta);

// The name of an attribute: 1 to kAttributeNameBytesMax bytes, and reserved
// only if known.
absl::Status CheckAttributeName(absl::string_view name);
// A value of the attribute of that name.
absl::Status CheckAttributeValue(absl::string_view name,
                                 absl::string_view value);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_RULES_H_
