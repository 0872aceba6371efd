#ifndef PROTO_WIRE_MEMBER_H_
#define PROTO_WIRE_MEMBER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "membership/message.h"
#include "proto/peer.pb.h"

namespace sessionmesh::wire {

// What the messages of both planes of membership are made of. Every field has
// to be there; names, addresses, generations and incarnations are checked, and
// an accuser is there exactly for a suspicion and a death.

using UpdateProtos = google::protobuf::RepeatedPtrField<v1::Update>;

void EncodeSender(const membership::Sender& sender, v1::Sender* out);
absl::StatusOr<membership::Sender> DecodeSender(const v1::Sender& proto);

void EncodeUpdates(const std::vector<membership::Update>& updates,
                   UpdateProtos* out);
absl::StatusOr<std::vector<membership::Update>> DecodeUpdates(
    absl::string_view field, const UpdateProtos& protos, size_t max);

void EncodeSubject(const membership::NodeName& name,
                   membership::Generation generation, v1::Subject* out);
// All but the sequence number, which not every message has.
absl::Status CheckSubject(const v1::Subject& proto);

}  // namespace sessionmesh::wire

#endif  // PROTO_WIRE_MEMBER_H_
