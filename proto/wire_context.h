#ifndef PROTO_WIRE_CONTEXT_H_
#define PROTO_WIRE_CONTEXT_H_

#include "absl/status/statusor.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/context.h"
#include "replication/live_hash.h"

namespace sessionmesh::wire {

// Causal contexts. The floor does not travel: each node has its own.
void EncodeContext(const replication::Context& context, MessageWriter* writer,
                   v1::Context* out);
// Actors ascend, ranges of an actor are disjoint and not adjacent, counters are
// from 1 to kCounterMax.
absl::StatusOr<replication::Context> DecodeContext(const v1::Context& proto,
                                                   const MessageReader& reader);

void EncodeLiveHash(const replication::LiveHash& hash, v1::LiveHash* out);
replication::LiveHash DecodeLiveHash(const v1::LiveHash& proto);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_CONTEXT_H_
