#ifndef PROTO_WIRE_SYNC_H_
#define PROTO_WIRE_SYNC_H_

#include "absl/status/statusor.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/message.h"

namespace sessionmesh::wire {

// The messages by which a lane finds what it lacks and gets it. `proto` may
// lose its strings.

void Encode(const replication::Pull& pull, MessageWriter* writer);
void Encode(const replication::PullMore& more, MessageWriter* writer);
void Encode(const replication::PullReply& reply, MessageWriter* writer);
void Encode(const replication::DigestRequest& request, MessageWriter* writer);
void Encode(const replication::Digest& digest, MessageWriter* writer);
void Encode(const replication::Resync& resync, MessageWriter* writer);
void Encode(const replication::DropAsk& ask, MessageWriter* writer);
void Encode(const replication::DropConsent& consent, MessageWriter* writer);

absl::StatusOr<replication::Pull> Decode(v1::Pull* proto,
                                         const MessageReader& reader);
absl::StatusOr<replication::PullMore> Decode(v1::PullMore* proto,
                                             const MessageReader& reader);
// The deltas are of the reply's slot. Only a part 0 has a context, a hash and
// parked deltas.
absl::StatusOr<replication::PullReply> Decode(v1::PullReply* proto,
                                              const MessageReader& reader);
// Slots of these two ascend and are distinct.
absl::StatusOr<replication::Digest> Decode(v1::Digest* proto,
                                           const MessageReader& reader);
absl::StatusOr<replication::Resync> Decode(v1::Resync* proto,
                                           const MessageReader& reader);
absl::StatusOr<replication::DropAsk> Decode(v1::DropAsk* proto,
                                            const MessageReader& reader);
absl::StatusOr<replication::DropConsent> Decode(v1::DropConsent* proto,
                                                const MessageReader& reader);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_SYNC_H_
