#ifndef PROTO_WIRE_STREAM_H_
#define PROTO_WIRE_STREAM_H_

#include "absl/status/statusor.h"
#include "proto/peer.pb.h"
#include "proto/wire_dots.h"
#include "replication/message.h"

namespace sessionmesh::wire {

// The messages that keep two lanes level while their link stands. `proto` may
// lose its strings.

void Encode(const replication::Hello& hello, MessageWriter* writer);
void Encode(const replication::Frame& frame, MessageWriter* writer);
void Encode(const replication::FrameAck& ack, MessageWriter* writer);
void Encode(const replication::Touches& touches, MessageWriter* writer);
void Encode(const replication::Refuse& refuse, MessageWriter* writer);

absl::StatusOr<replication::Hello> Decode(v1::Hello* proto,
                                          const MessageReader& reader);
absl::StatusOr<replication::Frame> Decode(v1::Frame* proto,
                                          const MessageReader& reader);
absl::StatusOr<replication::FrameAck> Decode(v1::FrameAck* proto,
                                             const MessageReader& reader);
absl::StatusOr<replication::Touches> Decode(v1::Touches* proto,
                                            const MessageReader& reader);
absl::StatusOr<replication::Refuse> Decode(v1::Refuse* proto,
                                           const MessageReader& reader);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_STREAM_H_
