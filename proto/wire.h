#ifndef PROTO_WIRE_H_
#define PROTO_WIRE_H_

// The wire codec: the only place where bytes from peers become core types.
//
//   frame.h             outer frame of a datagram: which cluster, which version
//   wire_gossip.h       membership: datagrams, exchanges
//   wire_replication.h  replication: lane messages and the batches that carry
//   them wire_info.h         NodeInfo and whether two nodes belong together
//   limits.h            every number that a peer can push against
//
// Encoding never fails: the caller passes what its core made. Decoding trusts
// nothing. What it returns satisfies every invariant that the cores rely on:
// ids in range, lists ascending and distinct where the type says so, enums
// known, counters that cannot overflow. The errors:
//
//   INVALID_ARGUMENT     malformed or over a limit; the message names field,
//   value and limit FAILED_PRECONDITION  well-formed, but of another cluster or
//   of a version that is not spoken here
//
// Everything here is a pure function: thread-safe, no clock, no I/O.

#include "proto/frame.h"             // IWYU pragma: export
#include "proto/limits.h"            // IWYU pragma: export
#include "proto/wire_gossip.h"       // IWYU pragma: export
#include "proto/wire_info.h"         // IWYU pragma: export
#include "proto/wire_replication.h"  // IWYU pragma: export

#endif  // PROTO_WIRE_H_
